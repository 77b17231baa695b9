"""Non-local ridge regression: similar patches predict each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from torch import Tensor

from napari_inr_denoise.core.ensemble.similar_patches import (
    SIDE,
    Search,
    bands,
    most_similar,
    references,
)
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane

_FEWEST = 4
"""Smallest number of patches from which a group is made."""
_VALUES_AT_ONCE = 2**17
"""Values of the groups that are solved at once: few enough for the CPU's cache."""
_VALUES_AT_ONCE_ON_GPU = 2**19
"""The same on a GPU, where it limits the memory."""
_WEIGHT = 0.9
"""Weight of the regression where a group has structure of many dimensions."""
_BRIGHTNESS = 7.0
"""Width of the blur, in pixels, that the regression leaves as it was. Otherwise stacks
would flicker."""
_LARGEST = 1e4
"""Largest contrast within a group, in units of the noise; bounds the condition."""
_HIGHEST = 1e15
"""Largest value of the pilot, in units of the noise; keeps its square finite."""
PREVIEW = Search(similar=24, step=7, reach=8)
"""While the networks are trained: 0.02 dB less than `_ALONE`, in half the time."""
_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Regression:
    """Values of a plane that similar patches predict.

    Attributes
    ----------
    plane_yxs : ndarray, shape (Y, X, samples)
        The regression, in the image's units.
    weight_yx1 : ndarray, shape (Y, X, 1)
        Its weight in the mean with another result.
    """

    plane_yxs: NDArray[np.floating] = field(repr=False)
    weight_yx1: NDArray[np.floating] = field(repr=False)

    def averaged_with(self, plane_yxs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the mean with a result, whose brightness it keeps."""
        change = self.weight_yx1 * (self.plane_yxs - plane_yxs)
        # The brightness of a place is better known from all pixels around it.
        change -= gaussian_filter(change, (_BRIGHTNESS, _BRIGHTNESS, 0))
        return np.asarray(plane_yxs + change, dtype=np.float32)


_ALONE = Search(similar=32, step=5, reach=10)
"""In one plane. 48 patches gained 0.01 dB for twice the time; 24 lost 0.01 dB on real
frames and 0.2 on phantoms. A step of 4 gained 0.007 dB for 1.3 times the time. A reach
of 14 lost 0.003 dB on real frames and 0.03 on phantoms, and gained 0.01 on photographs,
for 1.2 times the time."""
_BESIDE = Search(similar=64, step=6, reach=14)
"""Where the planes beside are searched as well: 64 patches gained 0.05 dB over 32. A
step of 4 gained 0.01 dB for 2.5 times the time."""


def ridge_averaged(
    problem: NoisyPlane,
    plane_yxs: NDArray[np.float32],
    device: torch.device = _CPU,
    beside: Sequence[tuple[NoisyPlane, NDArray[np.float32]]] = (),
) -> NDArray[np.float32]:
    """Return the mean of a result and a ridge regression that uses it as a pilot.

    For each reference patch the most similar patches of the result form a group. Each
    noisy patch of the group is replaced by the linear combination of the noisy patches,
    with coefficients of sum one, that has the least expected error if the result is the
    truth: the second step of NL-Ridge (Herbreteau and Kervrann, "Towards a Unified View
    of Unsupervised Non-Local Methods for Image Denoising: The NL-Ridge Approach", ICIP
    2022). Samples are searched and regressed jointly. In a stack the planes beside are
    searched as well.

    The regression cannot do better than the mean of the group where the group is flat,
    and the networks average over more pixels there. Its weight at a pixel is therefore
    0.9 times the share of its degrees of freedom that lie beyond the mean.

    Parameters
    ----------
    problem : NoisyPlane
        The noisy plane and its noise. For correlated noise the result is returned
        unchanged: similar patches share noise.
    plane_yxs : ndarray of float32, shape (Y, X, samples)
        The result, in the image's units.
    device : torch.device
        Where to compute.
    beside : sequence of (NoisyPlane, ndarray of float32)
        Planes of the same shape that show similar structure, with their results.

    Returns
    -------
    ndarray of float32, shape (Y, X, samples)
        The mean of both, in the same units.
    """
    search = _BESIDE if beside else _ALONE
    found = regression(problem, plane_yxs, device, beside, search)
    return plane_yxs if found is None else found.averaged_with(plane_yxs)


def regression(
    problem: NoisyPlane,
    plane_yxs: NDArray[np.float32],
    device: torch.device,
    beside: Sequence[tuple[NoisyPlane, NDArray[np.float32]]],
    search: Search,
) -> Regression | None:
    """Return the regression of `ridge_averaged`; None where it does not apply.

    Parameters
    ----------
    problem, plane_yxs, device, beside
        As for `ridge_averaged`.
    search : Search
        Which patches are compared.
    """
    positions = [max(side - SIDE + 1, 0) for side in plane_yxs.shape[:2]]
    too_few = positions[0] * positions[1] < _FEWEST
    if too_few or problem.noise.correlated or not problem.noise.sigma > 0:
        return None
    planes = [(problem, plane_yxs), *beside]
    stds = [one.positive_std(result) for one, result in planes]
    unit, mean = stds[0].mean(axis=(0, 1)), plane_yxs.mean(axis=(0, 1), dtype=float)
    pilot, removed, variance = [], [], []
    for (noisy, result), std_yxs in zip(planes, stds, strict=True):
        # Subtract the mean: float32 resolves little contrast on a large offset.
        pilot.append(((result - mean) / unit).clip(-_HIGHEST, _HIGHEST))
        known = noisy.fitted_yx[..., None]
        removed.append(np.where(known, noisy.plane_yxs - result, 0.0) / unit)
        variance.append(np.mean((std_yxs / unit) ** 2, axis=-1))
    change, kept = regressed(
        _tensor(np.stack(pilot)).to(device),
        _tensor(np.stack(removed)).to(device),
        _tensor(np.stack(variance)).to(device),
        search,
    )
    beyond_mean = (1 - 1 / (search.similar * kept)).clamp_(0, 1)
    weight = _WEIGHT * beyond_mean[..., None]
    # In float64, because float32 resolves little contrast on a large offset.
    plane = plane_yxs + change.cpu().numpy() * unit.astype(np.float64)
    return Regression(plane, weight.cpu().numpy())


def regressed(
    pilot_pyxs: Tensor,
    removed_pyxs: Tensor,
    variance_pyx: Tensor,
    search: Search,
) -> tuple[Tensor, Tensor]:
    """Return the regression minus the pilot of the first plane, averaged over patches.

    Parameters
    ----------
    pilot_pyxs, removed_pyxs : Tensor, shape (planes, Y, X, samples)
        Results, and the noisy planes minus the results, in units of the noise.
    variance_pyx : Tensor, shape (planes, Y, X)
        Variance of the noise in these units, about 1.
    search : Search
        Which patches are compared.

    Returns
    -------
    change_yxs : Tensor, shape (Y, X, samples)
        In units of the noise.
    kept_yx : Tensor, shape (Y, X)
        Weight of each noisy patch in its own regression: one over the number of
        patches where a group is flat, 1 where the patch is like no other. 0 where a
        pixel is in no patch of any group.
    """
    height, width, samples = pilot_pyxs.shape[1:]
    values = torch.cat([variance_pyx[..., None], removed_pyxs, pilot_pyxs], dim=-1)
    values = values.permute(3, 0, 1, 2).contiguous()
    # Sums of the weighted changes, of the weighted shares kept, and of the weights.
    sums = torch.zeros(samples + 2, height, width, device=values.device)
    columns = references(width, search.step)
    for top, bottom, rows in bands(height, search):
        band = values[:, :, top:bottom]
        groups = most_similar(band[samples + 1 :], rows - top, columns, search)
        sums[:, top:bottom] += _of_groups(band, groups)
    # Where patches are alike to the last digit, a pixel may be in no group.
    sums[:-1] /= sums[-1].clamp_min(torch.finfo(sums.dtype).tiny)
    return sums[:samples].permute(1, 2, 0), sums[-2]


def _of_groups(values: Tensor, groups: Tensor) -> Tensor:
    """Return the sums of the regressions of all groups of a band, in the first plane.

    Parameters
    ----------
    values : Tensor, shape (2 * samples + 1, planes, Y, X)
        Variance, removed and result in the band.
    groups : Tensor of int, shape (groups, patches)
        Patches, as from `most_similar`.

    Returns
    -------
    Tensor, shape (samples + 2, Y, X)
        Weighted changes, weighted shares kept, and weights.
    """
    samples = (len(values) - 1) // 2
    height, width = values.shape[2:]
    area, high, wide = SIDE**2, height - SIDE + 1, width - SIDE + 1
    power = F.avg_pool2d(values[0], SIDE, 1).flatten() * samples * area
    rows, size = _patch_rows(values[1:]), samples * area
    sums = torch.zeros(power.numel(), size + 2, device=values.device)
    most = _VALUES_AT_ONCE_ON_GPU if values.is_cuda else _VALUES_AT_ONCE
    for group in groups.split(max(most // (groups.shape[1] * size), 1)):
        index = group.flatten()
        patches = rows.index_select(0, index).view(*group.shape, 2 * size)
        pilot, noisy = patches[..., :size], patches[..., size:]
        combined, weight = _coefficients(pilot, power.index_select(0, index))
        found = torch.empty(*group.shape, size + 2, device=values.device)
        change, kept = found[..., :size], combined.diagonal(dim1=1, dim2=2)
        torch.sub(combined @ noisy, pilot, out=change)
        found[..., size] = kept
        found[..., size + 1] = 1.0
        _add_rows(sums, index, found.mul_(weight[..., None]).flatten(0, 1))
    # Transposed as a whole: that runs in blocks, and of a part it would not.
    own = sums[: high * wide].T.contiguous().view(-1, high, wide)
    changes = _laid_back(own[:size].view(samples, SIDE, SIDE, high, wide))
    # A share holds for all pixels of its patch: sums over squares instead of patches.
    shares = own[None, size:]
    margin = SIDE - 1
    shares = F.avg_pool2d(F.pad(shares, 4 * (margin,)), SIDE, 1) * area
    return torch.cat([changes, shares[0]])


def _patch_rows(values: Tensor) -> Tensor:
    """Return the pilot and the noisy values of all patches, one patch in a row.

    A group is then gathered by rows of memory instead of pixel by pixel.

    Parameters
    ----------
    values : Tensor, shape (2 * samples, planes, Y, X)
        Removed and result.

    Returns
    -------
    Tensor, shape (patches, 2 * samples * side * side)
    """
    removed, pilot = values.chunk(2)
    both = torch.cat([pilot, pilot + removed])
    windows = both.unfold(2, SIDE, 1).unfold(3, SIDE, 1)
    return windows.permute(1, 2, 3, 0, 4, 5).flatten(3).flatten(0, 2)


def _laid_back(patches: Tensor) -> Tensor:
    """Return the sums of overlapping patches, (samples, Y, X).

    Parameters
    ----------
    patches : Tensor, shape (samples, side, side, rows, columns)
        Each value of the patches at all positions.
    """
    samples, _, _, high, wide = patches.shape
    width, height = wide + SIDE - 1, high + SIDE - 1
    lines = patches.new_zeros(samples, SIDE, high, width)
    for shift in range(SIDE):
        lines[..., shift : shift + wide] += patches[:, :, shift]
    sums = patches.new_zeros(samples, height, width)
    for shift in range(SIDE):
        sums[:, shift : shift + high] += lines[:, shift]
    return sums


def _add_rows(sums: Tensor, index: Tensor, rows: Tensor) -> None:
    """Add rows to those at an index, several to the same, in a fixed order."""
    if sums.is_cuda:
        # `index_add_` adds in the order in which the threads come.
        sums.index_put_((index,), rows, accumulate=True)
    else:
        sums.index_add_(0, index, rows)


def _coefficients(pilot: Tensor, power: Tensor) -> tuple[Tensor, Tensor]:
    """Return the coefficients of the regressions within groups, and their weights.

    Parameters
    ----------
    pilot : Tensor, shape (groups, patches, values)
        Patches of the result.
    power : Tensor, shape (groups * patches,)
        Noise variance of each patch, summed over its values.

    Returns
    -------
    coefficients : Tensor, shape (groups, patches, patches)
        Row i combines all patches of a group to patch i; its sum is one.
    weights : Tensor, shape (groups, patches)
        Inverse of the noise that the combination keeps, relative to the patch's own.
    """
    contrast = pilot - pilot.mean(dim=(1, 2), keepdim=True)
    # Squares of the contrast to the noise exceed the digits of float32, whose sums also
    # depend on the number of threads. Apple's GPUs have no float64.
    doubles = pilot.device.type in ("cpu", "cuda")
    exact = torch.float64 if doubles else torch.float32
    contrast = contrast.clamp_(-_LARGEST, _LARGEST).to(exact)
    noise = power.to(exact).view(pilot.shape[:2])
    second = contrast @ contrast.transpose(1, 2)
    second.diagonal(dim1=1, dim2=2).add_(noise)
    combined = _inverse(second)
    sums = combined.sum(dim=2, keepdim=True)
    combined.baddbmm_(sums / sums.sum(dim=1, keepdim=True), sums.mT, alpha=-1)
    combined.mul_(-noise[..., None]).diagonal(dim1=1, dim2=2).add_(1)
    left = (combined.square() @ noise[..., None])[..., 0] / noise
    return combined.to(pilot.dtype), (1 / left).to(pilot.dtype)


def _inverse(matrices: Tensor) -> Tensor:
    """Return the inverses of symmetric, positive definite matrices."""
    lower = torch.linalg.cholesky(matrices)
    if not matrices.is_cuda:
        return torch.cholesky_inverse(lower)
    # `cholesky_inverse` would start a kernel for each matrix.
    one = torch.eye(matrices.shape[-1], dtype=matrices.dtype, device=matrices.device)
    half: Tensor = torch.linalg.solve_triangular(
        lower, one.expand_as(lower), upper=False
    )
    return half.mT @ half


def _tensor(plane: NDArray[np.floating]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(plane, dtype=np.float32))
