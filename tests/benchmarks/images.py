"""The images that are measured: real pairs with truth, and photographs with noise."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from skimage.io import imread


@dataclass(frozen=True)
class Pair:
    """A noisy plane and its truth, 8-bit range."""

    name: str
    noisy: NDArray[np.floating]
    truth: NDArray[np.floating]


def data_folder() -> Path:
    """Return the folder of real images, or end with a sentence."""
    folder = os.environ.get("INR_DENOISE_DATA")
    if not folder:
        sys.exit("Set INR_DENOISE_DATA to the folder of test images.")
    return Path(folder)


def fluorescence() -> Iterator[Pair]:
    """Yield the first noisy frame of each FMD modality."""
    for folder in sorted((data_folder() / "fmd").iterdir()):
        noisy = imread(folder / "noisy_1.png")
        truth = imread(folder / "truth.png")
        yield Pair(folder.name, noisy.astype(float), truth.astype(float))


def photographs(sigma: float, names: tuple[str, ...]) -> Iterator[Pair]:
    """Yield grey photographs with Gaussian noise of a known level."""
    for name in names:
        truth = imread(data_folder() / "photos" / f"{name}.png").astype(float)
        noise = np.random.default_rng(0).normal(0, sigma, truth.shape)
        yield Pair(f"photo {name}, sigma {sigma:g}", truth + noise, truth)


def psnr(image: NDArray[np.floating], truth: NDArray[np.floating]) -> float:
    """Return the whole-image PSNR in dB for a data range of 255."""
    return float(10 * np.log10(255**2 / np.mean((image - truth) ** 2)))
