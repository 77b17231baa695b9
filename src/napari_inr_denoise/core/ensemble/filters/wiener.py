"""Empirical Wiener filter of the noisy plane, with the result as the pilot estimate."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from numpy.typing import NDArray
from scipy.fft import dct
from scipy.ndimage import map_coordinates
from torch import Tensor

from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane

_BLOCKS = ((8, 2), (16, 4))
"""Side of the blocks and shift between them, in pixels. Both sizes together gained 0.01
to 0.03 dB over one size; fewer shifts lost 0.03 dB."""
_NOISE = 0.7
"""Fraction of the noise variance used in the Wiener denominator. A fraction of 1 gained
less on fine texture, 0.5 gained less on real frames."""
_MEAN_KEPT = 0.5
"""Fraction of a block's mean that comes from the noisy plane. The block means of a
network have a larger error than those of the noisy plane in some places, and a smaller
one in others."""
_WEIGHT = 0.5
"""Weight of the filtered plane in its mean with the result. A larger weight gains on
fine texture and loses on smooth images. Held-out pixels cannot choose the weight,
because the result depends on them."""
_VOLUME_BLOCK = (8, 2)
"""Side of the blocks of three planes, and shift between them, in pixels."""
_DEPTH = 3
"""Planes of such a block. Five gained 0.03 dB on pollen and lost as much on cells and
filaments, for 1.7 times the time."""
_LARGEST = 1e15
"""Largest coefficient, in units of the noise; keeps its square finite."""
_CPU = torch.device("cpu")


def wiener_averaged(
    problem: NoisyPlane,
    plane_yxs: NDArray[np.float32],
    device: torch.device = _CPU,
) -> NDArray[np.float32]:
    """Return the mean of a result and the Wiener filter that uses it as a pilot.

    A network smooths fine, regular texture, which the cosine transform concentrates in
    few coefficients. In overlapping blocks, each coefficient of the noisy plane is
    multiplied by S / (S + N), with S its power in the result and N the power of the
    noise (Ghael, Sayeed, Baraniuk, "Improved Wavelet Denoising via Empirical Wiener
    Filtering", SPIE 1997). This is the last step of BM3D without the search for similar
    blocks. PSNR rises by 0.12 dB (`fast`) and 0.05 dB (`auto`) on ten real frames, and
    by 0.4 dB (`fast`) on photographs.

    Parameters
    ----------
    problem : NoisyPlane
        The noisy plane and its noise. Correlated noise has another power N at each
        frequency, from its spectrum; without one the result is returned unchanged.
    plane_yxs : ndarray of float32, shape (Y, X, samples)
        The result, in the image's units.
    device : torch.device
        Where to compute.

    Returns
    -------
    ndarray of float32, shape (Y, X, samples)
        The mean of both, in the same units.
    """
    unknown = problem.noise.correlated and problem.curve(0).power_kk is None
    if unknown or not problem.noise.sigma > 0:
        return plane_yxs
    std_yxs = problem.positive_std(plane_yxs)
    known = problem.fitted_yx
    removed = np.where(known[..., None], problem.plane_yxs - plane_yxs, 0.0)
    # Subtract the mean, because float32 resolves little contrast on a large offset.
    centred = plane_yxs - plane_yxs.mean(axis=(0, 1), dtype=np.float64)
    change = np.stack(
        [
            filtered(
                centred[..., k],
                removed[..., k] / std_yxs[..., k],
                std_yxs[..., k],
                device,
                problem.curve(k).power_kk,
            )
            for k in range(plane_yxs.shape[-1])
        ],
        axis=-1,
    ).astype(np.float64)
    # Treat the mean of the plane like that of a block; otherwise stacks would flicker.
    change += _MEAN_KEPT * removed[known].mean(axis=0) - change[known].mean(axis=0)
    return np.asarray(plane_yxs + _WEIGHT * change, dtype=np.float32)


def wiener_averaged_in_volume(
    planes: Sequence[tuple[NoisyPlane, NDArray[np.float32]]],
    number: int,
    device: torch.device = _CPU,
) -> NDArray[np.float32]:
    """Do the same as `wiener_averaged`, with blocks of three planes.

    Parameters
    ----------
    planes : sequence of (NoisyPlane, ndarray of float32)
        Planes that follow each other along Z, with their results.
    number : int
        Index of the plane to average. The last planes of a volume are repeated.
    device : torch.device
        Where to compute.

    Returns
    -------
    ndarray of float32, shape (Y, X, samples)
        The mean of both. For correlated noise the result is returned unchanged.
    """
    problem, plane_yxs = planes[number]
    if problem.noise.correlated or not problem.noise.sigma > 0:
        return plane_yxs
    last, reach = len(planes) - 1, _DEPTH // 2
    around = [
        planes[min(max(number + shift, 0), last)] for shift in range(-reach, reach + 1)
    ]
    mean = plane_yxs.mean(axis=(0, 1), dtype=np.float64)
    std_yxs = problem.positive_std(plane_yxs)
    results = np.stack([result - mean for _, result in around])
    removed = np.stack(
        [
            np.where(one.fitted_yx[..., None], one.plane_yxs - result, 0.0)
            / one.positive_std(result)
            for one, result in around
        ]
    )
    change = np.stack(
        [
            _change_in_volume(
                _tensor(results[..., k] / std_yxs[..., k]).to(device),
                _tensor(removed[..., k]).to(device),
            )
            .cpu()
            .numpy()
            for k in range(plane_yxs.shape[-1])
        ],
        axis=-1,
    ).astype(np.float64)
    change *= std_yxs
    known = problem.fitted_yx
    missing = (problem.plane_yxs - plane_yxs)[known].mean(axis=0)
    change += _MEAN_KEPT * missing - change[known].mean(axis=0)
    return np.asarray(plane_yxs + _WEIGHT * change, dtype=np.float32)


def _change_in_volume(results: Tensor, removed: Tensor) -> Tensor:
    """Return the change of the middle plane, averaged over all shifts of the blocks.

    Parameters
    ----------
    results, removed : Tensor, shape (planes, Y, X)
        Results, and noisy planes minus results, in units of the noise.
    """
    side, shift = _VOLUME_BLOCK
    height, width = results.shape[1:]
    pair = [
        torch.stack([_padded(one, side) for one in kind]) for kind in (results, removed)
    ]
    sums, weights = (torch.zeros_like(pair[0][0]) for _ in range(2))
    for top in range(0, side, shift):
        for left in range(0, side, shift):
            place = _place(sums, side, top, left)
            parts = [kind[:, *place] for kind in pair]
            change, weight = _of_deep_blocks(parts, side)
            _blocks(sums[place], side).addcmul_(change, weight)
            _blocks(weights[place], side).add_(weight)
    inside = slice(side, side + height), slice(side, side + width)
    return sums[inside] / weights[inside]


def _of_deep_blocks(parts: Sequence[Tensor], side: int) -> tuple[Tensor, Tensor]:
    """Return the change of the middle plane of blocks, and the blocks' weights.

    Parameters
    ----------
    parts : sequence of Tensor, each of shape (planes, Y, X)
        Results and removed, of whole blocks.
    side : int
        Side of a block.

    Returns
    -------
    change : Tensor, shape (rows, side, columns, side)
        In units of the noise.
    weight : Tensor, shape (rows, 1, columns, 1)
        Inverse of the noise power that the filter keeps.
    """
    depth, height, width = parts[0].shape
    shape = (depth, height // side, side, width // side, side)
    along, basis = _basis(depth, parts[0].device), _basis(side, parts[0].device)

    def spectrum(values: Tensor) -> Tensor:
        mixed = along @ values.reshape(depth, -1)
        blocks = mixed.view(-1, side, width // side, side)
        return _transformed(blocks, basis).view(shape)

    signal = spectrum(parts[0]).clamp_(-_LARGEST, _LARGEST)
    signal[0, :, 0, :, 0] = 0.0
    lost = _NOISE / signal.square().add_(_NOISE)
    lost[0, :, 0, :, 0] = 1 - _MEAN_KEPT
    change = spectrum(parts[1])
    change.sub_(signal.add_(change).mul_(lost))
    middle = (along[:, depth // 2] @ change.view(depth, -1)).view(shape[1:])
    kept = lost.neg_().add_(1).square_().sum(dim=(0, 2, 4))[:, None, :, None]
    return _transformed(middle, basis.T), 1 / (kept + 1 - _MEAN_KEPT**2)


def filtered(
    plane_yx: NDArray[np.floating],
    removed_yx: NDArray[np.floating],
    std_yx: NDArray[np.floating],
    device: torch.device,
    power_kk: NDArray[np.float64] | None = None,
) -> NDArray[np.float32]:
    """Return the Wiener-filtered plane minus the result, averaged over all blocks.

    Parameters
    ----------
    plane_yx : ndarray, shape (Y, X)
        The result, which gives the signal power of each coefficient.
    removed_yx : ndarray, shape (Y, X)
        Noisy plane minus result, divided by the noise standard deviation.
    std_yx : ndarray, shape (Y, X)
        Standard deviation of the noise, above 0.
    device : torch.device
        Where to compute.
    power_kk : ndarray, shape (8, 8), optional
        Noise power by frequency, with a mean of 1. White noise by default.

    Returns
    -------
    ndarray of float32, shape (Y, X)
        The change, in the plane's units.
    """
    planes = [_tensor(one).to(device) for one in (plane_yx, removed_yx, std_yx)]
    spectrum = np.ones((2, 2)) if power_kk is None else power_kk
    changes = [
        _change(planes, side, shift, _powers(spectrum, side).to(device))
        for side, shift in _BLOCKS
    ]
    return torch.stack(changes).mean(dim=0).cpu().numpy()


def _powers(power_kk: NDArray[np.float64], side: int) -> Tensor:
    """Return the noise power for blocks of a side, (1, side, 1, side).

    The frequencies of a larger block lie between those of the spectrum.
    """
    across = np.arange(side) * len(power_kk) / side
    places = np.meshgrid(across, across, indexing="ij")
    power = map_coordinates(power_kk, places, order=1, mode="nearest")
    # The spectrum has no power for the mean; that of the lowest frequencies is nearest.
    power[0, 0] = (power[0, 1] + power[1, 0]) / 2
    return _tensor(power)[None, :, None]


def _change(planes: Sequence[Tensor], side: int, shift: int, powers: Tensor) -> Tensor:
    """Return the change for one block size, averaged over all shifts."""
    height, width = planes[0].shape
    padded = [_padded(one, side) for one in planes]
    sums, weights = (torch.zeros_like(padded[0]) for _ in range(2))
    for top in range(0, side, shift):
        for left in range(0, side, shift):
            place = _place(padded[0], side, top, left)
            blocks = [_blocks(one[place], side) for one in padded]
            change, weight = _of_blocks(blocks, powers)
            _blocks(sums[place], side).addcmul_(change, weight)
            _blocks(weights[place], side).add_(weight)
    inside = slice(side, side + height), slice(side, side + width)
    return sums[inside] / weights[inside]


def _of_blocks(planes: Sequence[Tensor], powers: Tensor) -> tuple[Tensor, Tensor]:
    """Return the change of adjacent blocks, and the blocks' weights.

    Computed in place where possible: allocation took longer than the arithmetic.

    Parameters
    ----------
    planes : sequence of Tensor, each of shape (rows, side, columns, side)
        Result, removed, and standard deviation, as for `filtered`; not modified.
    powers : Tensor, shape (1, side, 1, side)
        Noise power by frequency.

    Returns
    -------
    change : Tensor, shape (rows, side, columns, side)
        In the plane's units.
    weight : Tensor, shape (rows, 1, columns, 1)
        Inverse of the noise power that the filter keeps.
    """
    plane, removed, std = planes
    basis = _basis(plane.shape[1], plane.device)
    contrast = (plane - plane.mean(dim=(1, 3), keepdim=True)).div_(std)
    signal = _transformed(contrast, basis).clamp_(-_LARGEST, _LARGEST)
    signal[:, 0, :, 0] = 0.0
    noise = _NOISE * powers
    lost = signal.square().add_(noise).reciprocal_().mul_(noise)
    mean_kept = _MEAN_KEPT / (_MEAN_KEPT + (1 - _MEAN_KEPT) * powers[0, 0, 0, 0])
    lost[:, 0, :, 0] = 1 - mean_kept
    change = _transformed(removed, basis)
    # Kept part of the residual minus lost part of the result.
    change.sub_(signal.add_(change).mul_(lost))
    change = _transformed(change, basis.T).mul_(std)
    # A block of few kept coefficients holds little noise and gets a larger weight.
    kept = lost.neg_().add_(1).square_().mul_(powers)
    power = kept.sum(dim=(1, 3), keepdim=True) + 1 - mean_kept**2
    return change, 1 / power


def _blocks(plane: Tensor, side: int) -> Tensor:
    """Return a view of a plane of whole blocks, as (rows, side, columns, side)."""
    height, width = plane.shape
    return plane.view(height // side, side, width // side, side)


def _transformed(blocks: Tensor, basis: Tensor) -> Tensor:
    """Return all blocks multiplied by a basis along rows and columns."""
    rows, side, columns, _ = blocks.shape
    along = torch.matmul(basis, blocks.reshape(rows, side, columns * side))
    return torch.matmul(along.reshape(-1, side), basis.T).reshape(blocks.shape)


def _place(plane: Tensor, side: int, top: int, left: int) -> tuple[slice, slice]:
    """Return the region that whole blocks cover, starting at (top, left)."""
    height, width = (
        (n - at) // side * side for n, at in zip(plane.shape, (top, left), strict=True)
    )
    return slice(top, top + height), slice(left, left + width)


def _padded(plane: Tensor, side: int) -> Tensor:
    """Pad a plane by one block on each side, and up to a multiple of the block side."""
    height, width = plane.shape
    margins = (side, side + -width % side, side, side + -height % side)
    return F.pad(plane[None, None], margins, mode="replicate")[0, 0]


def _tensor(plane_yx: NDArray[np.floating]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(plane_yx, dtype=np.float32))


@cache
def _basis(side: int, device: torch.device) -> Tensor:
    """Return the orthonormal DCT-II matrix; its rows are the basis functions."""
    return _tensor(dct(np.eye(side), axis=0, norm="ortho")).to(device)
