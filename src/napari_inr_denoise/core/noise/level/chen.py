"""White noise level from the eigenvalues of patch covariance (Chen, ICCV 2015)."""

from __future__ import annotations

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

PATCH_SIDE = 8
PATCH_STRIDE = 3
_PATCHES_PER_VALUE = (10, 2)
"""Patches per value of a patch: the wanted number, and the minimum for tiny planes.

With few patches the eigenvalues spread and the estimate is too low: by up to 40 % with
2 patches per value, by at most 7 % with 10.
"""
_COPIES_BELOW = 0.1
"""Joint over separate estimate below which samples count as copies of each other."""


def plane_level(plane_yxs: NDArray[np.floating], valid_yx: NDArray[np.bool_]) -> float:
    """Return Chen's estimate, from separate samples if they are copies.

    Grey images are often stored as RGB. Patches of all three samples then have
    eigenvalues of zero at any noise level.

    Parameters, units and result are those of `chen_sigma`.
    """
    joint = chen_sigma(plane_yxs, valid_yx)
    samples = plane_yxs.shape[-1]
    if samples == 1:
        return joint
    single = [chen_sigma(plane_yxs[..., [k]], valid_yx) for k in range(samples)]
    apart = float(np.sqrt(np.mean(np.square(single))))
    copies = math.isnan(joint) or joint < _COPIES_BELOW * apart
    return apart if copies else joint


def chen_sigma(plane_yxs: NDArray[np.floating], valid_yx: NDArray[np.bool_]) -> float:
    """Estimate the white noise level from the eigenvalues of patch covariance.

    Chen, Zhu, Heng, "An Efficient Statistical Method for Image Noise Level
    Estimation", ICCV 2015: clean patches lie in a subspace, so the smallest
    eigenvalues of the covariance equal the noise variance. The estimate is the mean of
    the largest set of small eigenvalues whose mean equals its median.

    Patches are 8x8, or smaller in a small image, so that there are ten times as many
    patches as values in a patch, or at least twice as many.

    Parameters
    ----------
    plane_yxs : ndarray, shape (Y, X, samples)
        Intensities.
    valid_yx : ndarray of bool, shape (Y, X)
        Patches with an invalid pixel are left out.

    Returns
    -------
    float
        Standard deviation in the image's units; NaN if no patch size fits.
    """
    for wanted in _PATCHES_PER_VALUE:
        for side in range(PATCH_SIDE, 1, -1):
            eigenvalues, patches = _eigenvalues(plane_yxs, valid_yx, side)
            if patches >= wanted * max(len(eigenvalues), 2):
                return _noise_of_eigenvalues(eigenvalues)
    return math.nan


def _eigenvalues(
    plane_yxs: NDArray[np.floating], valid_yx: NDArray[np.bool_], side: int
) -> tuple[NDArray[np.float64], int]:
    """Return the ascending eigenvalues of the covariance of patches, and their number.

    The covariance is accumulated over rows of patches: all patches at once would need
    many times the plane's memory. Patches with an invalid pixel are left out.
    """
    height, width, samples = plane_yxs.shape
    rows, columns = min(side, height), min(side, width)
    across = _positions(width, columns)
    windows = sliding_window_view(plane_yxs, (rows, columns, samples))
    whole = sliding_window_view(valid_yx, (rows, columns))
    values = rows * columns * samples
    # Centred values avoid cancellation when the squared mean is subtracted.
    offset = float(plane_yxs[valid_yx].mean()) if valid_yx.any() else 0.0
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
    """Return the first pixels of the patches along one axis, up to the axis's end."""
    last = length - side
    return np.unique(np.append(np.arange(0, last + 1, PATCH_STRIDE), last))


def _noise_of_eigenvalues(ascending: NDArray[np.float64]) -> float:
    """Return sigma from the largest prefix whose mean equals its median."""
    for count in range(len(ascending), 1, -1):
        smallest = ascending[:count]
        mean = smallest.mean()
        if np.sum(smallest > mean) == np.sum(smallest < mean):
            break
    else:
        mean = ascending[0]
    return math.sqrt(max(float(mean), 0.0))
