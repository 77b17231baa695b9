"""Kinds of noise that are not textbook, each on a plane whose truth is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import convolve, convolve1d, gaussian_filter, median_filter

from tests.phantoms import (
    Array,
    camera,
    deconvolved,
    enlarged,
    filaments,
    interpolated,
    line_averaged,
    sharpened,
    spots,
    with_blurred_noise,
)


@dataclass(frozen=True)
class Case:
    """A noisy plane and its truth.

    Attributes
    ----------
    truth, noisy : ndarray, shape (Y, X)
        Intensities in arbitrary units, the same in both.
    counted : ndarray of bool, shape (Y, X), or None
        Pixels whose error counts; None for all.
    pixel_noise : ndarray, shape (Y, X), or None
        Noise without that of lines and without hot pixels; None if there are none.
    """

    truth: Array
    noisy: Array
    counted: NDArray[np.bool_] | None = None
    pixel_noise: Array | None = None


Make = Callable[[Array, np.random.Generator], Case]
"""From a base, a plane from 0 to 1, and a generator to a case."""
Filter = Callable[[Array], Array]


@dataclass(frozen=True)
class Kind:
    """A kind of noise, and what is asked of a result.

    Attributes
    ----------
    limit : float
        Largest error of a result over that of the best plain filter. For a sparse
        plane, over that of the noisy plane: a filter can do little there.
    make : callable
        Makes a case from a base.
    sparse : bool
        Whether the plane is dark with few bright structures, whatever the base.
    white : float
        Percentile of the truth that pictures show as white.
    """

    limit: float
    make: Make
    sparse: bool = False
    white: float = 99.7


def _photons(base: Array) -> Array:
    return base * 60 + 2


def _columns(plane: Array) -> NDArray[np.intp]:
    """Return the number of the column at every pixel."""
    return np.indices(plane.shape)[1]


def _textbook(base: Array, rng: np.random.Generator) -> Case:
    truth = _photons(base)
    return Case(truth, camera(truth, rng))


def _correlated(base: Array, rng: np.random.Generator, width: float) -> Case:
    truth = _photons(base)
    return Case(truth, with_blurred_noise(truth, width, rng))


def _upsampled(base: Array, rng: np.random.Generator, order: int) -> Case:
    small = _photons(base[::2, ::2])
    return Case(enlarged(small, order), enlarged(camera(small, rng), order))


def _demosaicked(base: Array, rng: np.random.Generator) -> Case:
    """Every other pixel was measured, as the green ones of a Bayer pattern."""
    truth = _photons(base)
    seen = np.indices(truth.shape).sum(axis=0) % 2 == 1
    weights = np.array([[0, 1, 0], [1, 4, 1], [0, 1, 0]]) / 4
    return Case(truth, convolve(camera(truth, rng) * seen, weights, mode="mirror"))


def _line_averaged(base: Array, rng: np.random.Generator) -> Case:
    truth = _photons(base)
    return Case(truth, line_averaged(camera(truth, rng)))


def _deconvolved(
    base: Array, rng: np.random.Generator, limit: float, width: float, least: float
) -> Case:
    """A blur was taken back up to a limit, and values below the least one cut off."""
    blurred = gaussian_filter(_photons(base), 1 / (np.sqrt(2) * np.pi * width))
    pair = (deconvolved(one, limit, width) for one in (blurred, camera(blurred, rng)))
    return Case(*(np.maximum(one, least) for one in pair))


def _filtered(base: Array, rng: np.random.Generator, by: Filter) -> Case:
    truth = _photons(base)
    return Case(by(truth), by(camera(truth, rng)))


def _white_on_top(base: Array, rng: np.random.Generator, filtered: Filter) -> Case:
    """White noise was added after a filter, as by the read-out of a camera."""
    truth = filtered(_photons(base))
    noisy = filtered(camera(_photons(base), rng))
    white = 0.6 * (noisy - truth).std()
    return Case(truth, noisy + rng.normal(0, white, truth.shape))


def _blurred(plane: Array) -> Array:
    return np.asarray(gaussian_filter(plane, 0.8))


def _trailing(plane: Array) -> Array:
    """Each pixel of a line keeps light of those before it."""
    kernel = np.exp(-np.arange(6) / 1.2)
    return np.asarray(convolve1d(plane, kernel / kernel.sum(), axis=1, origin=-2))


def _interference(base: Array, rng: np.random.Generator) -> Case:
    truth = _photons(base)
    rows, columns = np.indices(truth.shape)
    wave = 4 * np.sin(2 * np.pi * (0.13 * rows + 0.21 * columns))
    noisy = camera(truth, rng)
    return Case(truth, noisy + wave, pixel_noise=noisy - truth)


def _line_noise(base: Array, rng: np.random.Generator, axis: int) -> Case:
    truth = _photons(base)
    lines = np.expand_dims(rng.normal(0, 2.5, truth.shape[axis]), 1 - axis)
    noisy = camera(truth, rng)
    return Case(truth, noisy + lines, pixel_noise=noisy - truth)


def _hot_column(base: Array, rng: np.random.Generator) -> Case:
    truth = _photons(base)
    hot = _columns(truth) == truth.shape[1] // 4
    return Case(truth, camera(truth, rng) + 300 * hot, ~hot)


def _jpeg(base: Array, rng: np.random.Generator) -> Case:
    truth = _photons(base) * 2.5
    grey = np.clip(camera(_photons(base), rng) * 2.5, 0, 255).astype(np.uint8)
    file = BytesIO()
    Image.fromarray(grey).save(file, "JPEG", quality=50)
    return Case(truth, np.asarray(Image.open(file), dtype=float))


def _hot_clusters(base: Array, rng: np.random.Generator) -> Case:
    truth = _photons(base)
    noisy = camera(truth, rng)
    noise = noisy - truth
    for side, count in ((1, 12), (2, 6), (3, 4)):
        for _ in range(count):
            top, left = (rng.integers(2, size - 6) for size in truth.shape)
            noisy[top : top + side, left : left + side] = rng.uniform(150, 400)
    return Case(truth, noisy, pixel_noise=noise)


def _one_bright_cell(base: Array, rng: np.random.Generator) -> Case:
    size = len(base)
    rows, columns = np.indices(base.shape) - 0.31 * size
    distance = np.hypot(rows, columns) / (0.12 * size)
    truth = base * 30 + 2 + 5000 / (1 + np.exp((distance - 1) * 10))
    return Case(truth, camera(truth, rng))


def _padded(base: Array, rng: np.random.Generator, share: float) -> Case:
    """The left part is 0, as beside an image that was moved or rotated."""
    truth = _photons(base)
    counted = _columns(truth) >= share * truth.shape[1]
    noisy = np.round(camera(truth, rng))
    return Case(
        np.where(counted, truth + 10, 0), np.where(counted, noisy + 10, 0), counted
    )


def _two_noise_levels(base: Array, rng: np.random.Generator) -> Case:
    truth = _photons(base)
    levels = np.where(_columns(truth) < truth.shape[1] // 2, 20.0, 2.0)
    return Case(truth, truth + rng.normal(0, levels))


def _two_exposures(base: Array, rng: np.random.Generator) -> Case:
    """The right half has twenty times the photons, scaled to the left one's."""
    truth = _photons(base)
    exposure = np.where(_columns(truth) < truth.shape[1] // 2, 1, 20)
    return Case(truth, rng.poisson(truth * exposure) / exposure)


def _illumination_corrected(base: Array, rng: np.random.Generator) -> Case:
    """The corners got a fifth of the light, and were multiplied to make up for it."""
    truth = _photons(base)
    rows, columns = np.indices(truth.shape) / (len(truth) - 1) - 0.5
    light = np.exp(-3.2 * (rows**2 + columns**2))
    return Case(truth, camera(truth * light, rng) / light)


def _noise_ramp(base: Array, rng: np.random.Generator) -> Case:
    truth = _photons(base)
    levels = 2 + 10 * _columns(truth) / truth.shape[1]
    return Case(truth, truth + rng.normal(0, levels))


def _background_subtracted(base: Array, rng: np.random.Generator) -> Case:
    """An offset too large was subtracted: most pixels are exactly 0."""
    noisy = np.round(camera(base * 36 + 10, rng, read_noise=3) - 18)
    return Case(np.maximum(base * 36 - 8, 0), np.maximum(noisy, 0))


def _cut_off(base: Array, rng: np.random.Generator) -> Case:
    """The background was subtracted; half of its noise is cut off."""
    truth = base * 300
    return Case(truth, np.maximum(camera(truth + 20, rng) - 20, 0))


def _saturated(base: Array, rng: np.random.Generator) -> Case:
    truth = _photons(base)
    noisy = np.round(camera(truth, rng))
    return Case(np.minimum(truth, 25), np.minimum(noisy, 25))


def _counts(base: Array, rng: np.random.Generator) -> Case:
    """Half a photon in the mean."""
    truth = base / base.mean() * 0.5
    return Case(truth, rng.poisson(truth).astype(float))


def _spots(
    base: Array, rng: np.random.Generator, width: float, background: float
) -> Case:
    truth = spots(len(base), width, background, (10, 20, 50, 100, 200))
    return Case(truth, camera(truth, rng, read_noise=1))


def _filaments(base: Array, rng: np.random.Generator, background: float) -> Case:
    truth = filaments(len(base), background)
    return Case(truth, camera(truth, rng, read_noise=1))


KINDS = {
    "textbook": Kind(0.9, _textbook),
    "correlated-0.6": Kind(1.0, partial(_correlated, width=0.6)),
    "correlated-1.0": Kind(1.0, partial(_correlated, width=1.0)),
    "correlated-1.5": Kind(1.05, partial(_correlated, width=1.5)),
    "upsampled-linear": Kind(1.0, partial(_upsampled, order=1)),
    "upsampled-cubic": Kind(1.0, partial(_upsampled, order=3)),
    "registered": Kind(1.0, partial(_filtered, by=interpolated)),
    "demosaicked": Kind(1.0, _demosaicked),
    "line-averaged": Kind(1.0, _line_averaged),
    "deconvolved": Kind(
        1.0, partial(_deconvolved, limit=0.35, width=0.18, least=-np.inf)
    ),
    "band-limited": Kind(1.0, partial(_deconvolved, limit=0.25, width=0.13, least=0)),
    "blurred-and-white": Kind(1.0, partial(_white_on_top, filtered=_blurred)),
    "trailing-and-white": Kind(1.0, partial(_white_on_top, filtered=_trailing)),
    "sharpened": Kind(1.0, partial(_filtered, by=sharpened)),
    "median-filtered": Kind(1.0, partial(_filtered, by=partial(median_filter, size=3))),
    "row-noise": Kind(0.9, partial(_line_noise, axis=0)),
    "column-pattern": Kind(0.9, partial(_line_noise, axis=1)),
    "interference": Kind(0.9, _interference),
    "hot-column": Kind(1.0, _hot_column),
    "jpeg-50": Kind(1.0, _jpeg),
    "hot-clusters": Kind(1.0, _hot_clusters),
    "one-bright-cell": Kind(0.7, _one_bright_cell, white=85),
    "padded-10": Kind(0.95, partial(_padded, share=0.1)),
    "padded-50": Kind(0.95, partial(_padded, share=0.5)),
    "two-noise-levels": Kind(0.8, _two_noise_levels),
    "two-exposures": Kind(0.9, _two_exposures),
    "illumination-corrected": Kind(0.95, _illumination_corrected),
    "noise-ramp": Kind(0.85, _noise_ramp),
    "background-subtracted": Kind(1.0, _background_subtracted),
    "cut-off": Kind(0.9, _cut_off),
    "saturated": Kind(0.95, _saturated),
    "counts": Kind(1.0, _counts),
    "spots-0.8-2": Kind(0.7, partial(_spots, width=0.8, background=2), True, 99),
    "spots-0.8-20": Kind(0.7, partial(_spots, width=0.8, background=20), True, 99),
    "spots-1.2-2": Kind(0.6, partial(_spots, width=1.2, background=2), True, 99),
    "spots-1.2-20": Kind(0.5, partial(_spots, width=1.2, background=20), True, 99),
    "filaments-2": Kind(0.35, partial(_filaments, background=2), True, 99),
    "filaments-20": Kind(0.33, partial(_filaments, background=20), True, 99),
}
"""The kinds by name. The numbers in a name are the blur's width in pixels; the padded
share in percent; JPEG's quality; the spots' width and background; the filaments'
background in photons."""


def case_of(name: str, base: Array, seed: int) -> Case:
    """Return the case of a kind on a base; each has a generator of its own."""
    case = KINDS[name].make(base, np.random.default_rng(seed))
    # A file's digits.
    return replace(case, noisy=case.noisy.astype(np.float32).astype(float))
