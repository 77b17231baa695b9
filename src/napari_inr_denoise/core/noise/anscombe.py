"""The generalized Anscombe transform and its exact unbiased inverse."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from napari_inr_denoise.core.noise.level.level_function import NoiseLevelFunction

_LAST_MEAN = 200.0
"""Largest mean photon count in the table of the inverse.

The closed form is used above it.
"""
_TABLE_SIZE = 1024
_CLOSED_FORM_ABOVE = 50.0
"""Read noise variance, in photons^2, above which the closed form is always used.

Its error is at most 1 / (8 * 50) photons there, against a read noise of 7 photons.
"""
_GAUSSIAN_ABOVE = 1e20
"""Read noise variance, in photons^2, above which photon noise is negligible."""
_SERIES_ABOVE = 10.0
"""Mean over standard deviation above which the mean root is computed from a series.

The error of the series is 1e-6 there. The exact function overflows for much larger
arguments.
"""


@dataclass(frozen=True)
class Anscombe:
    """The variance-stabilizing transform: noise has a standard deviation of about 1.

    If `variance_at_zero` is negative, the model is photon noise on a pedestal of
    `-variance_at_zero / gain`, without read noise. Otherwise it is photon noise and
    Gaussian read noise, without a pedestal. Both give the same noise variance.

    Attributes
    ----------
    gain : float
        Slope of the noise variance over the intensity, in intensity units per photon.
        If it is 0 or negative, there is no photon noise and the transform is a
        division by the read noise.
    variance_at_zero : float
        Noise variance at intensity 0, in squared intensity units:
        `read_noise**2 - gain * pedestal`. It is negative if the detector's pedestal
        outweighs its read noise.

    Raises
    ------
    ValueError
        If the values are not finite, or neither is above 0.
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
        """Apply the generalized Anscombe transform.

        Parameters
        ----------
        image : array_like
            Intensities; any shape. Values below the range of the noise model are
            clipped to it. NaN stays NaN.

        Returns
        -------
        ndarray of float64
            Variance-stabilized values, dimensionless, same shape.
        """
        values = np.asarray(image, dtype=np.float64)
        if self._gaussian:
            return values / math.sqrt(self.variance_at_zero)
        photons = values / self.gain + (self._read_noise - self._pedestal)
        return _root(photons)

    def inverse(self, stabilized: ArrayLike) -> NDArray[np.float64]:
        """Apply the exact unbiased inverse of the transform.

        The algebraic inverse is biased towards dark values. See Makitalo and Foi,
        "Optimal Inversion of the Generalized Anscombe Transformation for
        Poisson-Gaussian Noise", IEEE TIP 2013.

        Parameters
        ----------
        stabilized : array_like
            Denoised output of `forward`; any shape.

        Returns
        -------
        ndarray of float64
            Mean intensities, same shape. With photon noise they are at least 0, or at
            least the pedestal. NaN stays NaN.
        """
        values = np.asarray(stabilized, dtype=np.float64)
        if self._gaussian:
            return values * math.sqrt(self.variance_at_zero)
        photons = _unbiased_mean(values, self._read_noise)
        return self.gain * (photons + self._pedestal)

    @property
    def _gaussian(self) -> bool:
        """Whether photon noise is absent or negligible."""
        # The square of a tiny gain may be 0, so that no division is possible.
        negligible = self.variance_at_zero > _GAUSSIAN_ABOVE * self.gain * self.gain
        return self.gain <= 0 or negligible

    @property
    def _read_noise(self) -> float:
        """Variance of the read noise, in photons^2."""
        return max(self.variance_at_zero / self.gain / self.gain, 0.0)

    @property
    def _pedestal(self) -> float:
        """Intensity without light (detector offset), in photons."""
        return max(-self.variance_at_zero / self.gain / self.gain, 0.0)


def variance_stabilized(
    plane_yxs: NDArray[np.floating], curves: Sequence[NoiseLevelFunction]
) -> NDArray[np.float64]:
    """Return the variance-stabilized plane, each sample transformed separately.

    Parameters
    ----------
    plane_yxs : ndarray, shape (Y, X, samples)
        Intensities.
    curves : sequence of NoiseLevelFunction
        Noise level function of each sample.

    Returns
    -------
    ndarray of float64, shape (Y, X, samples)
        Output of `Anscombe.forward`. A sample without photon noise is unchanged.
    """
    samples = [
        Anscombe(curve.gain, curve.variance_at_zero).forward(plane_yxs[..., k])
        if curve.gain > 0
        else plane_yxs[..., k]
        for k, curve in enumerate(curves)
    ]
    return np.asarray(np.stack(samples, axis=-1), dtype=np.float64)


def _root(photons: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the transform of photon counts plus the read noise variance."""
    return 2.0 * np.sqrt(np.maximum(photons + 0.375, 0.0))


def _unbiased_mean(
    stabilized: NDArray[np.float64], read_noise: float
) -> NDArray[np.float64]:
    """Return the mean photon count for a given mean of the transform.

    Parameters
    ----------
    stabilized : ndarray
        Mean values of the transform; any shape.
    read_noise : float
        Variance in photons^2.

    Returns
    -------
    ndarray
        Photons, at least 0.
    """
    # The error of the closed form falls with the square of the mean and is 1e-4 photons
    # at the end of the table. Makitalo and Foi's form has more terms, to fit low means,
    # and an error of 9e-3 photons there.
    root = np.maximum(stabilized, 0.0) / 2.0
    closed = np.maximum(np.square(root) - 0.125 - read_noise, 0.0)
    if read_noise > _CLOSED_FORM_ABOVE:
        return closed
    transformed, means = _table(read_noise)
    within = np.interp(stabilized, transformed, means)
    return np.where(stabilized > transformed[-1], closed, within)


@lru_cache(maxsize=16)
def _table(read_noise: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return ascending means of the transform and the mean photon counts for them.

    Parameters
    ----------
    read_noise : float
        Variance in photons^2.
    """
    # Evenly spaced in the square root, like the transform: dense near 0.
    means = np.square(np.linspace(0.0, math.sqrt(_LAST_MEAN), _TABLE_SIZE))
    counts = np.arange(_LAST_MEAN + 12.0 * math.sqrt(_LAST_MEAN))
    logs = special.xlogy(counts, means[:, None]) - special.gammaln(counts + 1.0)
    chances = np.exp(logs - means[:, None])
    transformed = chances @ _mean_root(counts, read_noise)
    for array in (transformed, means):
        array.setflags(write=False)  # the cache returns the same arrays to all callers
    return transformed, means


def _mean_root(counts: NDArray[np.float64], read_noise: float) -> NDArray[np.float64]:
    """Return the transform of each count, averaged over the read noise.

    The mean square root of a normal variable truncated at 0 is a parabolic cylinder
    function (Gradshteyn and Ryzhik, 3.462.1). Gauss-Hermite quadrature suffers from
    the truncation: with 40 nodes its error is 0.01.

    Parameters
    ----------
    counts : ndarray
        Photons.
    read_noise : float
        Variance in photons^2.
    """
    spread = math.sqrt(read_noise)
    if spread < 1e-6:  # its effect on the mean root is about its square
        return _root(counts + read_noise)
    heights = (counts + 0.375 + read_noise) / spread  # above the cut-off, in SDs
    low, high = np.minimum(heights, _SERIES_ABOVE), np.maximum(heights, _SERIES_ABOVE)
    exact = special.pbdv(-1.5, -low)[0] * np.exp(-np.square(low / 2.0)) / math.sqrt(8.0)
    series = np.sqrt(high) * (1.0 - 1.0 / (8.0 * high**2) - 15.0 / (128.0 * high**4))
    roots = np.where(heights < _SERIES_ABOVE, exact, series)
    return np.asarray(2.0 * math.sqrt(spread) * roots, dtype=np.float64)
