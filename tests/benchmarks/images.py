"""The images that are measured: real pairs with truth, and clean images with noise."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from skimage.io import imread
from skimage.metrics import structural_similarity

from tests.benchmarks.synthetic import Noise

_SUFFIXES = (".png", ".tif", ".tiff")


@dataclass(frozen=True)
class Pair:
    """A noisy plane and its truth.

    Attributes
    ----------
    name : str
        Of the image, without its noise.
    noise : str
        The noise that was added, such as "gaussian:15"; empty for real noise.
    noisy, truth : ndarray of float
        Axes YX, or YXS for RGB.
    """

    name: str
    noise: str
    noisy: NDArray[np.float64]
    truth: NDArray[np.float64]

    @property
    def label(self) -> str:
        """The name with the noise."""
        return f"{self.name}, {self.noise}" if self.noise else self.name

    @property
    def axes(self) -> str:
        """One letter per dimension."""
        return "YX" if self.truth.ndim == 2 else "YXS"

    def central(self, side: int | None) -> Pair:
        """Return the central square of that side; everything for None."""
        if side is None:
            return self
        rows, columns = (
            slice(max(0, (size - side) // 2), max(0, (size - side) // 2) + side)
            for size in self.truth.shape[:2]
        )
        return replace(
            self, noisy=self.noisy[rows, columns], truth=self.truth[rows, columns]
        )


@dataclass(frozen=True)
class Entry:
    """Where an image lies; without a noisy file, noise is added to the truth."""

    name: str
    truth: Path
    noisy: Path | None = None


def data_folder() -> Path:
    """Return the folder of real images, or end with a sentence."""
    folder = os.environ.get("INR_DENOISE_DATA")
    if not folder:
        sys.exit("Name a folder, or set INR_DENOISE_DATA to the folder of test images.")
    return Path(folder)


def entries(folder: Path, names: Sequence[str] = ()) -> list[Entry]:
    """Return what a folder holds, or end with a sentence.

    Parameters
    ----------
    folder : Path
        Of subfolders with truth.png and noisy_1.png, noisy_2.png, ..., or of clean
        images.
    names : sequence of str
        What to choose: the stem of a clean image, a subfolder, or one noisy frame of
        it, such as "Confocal_MICE/1". Everything if empty.
    """
    if not folder.is_dir():
        sys.exit(f"There is no folder {folder}.")
    found = _frames(folder) or _clean_images(folder)
    if not found:
        sys.exit(f"{folder} has neither pairs with a truth.png nor clean images.")
    known = {name for entry in found for name in _names(entry)}
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(
            f"{folder} has no {', '.join(unknown)}; has {', '.join(sorted(known))}."
        )
    return [entry for entry in found if not names or _names(entry) & set(names)]


def _frames(folder: Path) -> list[Entry]:
    """Return every noisy frame of a folder of pairs; none if it holds no pairs."""
    return [
        Entry(f"{truth.parent.name}/{noisy.stem.removeprefix('noisy_')}", truth, noisy)
        for truth in sorted(folder.glob("*/truth.png"))
        # The shorter first: noisy_10 comes after noisy_2.
        for noisy in sorted(
            truth.parent.glob("noisy_*.png"), key=lambda path: (len(path.name), path)
        )
    ]


def _clean_images(folder: Path) -> list[Entry]:
    return [
        Entry(path.stem, path)
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in _SUFFIXES
    ]


def _names(entry: Entry) -> set[str]:
    """Return the names that choose an entry."""
    if entry.noisy is None:
        return {entry.name}
    return {entry.name, entry.truth.parent.name}


def read_pairs(entry: Entry, noises: Sequence[Noise], seed: int) -> Iterator[Pair]:
    """Yield a real pair, or the clean image with each kind of noise."""
    truth = _read(entry.truth)
    if entry.noisy is not None:
        yield Pair(entry.name, "", _read(entry.noisy), truth)
        return
    for noise in noises:
        yield Pair(entry.name, noise.text, noise.added_to(truth, seed), truth)


def _read(path: Path) -> NDArray[np.float64]:
    """Read one plane, grey or RGB, or end with a sentence."""
    image = np.asarray(imread(path), dtype=float)
    if image.ndim == 3 and image.shape[2] == 4:
        image = image[..., :3]  # without alpha
    if image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3):
        return image
    sys.exit(f"{path}, of shape {image.shape}, is neither one plane nor RGB.")


def data_range(truth: NDArray[np.floating]) -> float:
    """Return 255 for an 8-bit truth, and otherwise the truth's maximum."""
    return max(255.0, float(truth.max()))


def psnr(image: NDArray[np.floating], truth: NDArray[np.floating]) -> float:
    """Return the whole-image PSNR in dB."""
    return float(10 * np.log10(data_range(truth) ** 2 / np.mean((image - truth) ** 2)))


def ssim(image: NDArray[np.floating], truth: NDArray[np.floating]) -> float:
    """Return the structural similarity, for the range that PSNR has."""
    return float(
        structural_similarity(
            image.astype(float),
            truth,
            data_range=data_range(truth),
            channel_axis=-1 if truth.ndim == 3 else None,
        )
    )
