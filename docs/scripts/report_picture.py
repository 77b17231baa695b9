"""Check report.html in a browser and take its picture: a run of made-up files.

Run from the top of the repository. The browser is no part of the tests, because it is
as large as all of Qt; where there is no screen, use a virtual one:

    python -m pip install PyQt6-WebEngine
    xvfb-run -a -s "-screen 0 1400x1000x24" python docs/scripts/report_picture.py

The checks: a click sorts the table by its numbers, and the page fits a phone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PyQt6.QtCore import QTimer, QUrl
from PyQt6.QtWebEngineWidgets import QWebEngineView
from PyQt6.QtWidgets import QApplication
from scipy.ndimage import gaussian_filter

from napari_inr_denoise import write_image
from napari_inr_denoise.io.record import ImageRecord
from napari_inr_denoise.samples import field_of_cells

PICTURE = Path("docs/pictures/report.png")
WIDTH, HEIGHT = 1180, 860
WIDE, PHONE = 1300, 390
DRAWN_AFTER_MS = 1500
LOOK = """
(() => {
  const names = () => [...document.querySelectorAll("tbody:last-of-type th strong")]
    .map((one) => one.textContent);
  const before = names();
  const heads = [...document.querySelectorAll("table:last-of-type th button")];
  const error = heads.find((one) => one.textContent === "Estimated RMSE");
  error.click();
  const ascending = names();
  error.click();
  return JSON.stringify({
    wide: document.documentElement.scrollWidth, before, ascending,
    descending: names(),
    cards: getComputedStyle(document.querySelector("tbody tr")).display,
    background: getComputedStyle(document.body).backgroundColor,
  });
})()
"""


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


def browse(page: str, width: int, picture: str = "") -> None:
    """Show a page, print what `LOOK` finds as JSON, and perhaps save a picture."""
    os.environ.setdefault("QTWEBENGINE_CHROMIUM_FLAGS", "--no-sandbox --disable-gpu")
    app = QApplication(sys.argv)
    view = QWebEngineView()
    view.resize(width, HEIGHT)
    view.show()

    def end(found: str) -> None:
        print(found)
        app.quit()

    def look() -> None:
        if picture:
            view.grab().save(picture)
        view.page().runJavaScript(LOOK, end)

    view.loadFinished.connect(lambda _: QTimer.singleShot(DRAWN_AFTER_MS, look))
    view.load(QUrl.fromLocalFile(page))
    app.exec()


def seen(page: Path, width: int, picture: str = "") -> dict[str, Any]:
    """Browse a page in a process of its own."""
    command = [sys.executable, __file__, str(page), str(width), picture]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def check(page: Path) -> None:
    """Check that the page can be sorted, and read on a phone."""
    wide, phone = seen(page, WIDE), seen(page, PHONE)
    assert sorted(wide["ascending"]) == sorted(wide["before"])
    assert wide["ascending"] != wide["descending"]
    assert wide["cards"] == "table-row"
    assert wide["wide"] <= WIDE
    assert phone["cards"] == "grid"
    assert phone["wide"] <= PHONE


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
        page = results / "report.html"
        seen(page, WIDTH, str(PICTURE))
        check(page)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        browse(sys.argv[1], int(sys.argv[2]), sys.argv[3])
    else:
        main()
