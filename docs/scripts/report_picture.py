"""Take the picture of report.html: a run of made-up files, shown by a browser.

Run from the top of the repository. It needs `python -m pip install PyQt6-WebEngine`,
and where there is no screen a virtual one:

    xvfb-run -a -s "-screen 0 1400x1000x24" python docs/scripts/report_picture.py
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PyQt6.QtCore import QTimer, QUrl
from PyQt6.QtWebEngineWidgets import QWebEngineView
from PyQt6.QtWidgets import QApplication
from scipy.ndimage import gaussian_filter

from napari_inr_denoise import write_image
from napari_inr_denoise.io.record import ImageRecord
from napari_inr_denoise.samples import field_of_cells

PICTURE = Path("docs/pictures/report.png")
SIZE = (1180, 860)
DRAWN_AFTER_MS = 1500


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


def show(page: Path, picture: Path) -> None:
    """Show a page in a browser and save what is seen."""
    app = QApplication(sys.argv)
    view = QWebEngineView()
    view.resize(*SIZE)
    view.show()

    def grab() -> None:
        view.grab().save(str(picture))
        app.quit()

    view.loadFinished.connect(lambda: QTimer.singleShot(DRAWN_AFTER_MS, grab))
    view.load(QUrl.fromLocalFile(str(page)))
    app.exec()


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
        show(results / "report.html", PICTURE)


if __name__ == "__main__":
    main()
