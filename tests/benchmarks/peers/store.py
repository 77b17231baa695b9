"""The folder of results: a JSON file of rows, and the images."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.io.atomic import atomic_write
from tests.benchmarks.images import Pair


@dataclass(frozen=True)
class Row:
    """One method on one image.

    Attributes
    ----------
    group, image : str
        Name of the group of images, and of the image with its noise.
    side : int
        Pixels of a side of the square that was measured.
    method : str
        Name in the catalogue; also "noisy" and "blur".
    psnr, ssim : float or None
        In dB, and from 0 to 1; None if there is no result.
    cpu_seconds, wall_seconds : float or None
        Of the denoising alone.
    peak_mb : float or None
        Largest memory of the process.
    limit : float
        CPU seconds that were allowed.
    note : str
        What the method said, or why there is no result.
    date : str
        Day of the measurement.
    """

    group: str
    image: str
    side: int
    method: str
    psnr: float | None
    ssim: float | None
    cpu_seconds: float | None
    wall_seconds: float | None
    peak_mb: float | None
    limit: float
    note: str
    date: str


class Store:
    """Rows and images below a folder; each is written as it comes, by any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "results.json"
        self._lock = Lock()
        folder.mkdir(parents=True, exist_ok=True)
        self.rows = read_rows(self._file) if self._file.exists() else []

    def has(self, group: str, image: str, method: str) -> bool:
        """Return whether a method was measured on an image."""
        wanted = group, image, method
        return any((row.group, row.image, row.method) == wanted for row in self.rows)

    def add(self, row: Row, image: NDArray[np.float64] | None) -> None:
        """Keep a row and its image."""
        if image is not None:
            self._save(row.group, row.image, row.method, image)
        with self._lock:
            self.rows.append(row)
            text = json.dumps([asdict(row) for row in self.rows], indent=1)
            with atomic_write(self._file) as temporary:
                temporary.write_text(f"{text}\n", "utf-8")

    def add_truth(self, group: str, pair: Pair) -> None:
        """Keep the truth of an image, for the pictures."""
        self._save(group, pair.label, "truth", pair.truth)

    def image(self, group: str, image: str, method: str) -> NDArray[np.float64] | None:
        """Return a result or the truth; None if there is none."""
        path = self._path(group, image, method)
        return np.load(path).astype(float) if path.exists() else None

    def _save(
        self, group: str, image: str, method: str, values: NDArray[np.float64]
    ) -> None:
        path = self._path(group, image, method)
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, values.astype(np.float32))

    def _path(self, group: str, image: str, method: str) -> Path:
        return self._folder / group / file_name(image) / f"{method}.npy"


def file_name(image: str) -> str:
    """Return the name of an image as a name of files."""
    return "".join(sign if sign.isalnum() else "-" for sign in image)


def read_rows(file: Path) -> list[Row]:
    """Return the rows of a JSON file."""
    return [Row(**row) for row in json.loads(file.read_text("utf-8"))]
