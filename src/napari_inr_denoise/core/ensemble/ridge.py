"""Non-local ridge regression: similar patches predict each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from numpy.typing import NDArray
from scipy.fft import dct
from scipy.ndimage import gaussian_filter
from torch import Tensor

from napari_inr_denoise.core.ensemble.ridge_groups import regressed_groups
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane

_SIDE = 7
"""Side of the patches, in pixels. 9 gained 0.02 dB on real frames and lost 0.07 dB on
photographs, 5 lost on both."""
_VOLUME_SIDE = 5
"""The same for patches of three planes. 7 lost 0.03 dB on a volume at 20 photons."""
_THROUGH = (-1, 0, 1)
"""Planes of such a patch. Five planes lost 0.03 dB."""
_SIMILAR = 32
"""Patches of a group. 48 gained 0.01 dB for twice the time."""
_SIMILAR_BESIDE = 64
"""The same where the planes beside are searched as well: 0.05 dB more than 32."""
_FEWEST = 4
"""Smallest number of patches from which a group is made."""
_REACH = 14
"""Largest distance between similar patches along an axis, in pixels."""
_STEP = 4
"""Distance between the reference patches, in pixels."""
_STEP_BESIDE = 6
"""The same where the planes beside are searched as well: 0.01 dB less than 4, in 0.4
times the time."""
_TILE = 4
"""Reference patches along each axis that share a search window."""
_LOWEST = 4
"""Cosine frequencies along both axes, summed, below which patches are compared; the
higher ones are mostly noise."""
_WEIGHT = 0.9
"""Weight of the regression where a group has structure of many dimensions."""
_BRIGHTNESS = 7.0
"""Width of the blur, in pixels, that the regression leaves as it was. Otherwise stacks
would flicker."""
_HIGHEST = 1e15
"""Largest value of the pilot, in units of the noise; keeps its square finite."""
_CPU = torch.device("cpu")


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
    columns = [[one] for one in ((problem, plane_yxs), *beside)]
    similar, step = (_SIMILAR_BESIDE, _STEP_BESIDE) if beside else (_SIMILAR, _STEP)
    return _averaged(columns, similar, step, _SIDE, device)


def ridge_averaged_in_volume(
    planes: Sequence[tuple[NoisyPlane, NDArray[np.float32]]],
    number: int,
    device: torch.device = _CPU,
) -> NDArray[np.float32]:
    """Do the same as `ridge_averaged`, with patches of three planes.

    They are searched around the plane itself and around the one on each side. At the
    ends of the volume the last plane is repeated within a patch.

    Parameters
    ----------
    planes : sequence of (NoisyPlane, ndarray of float32)
        Planes that follow each other along Z, with their results.
    number : int
        Index of the plane to average.
    device : torch.device
        Where to compute.
    """
    last = len(planes) - 1
    columns = [
        [planes[min(max(one + shift, 0), last)] for shift in _THROUGH]
        for one in (number, number - 1, number + 1)
        if 0 <= one <= last
    ]
    return _averaged(columns, _SIMILAR_BESIDE, _STEP_BESIDE, _VOLUME_SIDE, device)


def _averaged(
    columns: Sequence[Sequence[tuple[NoisyPlane, NDArray[np.float32]]]],
    similar: int,
    step: int,
    side: int,
    device: torch.device,
) -> NDArray[np.float32]:
    """Return the mean of a result and its regression.

    Parameters
    ----------
    columns : sequence of sequences of (NoisyPlane, ndarray of float32)
        The planes that a patch extends over, for each place along Z at which patches
        are searched. The middle one of the first is averaged.
    similar, step, side
        As for `regressed`.
    device : torch.device
        Where to compute.
    """
    middle = len(columns[0]) // 2
    problem, plane_yxs = columns[0][middle]
    positions = [max(size - side + 1, 0) for size in plane_yxs.shape[:2]]
    too_few = positions[0] * positions[1] < _FEWEST
    if too_few or problem.noise.correlated or not problem.noise.sigma > 0:
        return plane_yxs
    unit = problem.positive_std(plane_yxs).mean(axis=(0, 1))
    mean = plane_yxs.mean(axis=(0, 1), dtype=float)
    pilot, removed, variance = [], [], []
    for noisy, result in (one for column in columns for one in column):
        # Subtract the mean: float32 resolves little contrast on a large offset.
        pilot.append(((result - mean) / unit).clip(-_HIGHEST, _HIGHEST))
        known = noisy.fitted_yx[..., None]
        removed.append(np.where(known, noisy.plane_yxs - result, 0.0) / unit)
        std_yxs = noisy.positive_std(result)
        variance.append(np.mean((std_yxs / unit) ** 2, axis=-1, keepdims=True))
    count = len(columns[0])

    def together(kind: list[NDArray[np.float64]]) -> Tensor:
        """Return one plane for each column, with the samples of all its planes."""
        parts = [
            np.concatenate(kind[first : first + count], axis=-1)
            for first in range(0, len(kind), count)
        ]
        return _tensor(np.stack(parts)).to(device)

    change, kept = regressed(
        together(pilot),
        together(removed),
        together(variance).mean(dim=-1),
        similar,
        step,
        side,
    )
    samples = plane_yxs.shape[2]
    change = change[..., middle * samples : (middle + 1) * samples]
    beyond_mean = (1 - 1 / (similar * kept)).clamp_(0, 1)
    weighted = (_WEIGHT * beyond_mean[..., None] * change).cpu().numpy()
    # The brightness of a place is better known from all pixels around it.
    weighted -= gaussian_filter(weighted, (_BRIGHTNESS, _BRIGHTNESS, 0))
    return np.asarray(plane_yxs + weighted * unit, dtype=np.float32)


def regressed(
    pilot_pyxs: Tensor,
    removed_pyxs: Tensor,
    variance_pyx: Tensor,
    similar: int,
    step: int,
    side: int = _SIDE,
) -> tuple[Tensor, Tensor]:
    """Return the regression minus the pilot of the first plane, averaged over patches.

    Parameters
    ----------
    pilot_pyxs, removed_pyxs : Tensor, shape (planes, Y, X, samples)
        Results, and the noisy planes minus the results, in units of the noise.
    variance_pyx : Tensor, shape (planes, Y, X)
        Variance of the noise in these units, about 1.
    similar : int
        Largest number of patches of a group.
    step : int
        Distance between the reference patches along an axis, in pixels.
    side : int
        Side of the patches, in pixels.

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
    for top, bottom, rows in _bands(height, step, side):
        band = values[:, :, top:bottom]
        columns = _references(width, step, side)
        features = _features(band[samples + 1 :], side)
        groups = _most_similar(features, rows - top, columns, similar)
        sums[:, top:bottom] += regressed_groups(band, groups, side)
    # Where patches are alike to the last digit, a pixel may be in no group.
    sums[:-1] /= sums[-1].clamp_min(torch.finfo(sums.dtype).tiny)
    return sums[:samples].permute(1, 2, 0), sums[-2]


def _bands(height: int, step: int, side: int) -> Iterator[tuple[int, int, Tensor]]:
    """Yield first row, last row and references of the bands of one row of windows."""
    references = _references(height, step, side)
    for rows in references.split(_TILE):
        top = max(int(rows[0]) - _REACH, 0)
        yield top, min(int(rows[-1]) + _REACH + side, height), rows


def _references(length: int, step: int, side: int) -> Tensor:
    """Return the first rows or columns of the reference patches."""
    last = length - side
    return torch.tensor([*range(0, last, step), last])


def _most_similar(
    features: Tensor, rows: Tensor, columns: Tensor, similar: int
) -> Tensor:
    """Return the most similar patches of each reference patch of a band.

    Parameters
    ----------
    features : Tensor, shape (planes, Y, X, features)
        Of all patches in a band of rows.
    rows, columns : Tensor of int
        First rows and columns of the reference patches, all in the first plane.
    similar : int
        Largest number of patches.

    Returns
    -------
    Tensor of int, shape (references, patches)
        Flat index of the first pixel of each patch among all that fit in the band, of
        all planes.
    """
    planes, high, wide, count = features.shape
    short = -len(columns) % _TILE
    columns = torch.cat([columns, columns[-1:].expand(short)]).view(-1, _TILE)
    longest = int((columns[:, -1] - columns[:, 0]).max())
    reach = min(2 * _REACH + longest + 1, wide)
    rows, columns = rows.to(features.device), columns.to(features.device)
    firsts = (columns[:, 0] - _REACH).clamp(0, wide - reach)
    window = firsts[:, None] + torch.arange(reach, device=columns.device)
    seen = features.view(planes * high, wide, count)[:, window]
    seen = seen.transpose(0, 1).reshape(len(firsts), -1, count)
    asked = features[0, rows[:, None, None], columns]
    asked = asked.transpose(0, 1).reshape(len(firsts), -1, count)
    # Centred, because the difference of large squares has a large rounding error.
    centre = asked.mean(dim=1, keepdim=True)
    seen, asked = seen - centre, asked - centre
    distance = seen.square().sum(dim=2)[:, None] - 2 * asked @ seen.transpose(1, 2)
    best = _smallest(distance, min(similar, distance.shape[2]))
    row, column = best // reach, best % reach
    return (row * wide + column + firsts[:, None, None]).flatten(0, 1)


def _smallest(values: Tensor, count: int) -> Tensor:
    """Return the places of the smallest values along the last axis, in any order."""
    if values.device.type != "cpu":
        return values.topk(count, largest=False, sorted=False).indices
    # In a quarter of the time of `topk`.
    places = np.argpartition(values.numpy(), count - 1)[..., :count]
    return torch.from_numpy(np.ascontiguousarray(places))


def _features(pilot_spyx: Tensor, side: int) -> Tensor:
    """Return low cosine frequencies of all patches, (planes, Y, X, features)."""
    basis = dct(np.eye(side), axis=0, norm="ortho")
    waves = [
        np.outer(basis[a], basis[b]) for a in range(_LOWEST) for b in range(_LOWEST - a)
    ]
    # In float32 cuDNN would multiply with the ten bits of TF32.
    kind = torch.float64 if pilot_spyx.is_cuda else torch.float32
    filters = _tensor(np.stack(waves)).to(pilot_spyx.device, kind)[:, None]
    samples, planes = pilot_spyx.shape[:2]
    found = F.conv2d(pilot_spyx.flatten(0, 1)[:, None].to(kind), filters)
    found = found.to(pilot_spyx.dtype).view(samples, planes, *found.shape[1:])
    return found.permute(1, 3, 4, 0, 2).flatten(3).contiguous()


def _tensor(plane: NDArray[np.floating]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(plane, dtype=np.float32))
