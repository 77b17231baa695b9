"""Photon and read noise made even over an image, and the way back without bias."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from napari_inr_denoise.core.noise.level_function import NoiseLevelFunction

_LAST_MEAN = 200.0
"""Photons up to which the inverse comes from a table; beyond, the closed form."""
_TABLE_SIZE = 1024
_CLOSED_FORM_ABOVE = 50.0
"""Read noise variance, in photons^2, above which the closed form does for all means.

Its error is at most 1 / (8 * 50) photons there, with a noise of 7 photons.
"""
_GAUSSIAN_ABOVE = 1e20
"""Read noise variance, in photons^2, beside which photon noise is not to be seen."""
_SERIES_ABOVE = 10.0
"""Spreads above 0 from which a normal variable's mean root comes from its series.

Its error is 1e-6 there; the exact function overflows far above.
"""


@dataclass(frozen=True)
class Anscombe:
    """The transform after which noise has a standard deviation of about 1.

    Where `variance_at_zero` is negative, the image is taken as a pedestal of
    `-variance_at_zero / gain` with photon noise alone on it; otherwise as photon
    noise and Gaussian read noise without a pedestal. The variance is the model's
    either way.

    Attributes
    ----------
    gain : float
        Growth of the noise variance with the intensity: intensity units per photon.
        At 0 or below no photon noise was seen, and the transform is a division.
    variance_at_zero : float
        Noise variance, in intensity units squared, where the intensity is 0. Negative
        for a detector whose pedestal outweighs its read noise:
        `read_noise**2 - gain * pedestal`.

    Raises
    ------
    ValueError
        If the two describe no noise, or are not finite.
    """

    gain: float
    variance_at_zero: float

    def __post_init__(self) -> None:
        finite = math.isfinite(self.gain) and math.isfinite(self.variance_at_zero)
        if not finite or (self.gain <= 0 and self.variance_at_zero <= 0):
            raise ValueError(
                f"noise: got a gain of {self.gain:.4g} and a variance at zero of "
                f"{self.variance_at_zero:.4g}, wanted finite numbers of which at least "
                "one is above 0. Denoise without stabilising the noise, or give the "
                "detector's own gain."
            )

    def forward(self, image: ArrayLike) -> NDArray[np.float64]:
        """Return the image with even noise: the generalised Anscombe transform.

        Parameters
        ----------
        image : array_like
            Intensities; any shape. Those below what the noise model allows for are
            raised to it, NaN stays.

        Returns
        -------
        ndarray of float64
            The same shape, without a unit.
        """
        values = np.asarray(image, dtype=np.float64)
        if self._gaussian:
            return values / math.sqrt(self.variance_at_zero)
        photons = values / self.gain + (self._read_noise - self._pedestal)
        return _root(photons)

    def inverse(self, stabilised: ArrayLike) -> NDArray[np.float64]:
        """Return the mean intensities behind means of transformed noisy ones.

        The exact unbiased inverse, where the algebraic one would come out too dark:
        Makitalo and Foi, "Optimal Inversion of the Generalized Anscombe
        Transformation for Poisson-Gaussian Noise", IEEE TIP 2013.

        Parameters
        ----------
        stabilised : array_like
            Denoised values of `forward`; any shape.

        Returns
        -------
        ndarray of float64
            Intensities, the same shape; at least 0, or the pedestal, where photon
            noise was seen. NaN stays.
        """
        values = np.asarray(stabilised, dtype=np.float64)
        if self._gaussian:
            return values * math.sqrt(self.variance_at_zero)
        photons = _unbiased_mean(values, self._read_noise)
        return self.gain * (photons + self._pedestal)

    @property
    def _gaussian(self) -> bool:
        """Whether photon noise is absent or drowned (a tiny gain's square may be 0)."""
        drowned = self.variance_at_zero > _GAUSSIAN_ABOVE * self.gain * self.gain
        return self.gain <= 0 or drowned

    @property
    def _read_noise(self) -> float:
        """Variance of the read noise in photons^2."""
        return max(self.variance_at_zero / self.gain / self.gain, 0.0)

    @property
    def _pedestal(self) -> float:
        """Intensity without light, in photons."""
        return max(-self.variance_at_zero / self.gain / self.gain, 0.0)


def variance_stabilized(
    plane_yxs: NDArray[np.floating], curves: Sequence[NoiseLevelFunction]
) -> NDArray[np.float64]:
    """Return a plane with noise made even, sample by sample.

    Parameters
    ----------
    plane_yxs : ndarray, shape (Y, X, samples)
        Intensities.
    curves : sequence of NoiseLevelFunction
        One a sample.

    Returns
    -------
    ndarray of float64, shape (Y, X, samples)
        Transformed by `Anscombe.forward`; a sample in which no photon noise was seen
        is as it was.
    """
    samples = [
        Anscombe(curve.gain, curve.variance_at_zero).forward(plane_yxs[..., k])
        if curve.gain > 0
        else plane_yxs[..., k]
        for k, curve in enumerate(curves)
    ]
    return np.asarray(np.stack(samples, axis=-1), dtype=np.float64)


def _root(photons: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the transform of photon counts to which the read noise was added."""
    return 2.0 * np.sqrt(np.maximum(photons + 0.375, 0.0))


def _unbiased_mean(
    stabilised: NDArray[np.float64], read_noise: float
) -> NDArray[np.float64]:
    """Return the mean photon count at which the transform has a given mean.

    Parameters
    ----------
    stabilised : ndarray
        Means of the transform; any shape.
    read_noise : float
        Variance in photons^2.

    Returns
    -------
    ndarray
        Photons, at least 0.
    """
    # Its error falls with the square of the mean: 1e-4 photons at the table's end.
    # (Makitalo and Foi's form with more terms fits low means: 9e-3 off there.)
    root = np.maximum(stabilised, 0.0) / 2.0
    closed = np.maximum(np.square(root) - 0.125 - read_noise, 0.0)
    if read_noise > _CLOSED_FORM_ABOVE:
        return closed
    transformed, means = _table(read_noise)
    within = np.interp(stabilised, transformed, means)
    return np.where(stabilised > transformed[-1], closed, within)


@lru_cache(maxsize=16)
def _table(read_noise: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return means of the transform, ascending, and the mean photon counts they are of.

    Parameters
    ----------
    read_noise : float
        Variance in photons^2.
    """
    # Even in the root, as the transform is: dense near 0.
    means = np.square(np.linspace(0.0, math.sqrt(_LAST_MEAN), _TABLE_SIZE))
    counts = np.arange(_LAST_MEAN + 12.0 * math.sqrt(_LAST_MEAN))
    logs = special.xlogy(counts, means[:, None]) - special.gammaln(counts + 1.0)
    chances = np.exp(logs - means[:, None])
    transformed = chances @ _mean_root(counts, read_noise)
    for array in (transformed, means):
        array.setflags(write=False)  # the cache hands out the same arrays again
    return transformed, means


def _mean_root(counts: NDArray[np.float64], read_noise: float) -> NDArray[np.float64]:
    """Return the transform of each count, averaged over the read noise.

    The mean of the root of a normal variable, cut at 0, is a parabolic cylinder
    function (Gradshteyn and Ryzhik, 3.462.1). Gauss-Hermite quadrature, which the cut
    disturbs, is off by 0.01 with 40 nodes.

    Parameters
    ----------
    counts : ndarray
        Photons.
    read_noise : float
        Variance in photons^2.
    """
    spread = math.sqrt(read_noise)
    if spread < 1e-6:  # changes the mean root by about its square
        return _root(counts + read_noise)
    heights = (counts + 0.375 + read_noise) / spread  # above the cut, in spreads
    low, high = np.minimum(heights, _SERIES_ABOVE), np.maximum(heights, _SERIES_ABOVE)
    exact = special.pbdv(-1.5, -low)[0] * np.exp(-np.square(low / 2.0)) / math.sqrt(8.0)
    series = np.sqrt(high) * (1.0 - 1.0 / (8.0 * high**2) - 15.0 / (128.0 * high**4))
    roots = np.where(heights < _SERIES_ABOVE, exact, series)
    return np.asarray(2.0 * math.sqrt(spread) * roots, dtype=np.float64)
