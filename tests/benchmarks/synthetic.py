"""Noise that is added to clean images."""

from __future__ import annotations

import sys
from argparse import ArgumentTypeError
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

KINDS = {"gaussian": 1, "poisson": 1, "poisson-gaussian": 2}
"""The kinds of noise, and how many numbers each takes."""


@dataclass(frozen=True)
class Noise:
    """A kind of noise and its strength.

    Attributes
    ----------
    text : str
        As it was asked for, such as "poisson:30".
    sigma : float
        Standard deviation of the Gaussian part: in the image's own units, or in
        photons where there are photons.
    peak : float or None
        Photons at the image's maximum; None where no photons are counted.
    """

    text: str
    sigma: float
    peak: float | None = None

    def added_to(self, truth: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
        """Return the noisy image, in the truth's units and not clipped.

        Every image gets its own generator, so that its noise does not depend on
        which other images are measured.
        """
        rng = np.random.default_rng(seed)
        if self.peak is None:
            return truth + rng.normal(0, self.sigma, truth.shape)
        if truth.min() < 0 or truth.max() <= 0:
            sys.exit(
                f"{self.text}: wanted an image without negative values, not all 0."
            )
        per_unit = self.peak / float(truth.max())
        photons = rng.poisson(truth * per_unit).astype(float)
        return (photons + rng.normal(0, self.sigma, truth.shape)) / per_unit


def parse_noise(text: str) -> Noise:
    """Read "gaussian:SIGMA", "poisson:PEAK" or "poisson-gaussian:PEAK:READ".

    Raises
    ------
    ArgumentTypeError
        If it is none of these; argparse shows the sentence.
    """
    kind, *rest = text.split(":")
    try:
        numbers = [float(number) for number in rest]
    except ValueError:
        numbers = []
    if KINDS.get(kind) != len(numbers) or not all(0 < n < np.inf for n in numbers):
        raise ArgumentTypeError(
            f"got {text!r}, wanted gaussian:SIGMA, poisson:PEAK or "
            "poisson-gaussian:PEAK:READ with numbers above 0"
        )
    if kind == "gaussian":
        return Noise(text, sigma=numbers[0])
    return Noise(text, sigma=numbers[1] if len(numbers) == 2 else 0.0, peak=numbers[0])
