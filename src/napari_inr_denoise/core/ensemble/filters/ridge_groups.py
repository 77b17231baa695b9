"""Ridge regression within groups of similar patches."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor

_VALUES_AT_ONCE = 2**17
"""Values of the groups that are solved at once: few enough for the CPU's cache."""
_VALUES_AT_ONCE_ON_GPU = 2**19
"""The same on a GPU, where it limits the memory."""
_LARGEST = 1e4
"""Largest contrast within a group, in units of the noise; bounds the condition."""


def regressed_groups(values: Tensor, groups: Tensor, side: int) -> Tensor:
    """Return the sums of the regressions of all groups of a band, in the first plane.

    Parameters
    ----------
    values : Tensor, shape (2 * samples + 1, planes, Y, X)
        Variance, removed and result in the band.
    groups : Tensor of int, shape (groups, patches)
        Patches, each the flat index of its first pixel among all that fit in the band.
    side : int
        Side of the patches, in pixels.

    Returns
    -------
    Tensor, shape (samples + 2, Y, X)
        Weighted changes, weighted shares kept, and weights.
    """
    samples = (len(values) - 1) // 2
    height, width = values.shape[2:]
    area, high, wide = side**2, height - side + 1, width - side + 1
    power = F.avg_pool2d(values[0], side, 1).flatten() * samples * area
    rows, size = _patch_rows(values[1:], side), samples * area
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
    changes = _laid_back(own[:size].view(samples, side, side, high, wide))
    # A share holds for all pixels of its patch: sums over squares instead of patches.
    shares = own[None, size:]
    margin = side - 1
    shares = F.avg_pool2d(F.pad(shares, 4 * (margin,)), side, 1) * area
    return torch.cat([changes, shares[0]])


def _patch_rows(values: Tensor, side: int) -> Tensor:
    """Return the pilot and the noisy values of all patches, one patch in a row.

    A group is then gathered by rows of memory instead of pixel by pixel.

    Parameters
    ----------
    values : Tensor, shape (2 * samples, planes, Y, X)
        Removed and result.
    side : int
        Side of the patches, in pixels.

    Returns
    -------
    Tensor, shape (patches, 2 * samples * side * side)
    """
    removed, pilot = values.chunk(2)
    both = torch.cat([pilot, pilot + removed])
    windows = both.unfold(2, side, 1).unfold(3, side, 1)
    return windows.permute(1, 2, 3, 0, 4, 5).flatten(3).flatten(0, 2)


def _laid_back(patches: Tensor) -> Tensor:
    """Return the sums of overlapping patches, (samples, Y, X).

    Parameters
    ----------
    patches : Tensor, shape (samples, side, side, rows, columns)
        Each value of the patches at all positions.
    """
    samples, side, _, high, wide = patches.shape
    width, height = wide + side - 1, high + side - 1
    lines = patches.new_zeros(samples, side, high, width)
    for shift in range(side):
        lines[..., shift : shift + wide] += patches[:, :, shift]
    sums = patches.new_zeros(samples, height, width)
    for shift in range(side):
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
