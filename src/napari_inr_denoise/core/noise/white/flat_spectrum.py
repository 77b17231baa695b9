"""Planes whose noise a filter has correlated: the filter is taken back.

The spectrum of the noise is that of the filter: of a blur, a shift by parts of a
pixel, a deconvolution or the reconstruction of structured illumination. Divided by its
root, the noise is white, and the structure is that before the filter.

The noise of the last two oscillates with the distance. Pixels far away tell it, and no
blind spot hides them all.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates, uniform_filter

from napari_inr_denoise.core.noise.correlated.fine_spectrum import (
    COUNT,
    TOLD,
    fine_spectrum,
    told_from_outside,
)
from napari_inr_denoise.core.noise.correlated.spectrum import rises
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.noise.white.white_plane import (
    WhitePlane,
    divided,
    filled,
    may_be_transformed,
    transformed,
)

_Spectrum = NDArray[np.float64]
_NOT_WHITE = 0.01
"""Share of the noise of a transformed pixel that its neighbours tell, as the spectrum
is not exact. With 0.03, errors on blurred and moved planes are told 1.2 times too
large; with 0, 0.8 times."""
_SMALLEST = 48
"""Smallest side of a plane, in pixels. With 24 and 32 pixels, results had more noise
than the input in single draws, and the error was told as a third of that."""
_LEAST_POWER = 0.02
"""Smallest power that is divided by, over that of nearly all frequencies. Below it,
white noise is added until the power is level."""
_MOST = 0.95
"""The share of the frequencies whose power is below this one."""
_MEAN_SIDE = 7
"""Side, in pixels, of the window of the local intensity, which sets the added noise."""
_TINY = 1e-12


def blind_spot_fails(problem: NoisyPlane) -> bool:
    """Return whether a blind spot is of no use for a plane.

    Pixels outside of it tell the noise; or the plane was sharpened, and the pixels that
    it hides hold the opposite of a pixel's noise.

    Parameters
    ----------
    problem : NoisyPlane
        The noisy plane and its noise. False where its noise is white.
    """
    powers = [one.power_kk for one in problem.curves if one.power_kk is not None]
    if any(rises(one) for one in powers):
        return True
    known = [fine_spectrum(one) for one in powers]
    shares = [told_from_outside(one, problem.blind_radius) for one in known]
    return bool(shares) and float(np.mean(shares)) >= TOLD


def flat_spectrum(problem: NoisyPlane) -> WhitePlane | None:
    """Return a plane with noise of the same power at all frequencies.

    Parameters
    ----------
    problem : NoisyPlane
        The noisy plane and its noise.

    Returns
    -------
    WhitePlane or None
        None for white noise, and for tiny planes.
    """
    shape_yx = problem.fitted_yx.shape
    if min(shape_yx) < _SMALLEST or not may_be_transformed(problem):
        return None
    spectra = _spectra(problem)
    if all(one is None for one in spectra):
        return None
    # One that is not known is taken to be that of the others.
    mean = np.mean([one for one in spectra if one is not None], axis=0)
    of_each = [mean if one is None else one for one in spectra]
    plane_yxs = filled(problem)
    spectrum = np.stack([_at_frequencies(one, shape_yx) for one in of_each], axis=-1)
    least = _LEAST_POWER * np.quantile(spectrum, _MOST, axis=(0, 1))
    power = np.maximum(spectrum, least)
    added = _white_noise(problem, plane_yxs) * np.sqrt(power[0, 0])
    added = divided(added, 1 / np.sqrt(1 - spectrum / power + _TINY))
    amplitude = np.sqrt(power / power[0, 0])
    values = divided(plane_yxs, amplitude) + added
    white = transformed(problem, values)
    if not white.noise.sigma > 0:
        return None
    return WhitePlane(white, shape_yx, amplitude, told=_NOT_WHITE)


def _spectra(problem: NoisyPlane) -> list[_Spectrum | None]:
    """Return the spectrum of each sample's noise; None if it is not known."""
    powers = [curve.power_kk for curve in problem.curves]
    return [None if one is None else fine_spectrum(one) for one in powers]


def _at_frequencies(
    spectrum: NDArray[np.float64], shape_yx: tuple[int, int]
) -> NDArray[np.float64]:
    """Return the spectrum at the cosine frequencies of a plane."""
    places = np.meshgrid(
        *(np.arange(size) * COUNT / size - 0.5 for size in shape_yx), indexing="ij"
    )
    logs = np.log(np.maximum(spectrum, _TINY))
    return np.asarray(np.exp(map_coordinates(logs, places, order=1, mode="nearest")))


def _white_noise(
    problem: NoisyPlane, plane_yxs: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return white noise with the local variance of the noise; always the same."""
    smooth = uniform_filter(plane_yxs, (_MEAN_SIDE, _MEAN_SIDE, 0))
    deviation = np.sqrt(problem.variance(smooth))
    return np.random.default_rng(0).normal(scale=deviation)
