"""A plane that was transformed so that its correlated noise is white.

The transform keeps the lowest cosine frequencies, all or a part of them, and divides
each by an amplitude. The result of the transformed plane is multiplied by the same
amplitudes, and has the grid of the plane again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn, idctn
from scipy.ndimage import (
    distance_transform_edt,
    gaussian_filter,
    map_coordinates,
    uniform_filter,
)

from napari_inr_denoise.core.noise.correlated.fine_spectrum import told_share
from napari_inr_denoise.core.noise.correlated.spectrum import NoiseSpectrum
from napari_inr_denoise.core.noise.estimate import examine_white
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane

_MOST_MISSING = 0.01
"""Largest share of pixels without a value, which are filled in from those around."""
_WIDTH = 2.0
"""Standard deviation, in frequencies, of the blur of the power of a result."""
_TINY = float(np.finfo(float).tiny)


@dataclass(frozen=True)
class WhitePlane:
    """A transformed plane whose noise is white.

    Attributes
    ----------
    problem : NoisyPlane
        The transformed plane and its noise, in the image's units.
    shape_yx : tuple of int
        Rows and columns of the plane itself.
    amplitude_yxs : ndarray or None
        Amplitude of each frequency, of the shape of the transformed plane; it is 1 for
        the mean. None for 1 everywhere.
    told : float
        Share of the noise variance of a transformed pixel that the pixels around it
        tell, as the noise is not quite white. A network takes that share for structure.
    """

    problem: NoisyPlane = field(repr=False)
    shape_yx: tuple[int, int]
    amplitude_yxs: NDArray[np.float64] | None = field(default=None, repr=False)
    told: float = 0.0

    def restored(self, plane_yxs: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return a result of the transformed plane as one of the plane itself.

        Parameters
        ----------
        plane_yxs : ndarray, shape (rows, columns, samples)
            The result, in the image's units.

        Returns
        -------
        ndarray of float32, shape (Y, X, samples)
            In the image's units.
        """
        waves = _waves(plane_yxs)
        if self.amplitude_yxs is not None:
            waves *= self.amplitude_yxs
        return _of_waves(waves, self.shape_yx).astype(np.float32)

    def restored_std(
        self, std_yxs: NDArray[np.floating], result_yxs: NDArray[np.floating]
    ) -> NDArray[np.float32]:
        """Return standard deviations of a result, interpolated linearly.

        The part of the noise that is not white is added.

        Parameters
        ----------
        std_yxs, result_yxs : ndarray, shape (rows, columns, samples)
            Standard deviations and result of the transformed plane, in the image's
            units.
        """
        told_yxs = np.sqrt(self.told * self.problem.variance(result_yxs))
        std_yxs = np.hypot(std_yxs, told_yxs)
        places = np.meshgrid(
            *(
                (np.arange(size) + 0.5) * coarse / size - 0.5
                for size, coarse in zip(self.shape_yx, std_yxs.shape[:2], strict=True)
            ),
            indexing="ij",
        )
        samples = [
            map_coordinates(std_yxs[..., k], places, order=1, mode="nearest")
            for k in range(std_yxs.shape[-1])
        ]
        stack = np.stack(samples, axis=-1) * self._growth(result_yxs)
        return stack.astype(np.float32)

    def restored_error(
        self, error: float | None, result_yxs: NDArray[np.floating]
    ) -> float | None:
        """Return the error of a result, from that of the transformed plane.

        The part of the noise that is not white is added.

        Parameters
        ----------
        error : float or None
            Root mean square error of the transformed plane, in the image's units.
        result_yxs : ndarray, shape (rows, columns, samples)
            Its result, in the image's units.
        """
        if error is None:
            return None
        growth = math.sqrt(float(np.mean(np.square(self._growth(result_yxs)))))
        return growth * math.hypot(
            error, math.sqrt(self.told) * self.problem.noise.sigma
        )

    def _growth(self, result_yxs: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the factors by which the amplitudes change errors, one per sample.

        At each frequency, the square of the error is taken to be in proportion to the
        share of the power that the result keeps.
        """
        samples = result_yxs.shape[-1]
        if self.amplitude_yxs is None:
            return np.ones(samples)
        before, after = (
            gaussian_filter(np.square(_waves(one)), (_WIDTH, _WIDTH, 0))
            for one in (self.problem.plane_yxs, result_yxs)
        )
        shares = np.minimum(after / np.maximum(before, _TINY), 1.0)
        grown = (np.square(self.amplitude_yxs) * shares).sum(axis=(0, 1))
        return np.asarray(np.sqrt(grown / np.maximum(shares.sum(axis=(0, 1)), _TINY)))


def may_be_transformed(problem: NoisyPlane) -> bool:
    """Return whether a plane has one correlated noise, and few missing pixels."""
    missing = 1 - float(problem.fitted_yx.mean())
    correlated = problem.noise.correlated and not problem.regions
    return correlated and missing <= _MOST_MISSING


def transformed(problem: NoisyPlane, values_yxs: NDArray[np.float64]) -> NoisyPlane:
    """Return a plane with other values, whose noise is white.

    Parameters
    ----------
    problem : NoisyPlane
        The plane itself.
    values_yxs : ndarray, shape (rows, columns, samples)
        The values, in the image's units.
    """
    rows, columns, _ = values_yxs.shape
    known = np.ones((rows, columns), dtype=bool)
    noise, curves = examine_white(values_yxs, known)
    (height, width), before = problem.spacing_yx, problem.plane_yxs.shape
    spacing_yx = height * before[0] / rows, width * before[1] / columns
    return replace(
        problem,
        plane_yxs=values_yxs,
        valid_yx=known,
        fitted_yx=known,
        noise=noise,
        curves=curves,
        spacing_yx=spacing_yx,
        structured_yxs=None,
        compressed_yxs=None,
        fill_share=0.0,
        original=None,
    )


def told_by_neighbours(spectra: Sequence[NoiseSpectrum]) -> float:
    """Return the share of a pixel's noise variance that the eight around it tell.

    Structure that is left in the spectra adds to it.

    Parameters
    ----------
    spectra : sequence of NoiseSpectrum
        One per sample, at least one.
    """
    lags = range(3)
    shares = [
        told_share(
            np.array([[one.correlation(y, x) for x in lags] for y in lags]), 1, 0
        )
        for one in spectra
    ]
    return float(np.mean(shares))


def resampled(
    plane_yxs: NDArray[np.floating], shape_yx: tuple[int, ...]
) -> NDArray[np.float64]:
    """Return a plane of another shape with the same cosine frequencies.

    Frequencies that the new shape does not have are left out. The mean stays as it is.

    Parameters
    ----------
    plane_yxs : ndarray, shape (Y, X, samples)
        Intensities, in the image's units.
    shape_yx : tuple of int
        Rows and columns of the new plane.
    """
    return _of_waves(_waves(plane_yxs), shape_yx)


def divided(
    plane_yxs: NDArray[np.floating], amplitude_yxs: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return a plane with each cosine frequency divided by its amplitude.

    Parameters
    ----------
    plane_yxs, amplitude_yxs : ndarray, shape (Y, X, samples)
        Intensities, in the image's units; amplitudes of the frequencies, above 0.
    """
    return _of_waves(_waves(plane_yxs) / amplitude_yxs, plane_yxs.shape[:2])


def filled(problem: NoisyPlane) -> NDArray[np.float64]:
    """Return the plane with values for pixels that are not fitted, (Y, X, samples).

    A pixel gets the mean around the nearest one that is fitted.
    """
    plane_yxs, known_yx = problem.plane_yxs, problem.fitted_yx
    if known_yx.all():
        return plane_yxs
    counts = known_yx[..., None].astype(np.float64)
    sums, weights = (
        uniform_filter(one, (3, 3, 0)) for one in (plane_yxs * counts, counts)
    )
    nearest = distance_transform_edt(
        ~known_yx, return_distances=False, return_indices=True
    )
    around = (sums / np.maximum(weights, np.finfo(float).eps))[tuple(nearest)]
    return np.where(known_yx[..., None], plane_yxs, around)


def _waves(plane_yxs: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the cosine transform along both axes."""
    waves = dctn(plane_yxs.astype(np.float64), axes=(0, 1), norm="ortho")
    return np.asarray(waves)


def _of_waves(
    waves: NDArray[np.float64], shape_yx: tuple[int, ...]
) -> NDArray[np.float64]:
    """Return the plane of cosine frequencies, on a grid of another shape."""
    height, width = (min(pair) for pair in zip(waves.shape, shape_yx, strict=False))
    found = np.zeros((*shape_yx, waves.shape[-1]))
    found[:height, :width] = waves[:height, :width]
    found *= np.sqrt(found.size / waves.size)
    return np.asarray(idctn(found, axes=(0, 1), norm="ortho"))
