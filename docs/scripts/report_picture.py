"""Take the picture of report.html in a browser: a run of made-up files.

Run from the top of the repository, where Chromium is installed:

    python docs/scripts/report_picture.py
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from scipy.ndimage import gaussian_filter

from napari_inr_denoise import write_image
from napari_inr_denoise.io.record import ImageRecord
from napari_inr_denoise.samples import field_of_cells

PICTURE = Path("docs/pictures/report.png").absolute()
BROWSER = "chromium --headless --no-sandbox --disable-gpu --hide-scrollbars"
SIZE = "1180,860"


def write_images(folder: Path) -> None:
    """Write cells under rising light, one with correlated noise, and a broken file."""
    for photons in (10, 30, 90):
        _write(folder, f"cells at {photons} photons", photons)
    rng = np.random.default_rng(0)
    sample = field_of_cells(side=128, seed=3)
    noise = gaussian_filter(rng.normal(0, 25, sample.truth.shape), 0.65)
    record = ImageRecord((sample.truth + noise).astype(np.float32), "YX")
    write_image(folder / "scaled by the camera.ome.tif", record)
    (folder / "half copied.tif").write_bytes(b"II*\0")


def _write(folder: Path, name: str, photons: float) -> None:
    sample = field_of_cells(side=128, photons=photons, seed=3)
    record = ImageRecord(sample.noisy, sample.axes, sample.spacing_um)
    write_image(folder / f"{name}.ome.tif", record)


def main() -> None:
    """Make the files, denoise them, and take the picture."""
    with TemporaryDirectory() as place:
        images, results = Path(place, "images"), Path(place, "results")
        images.mkdir()
        write_images(images)
        command = [sys.executable, "-m", "napari_inr_denoise", "run", images.name]
        command += ["--out", results.name, "--preset", "fast"]
        # One file fails, as it shall.
        subprocess.run(command, cwd=place, check=False)
        page = (results / "report.html").as_uri()
        taken = [f"--screenshot={PICTURE}", f"--window-size={SIZE}", page]
        subprocess.run([*BROWSER.split(), *taken], check=True)


if __name__ == "__main__":
    main()
