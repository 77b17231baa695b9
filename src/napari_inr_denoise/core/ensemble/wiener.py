"""The result beside a Wiener filter of the noisy plane, steered by the result."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from numpy.typing import NDArray
from scipy.fft import dct
from torch import Tensor

from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane

_BLOCKS = ((8, 2), (16, 4))
"""Sides of the blocks and shifts between them, in pixels; both sizes did better than
either, by 0.01 to 0.03 dB, and fewer shifts worse by 0.03."""
_NOISE = 0.7
"""Of the noise's power, what a component is held against: all of it gained less on fine
texture, half of it less on real frames."""
_MEAN_KEPT = 0.5
"""How much of a block's mean comes from the noisy plane: networks are off by more than
noise is over a block in some places, and by less in others."""
_WEIGHT = 0.5
"""Of the filter in the mean of both. More gains on fine texture, and loses on smooth
images; the risk on held-out pixels does not tell, for the result has seen them."""
_LEAST_STD = 0.02
"""Of the noise level: a pixel that is said to have less noise still has so much."""
_LARGEST = 1e15
"""Of a component, in standard deviations of the noise: squares must stay finite."""
_CPU = torch.device("cpu")


def beside_wiener(
    problem: NoisyPlane,
    plane_yxs: NDArray[np.float32],
    device: torch.device = _CPU,
) -> NDArray[np.float32]:
    """Return the mean of a result and of the Wiener filter that it steers.

    A network smooths over fine, regular texture, which a cosine transform gathers in
    few components. In overlapping blocks each component of the noisy plane is kept as
    far as its power in the result is beyond that of the noise (Ghael, Sayeed, Baraniuk,
    "Improved Wavelet Denoising via Empirical Wiener Filtering", SPIE 1997; with the
    cosine transform it is the last step of BM3D, but without its search for similar
    blocks). On ten real frames 0.12 dB (`fast`) and 0.05 dB (`auto`), on photographs
    0.4 dB (`fast`).

    Parameters
    ----------
    problem : NoisyPlane
        The plane. Where its noise is correlated the components have other powers, and
        nothing is changed.
    plane_yxs : ndarray of float32, shape (Y, X, samples)
        The result, in the image's units.
    device : torch.device
        Where to compute.

    Returns
    -------
    ndarray of float32, shape (Y, X, samples)
        In the same units.
    """
    if problem.noise.correlated or not problem.noise.sigma > 0:
        return plane_yxs
    least = _LEAST_STD * problem.noise.sigma
    std_yxs = np.maximum(np.sqrt(problem.variance(plane_yxs)), least)
    known = problem.fitted_yx
    removed = np.where(known[..., None], problem.plane_yxs - plane_yxs, 0.0)
    # Less the mean: float32 holds little contrast on top of a large offset.
    centred = plane_yxs - plane_yxs.mean(axis=(0, 1), dtype=np.float64)
    change = np.stack(
        [
            filtered(
                centred[..., k],
                removed[..., k] / std_yxs[..., k],
                std_yxs[..., k],
                device,
            )
            for k in range(plane_yxs.shape[-1])
        ],
        axis=-1,
    ).astype(np.float64)
    # As for a block so for the plane, or planes of a stack would flicker.
    change += _MEAN_KEPT * removed[known].mean(axis=0) - change[known].mean(axis=0)
    return np.asarray(plane_yxs + _WEIGHT * change, dtype=np.float32)


def filtered(
    plane_yx: NDArray[np.floating],
    removed_yx: NDArray[np.floating],
    std_yx: NDArray[np.floating],
    device: torch.device,
) -> NDArray[np.float32]:
    """Return what the Wiener filter changes in a result, the mean over all blocks.

    Parameters
    ----------
    plane_yx : ndarray, shape (Y, X)
        The result, which says how strong each component is.
    removed_yx : ndarray, shape (Y, X)
        The noisy plane less the result, in standard deviations of the noise.
    std_yx : ndarray, shape (Y, X)
        Of the noise, above 0.
    device : torch.device
        Where to compute.

    Returns
    -------
    ndarray of float32, shape (Y, X)
        In the plane's units.
    """
    planes = [_tensor(one).to(device) for one in (plane_yx, removed_yx, std_yx)]
    changes = [_change(planes, side, shift) for side, shift in _BLOCKS]
    return torch.stack(changes).mean(dim=0).cpu().numpy()


def _change(planes: Sequence[Tensor], side: int, shift: int) -> Tensor:
    """Return the change with blocks of one size, at all their places."""
    height, width = planes[0].shape
    padded = [_padded(one, side) for one in planes]
    sums, weights = (torch.zeros_like(padded[0]) for _ in range(2))
    for top in range(0, side, shift):
        for left in range(0, side, shift):
            place = _place(padded[0], side, top, left)
            change, weight = _of_blocks(*(_blocks(one[place], side) for one in padded))
            _blocks(sums[place], side).addcmul_(change, weight)
            _blocks(weights[place], side).add_(weight)
    inside = slice(side, side + height), slice(side, side + width)
    return sums[inside] / weights[inside]


def _of_blocks(plane: Tensor, removed: Tensor, std: Tensor) -> tuple[Tensor, Tensor]:
    """Return the change of blocks side by side, and their weights.

    In place wherever it can be: new memory took more time than what is computed.

    Parameters
    ----------
    plane, removed, std : Tensor, shape (rows, side, columns, side)
        As for `filtered`; not changed.

    Returns
    -------
    change : Tensor, shape (rows, side, columns, side)
    weight : Tensor, shape (rows, 1, columns, 1)
    """
    basis = _basis(plane.shape[1], plane.device)
    contrast = (plane - plane.mean(dim=(1, 3), keepdim=True)).div_(std)
    signal = _transformed(contrast, basis).clamp_(-_LARGEST, _LARGEST)
    signal[:, 0, :, 0] = 0.0
    lost = signal.square().add_(_NOISE).reciprocal_().mul_(_NOISE)
    lost[:, 0, :, 0] = 1 - _MEAN_KEPT
    change = _transformed(removed, basis)
    # What is kept of what was removed, less what is lost of the result.
    change.sub_(signal.add_(change).mul_(lost))
    change = _transformed(change, basis.T).mul_(std)
    # A block that keeps little holds little noise, and counts for more.
    kept = lost.neg_().add_(1)
    power = kept.square_().sum(dim=(1, 3), keepdim=True) + 1 - _MEAN_KEPT**2
    return change, 1 / power


def _blocks(plane: Tensor, side: int) -> Tensor:
    """Return a plane of whole blocks as (rows, side, columns, side), a view."""
    height, width = plane.shape
    return plane.view(height // side, side, width // side, side)


def _transformed(blocks: Tensor, basis: Tensor) -> Tensor:
    """Return all blocks' products with a basis, along rows and columns."""
    rows, side, columns, _ = blocks.shape
    along = torch.matmul(basis, blocks.reshape(rows, side, columns * side))
    return torch.matmul(along.reshape(-1, side), basis.T).reshape(blocks.shape)


def _place(plane: Tensor, side: int, top: int, left: int) -> tuple[slice, slice]:
    """Return what whole blocks cover from a corner on."""
    height, width = (
        (n - at) // side * side for n, at in zip(plane.shape, (top, left), strict=True)
    )
    return slice(top, top + height), slice(left, left + width)


def _padded(plane: Tensor, side: int) -> Tensor:
    """Return a plane with one block more on each side, and whole blocks in all."""
    height, width = plane.shape
    margins = (side, side + -width % side, side, side + -height % side)
    return F.pad(plane[None, None], margins, mode="replicate")[0, 0]


def _tensor(plane_yx: NDArray[np.floating]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(plane_yx, dtype=np.float32))


@cache
def _basis(side: int, device: torch.device) -> Tensor:
    """Return the cosine transform (type 2, orthonormal): rows are its components."""
    return _tensor(dct(np.eye(side), axis=0, norm="ortho")).to(device)
