"""The noise level of one image, estimated from the image alone."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from napari_inr_denoise.core.arrays import check_image, to_floats
from napari_inr_denoise.core.axes import planes_of, resolve_axes

PATCH_SIDE = 8
PATCH_STRIDE = 3
CORRELATED_ABOVE = 1.8
"""Sub-lattice over plain estimate above which the noise counts as correlated.

Measured on the FMD set: 2.4 to 3.1 on wide-field images, whose noise is correlated
between neighbours, and at most 1.26 on all others.
"""
_PATCHES_PER_VALUE = (10, 2)
"""Patches per value in one that are wanted, and that will do in a tiny plane.

With few patches the spread of the eigenvalues pulls the estimate down: with 2 per
value by up to 40 %, with 10 by at most 7 %.
"""
_COPIES_BELOW = 0.1
"""Joint over separate estimate below which samples are copies of each other."""


@dataclass(frozen=True)
class NoiseModel:
    """What is known of the noise of an image.

    Attributes
    ----------
    sigma : float
        Standard deviation of the noise, in the image's own intensity units. Where
        the noise grows with the signal it is the root mean square over the image.
    correlated : bool
        Whether the noise of neighbouring pixels is correlated. `sigma` then comes
        from the sub-lattices of every second pixel.
    sigma_neighbours : float
        The plain estimate, which correlation between neighbours pulls down; equal to
        `sigma` where the noise is not correlated.
    """

    sigma: float
    correlated: bool
    sigma_neighbours: float

    def to_dict(self) -> dict[str, float | bool | None]:
        """Return plain values, ready for JSON; None for what is not known."""
        return {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in asdict(self).items()
        }

    def describe(self) -> str:
        """Return the noise model as a sentence for users."""
        if math.isnan(self.sigma):
            return "Too few valid pixels to estimate the noise."
        if self.sigma == 0:
            return "No noise was found."
        if self.correlated:
            return (
                f"Noise level {self.sigma:.4g}, correlated between neighbouring "
                "pixels (estimated on every second pixel)."
            )
        return f"Noise level {self.sigma:.4g}."


def estimate_noise(image: ArrayLike, axes: str | None = None) -> NoiseModel:
    """Estimate the noise of a plane or a stack.

    Parameters
    ----------
    image : array_like
        Real numbers; any shape that `axes` describes. Pixels that are not finite
        are left out.
    axes : str, optional
        One letter per dimension out of T, C, Z, Y, X, S (S: RGB samples); the last
        of "TCZYX" when omitted.

    Returns
    -------
    NoiseModel
        In the image's own intensity units. Of a stack: the root mean square of its
        planes' levels where they are known, correlated if most of these planes are.

    Raises
    ------
    TypeError, ValueError
        If the image is complex, empty, or does not fit `axes`.
    """
    return combine_noise([model for _, model in noise_of_planes(image, axes)])


def noise_of_planes(
    image: ArrayLike, axes: str | None = None
) -> list[tuple[dict[str, int], NoiseModel]]:
    """Return the index and the noise of each plane; see `estimate_noise`."""
    array = np.asarray(image)
    axes = resolve_axes(array.ndim, axes)
    check_image(array)
    models = []
    for plane in planes_of(axes, array.shape):
        values, finite = to_floats(plane.colours_yxs(array[plane.selection]))
        valid = np.asarray(finite.all(axis=-1))
        models.append((plane.index, plane_noise(values, valid)))
    return models


def combine_noise(models: list[NoiseModel]) -> NoiseModel:
    """Return the noise of a stack from that of its planes.

    Parameters
    ----------
    models : list of NoiseModel
        At least one; those whose level is not known don't count.

    Returns
    -------
    NoiseModel
        See `estimate_noise`.
    """
    known = [model for model in models if not math.isnan(model.sigma)]
    if not known:
        return models[0]

    def level(values: list[float]) -> float:
        return float(np.sqrt(np.mean(np.square(values))))

    return NoiseModel(
        sigma=level([model.sigma for model in known]),
        correlated=sum(model.correlated for model in known) * 2 > len(known),
        sigma_neighbours=level([model.sigma_neighbours for model in known]),
    )


def plane_noise(
    plane_yxc: NDArray[np.floating], valid_yx: NDArray[np.bool_]
) -> NoiseModel:
    """Estimate the noise of one plane, correlated or not.

    Parameters
    ----------
    plane_yxc : ndarray, shape (Y, X, samples)
        Intensities; the values at invalid pixels are ignored.
    valid_yx : ndarray of bool, shape (Y, X)
        Which pixels count.

    Returns
    -------
    NoiseModel
        `sigma` is NaN where too little of the image is valid to tell.
    """
    plain = _level(plane_yxc, valid_yx)
    halves = [
        _level(plane_yxc[row::2, column::2], valid_yx[row::2, column::2])
        for row in range(min(2, plane_yxc.shape[0]))
        for column in range(min(2, plane_yxc.shape[1]))
    ]
    spread = float(np.sqrt(np.mean(np.square(halves))))  # NaN if a half is too small
    if plain > 0 and spread > CORRELATED_ABOVE * plain:
        return NoiseModel(spread, correlated=True, sigma_neighbours=plain)
    return NoiseModel(plain, correlated=False, sigma_neighbours=plain)


def _level(plane_yxc: NDArray[np.floating], valid_yx: NDArray[np.bool_]) -> float:
    """Return Chen's estimate; of each sample by itself where they are copies.

    Grey images are often stored as RGB: their patches, samples joined, have
    eigenvalues of zero however noisy they are.
    """
    joint = chen_sigma(plane_yxc, valid_yx)
    samples = plane_yxc.shape[-1]
    if samples == 1:
        return joint
    single = [chen_sigma(plane_yxc[..., [k]], valid_yx) for k in range(samples)]
    apart = float(np.sqrt(np.mean(np.square(single))))
    copies = math.isnan(joint) or joint < _COPIES_BELOW * apart
    return apart if copies else joint


def chen_sigma(plane_yxc: NDArray[np.floating], valid_yx: NDArray[np.bool_]) -> float:
    """Estimate the level of white noise from the eigenvalues of patch covariance.

    Chen, Zhu, Heng, "An Efficient Statistical Method for Image Noise Level
    Estimation", ICCV 2015: clean patches lie in a subspace, so the smallest
    eigenvalues of their covariance are the noise variance. The largest set of small
    eigenvalues whose mean equals their median is taken.

    Patches are 8x8, or as much smaller as a small image asks for, so that there are
    ten times as many patches as values in one (or, failing that, twice as many).

    Parameters
    ----------
    plane_yxc : ndarray, shape (Y, X, samples)
        Intensities.
    valid_yx : ndarray of bool, shape (Y, X)
        Patches with an invalid pixel are left out.

    Returns
    -------
    float
        Standard deviation in the image's units; NaN where no patch size fits.
    """
    for wanted in _PATCHES_PER_VALUE:
        for side in range(PATCH_SIDE, 1, -1):
            eigenvalues, patches = _eigenvalues(plane_yxc, valid_yx, side)
            if patches >= wanted * max(len(eigenvalues), 2):
                return _noise_of_eigenvalues(eigenvalues)
    return math.nan


def _eigenvalues(
    plane_yxc: NDArray[np.floating], valid_yx: NDArray[np.bool_], side: int
) -> tuple[NDArray[np.float64], int]:
    """Return the ascending eigenvalues of the covariance of patches, and their number.

    The covariance is added up over rows of patches, for all patches at once would
    take many times the plane's memory. Patches with an invalid pixel are left out.
    """
    height, width, samples = plane_yxc.shape
    rows, columns = min(side, height), min(side, width)
    across = _positions(width, columns)
    windows = sliding_window_view(plane_yxc, (rows, columns, samples))
    whole = sliding_window_view(valid_yx, (rows, columns))
    values = rows * columns * samples
    # Near the mean nothing is lost when squares of sums are subtracted.
    offset = float(plane_yxc[valid_yx].mean()) if valid_yx.any() else 0.0
    products, total, count = np.zeros((values, values)), np.zeros(values), 0
    for row in _positions(height, rows):
        complete = across[whole[row, across].all(axis=(-1, -2))]
        patches = windows[row, complete].reshape(-1, values) - offset
        products += patches.T @ patches
        total += patches.sum(axis=0)
        count += len(patches)
    if count == 0:
        return np.zeros(values), 0
    mean = total / count
    covariance = products / count - np.outer(mean, mean)
    return np.linalg.eigvalsh(covariance).astype(np.float64), count


def _positions(length: int, side: int) -> NDArray[np.intp]:
    """Return the first pixels of the patches along one axis, the last one included."""
    last = length - side
    return np.unique(np.append(np.arange(0, last + 1, PATCH_STRIDE), last))


def _noise_of_eigenvalues(ascending: NDArray[np.float64]) -> float:
    """Return sigma from the largest prefix whose mean is its median."""
    for count in range(len(ascending), 1, -1):
        smallest = ascending[:count]
        mean = smallest.mean()
        if np.sum(smallest > mean) == np.sum(smallest < mean):
            break
    else:
        mean = ascending[0]
    return math.sqrt(max(float(mean), 0.0))
