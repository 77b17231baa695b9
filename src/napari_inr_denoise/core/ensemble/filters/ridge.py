"""Non-local ridge regression: similar patches predict each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from torch import Tensor

from napari_inr_denoise.core.compute.concurrency import map_in_threads
from napari_inr_denoise.core.ensemble.filters.ridge_groups import regressed_groups
from napari_inr_denoise.core.ensemble.filters.similar_patches import (
    Search,
    bands,
    most_similar,
    references,
)
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane

_FEWEST = 4
"""Smallest number of patches from which a group is made."""
_WEIGHT = 0.9
"""Weight of the regression where a group has structure of many dimensions."""
_BRIGHTNESS = 7.0
"""Width of the blur, in pixels, that the regression leaves as it was. Otherwise stacks
would flicker."""
_LEAST_NOISE = 0.01
"""Smallest standard deviation of a pixel's noise over the mean of the plane; together
with the largest contrast it bounds the condition of the matrices."""
_HIGHEST = 1e15
"""Largest value of the pilot, in units of the noise; keeps its square finite."""
PREVIEW = Search(similar=24, step=7, reach=8)
"""While the networks are trained: 0.02 dB less than `_ALONE`, in half the time."""
_VALUES_IN_THREADS = 2**25
"""Largest number of values of patches that all threads hold at the same time, 134 MB.
The search and the sums take about as much again."""
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
_LARGER = Search(similar=64, step=6, reach=14)
"""Where planes beside are searched as well, or the pilot is a regression. 64 patches
gained 0.05 dB over 32 in stacks, and 0.02 to 0.1 dB in a second round. A step of 4 or
5 gained at most 0.01 dB for up to 2.5 times the time."""
_IN_VOLUME = Search(similar=64, step=6, reach=14, side=5)
"""With patches of three planes. Patches of 7x7 pixels lost 0.03 dB at 20 photons."""
_THROUGH = (-1, 0, 1)
"""Planes of such a patch. Five planes lost 0.03 dB."""


def ridge_averaged(
    problem: NoisyPlane,
    plane_yxs: NDArray[np.float32],
    device: torch.device = _CPU,
    beside: Sequence[tuple[NoisyPlane, NDArray[np.float32]]] = (),
    rounds: int = 1,
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

    In a further round that mean is the pilot. It is a better one, and holds noise that
    similar patches share; groups are larger then, and their regression is averaged with
    the first result again, which does not hold that noise.

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
    rounds : int
        Number of regressions.

    Returns
    -------
    ndarray of float32, shape (Y, X, samples)
        The mean of both, in the same units.
    """
    pilot_yxs = plane_yxs
    for number in range(rounds):
        search = _LARGER if beside or number else _ALONE
        found = regression(problem, pilot_yxs, device, beside, search)
        if found is None:
            return plane_yxs
        pilot_yxs = found.averaged_with(plane_yxs)
    return pilot_yxs


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
    columns = [[one] for one in ((problem, plane_yxs), *beside)]
    return _regression(columns, device, search)


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
    plane_yxs = planes[number][1]
    found = _regression(columns, device, _IN_VOLUME)
    return plane_yxs if found is None else found.averaged_with(plane_yxs)


def _regression(
    columns: Sequence[Sequence[tuple[NoisyPlane, NDArray[np.float32]]]],
    device: torch.device,
    search: Search,
) -> Regression | None:
    """Return the regression of a plane; None where it does not apply.

    Parameters
    ----------
    columns : sequence of sequences of (NoisyPlane, ndarray of float32)
        The planes that a patch extends over, for each place along Z at which patches
        are searched. The middle one of the first is regressed.
    device : torch.device
        Where to compute.
    search : Search
        Which patches are compared.
    """
    middle = len(columns[0]) // 2
    problem, plane_yxs = columns[0][middle]
    positions = [max(size - search.side + 1, 0) for size in plane_yxs.shape[:2]]
    too_few = positions[0] * positions[1] < _FEWEST
    if too_few or problem.noise.correlated or not problem.noise.sigma > 0:
        return None
    unit = problem.positive_std(plane_yxs).mean(axis=(0, 1))
    mean = plane_yxs.mean(axis=(0, 1), dtype=float)
    pilot, removed, variance = [], [], []
    for noisy, result in (one for column in columns for one in column):
        # Subtract the mean: float32 resolves little contrast on a large offset.
        pilot.append(((result - mean) / unit).clip(-_HIGHEST, _HIGHEST))
        known = noisy.fitted_yx[..., None]
        removed.append(np.where(known, noisy.plane_yxs - result, 0.0) / unit)
        std_yxs = noisy.positive_std(result)
        relative = np.maximum(std_yxs / unit, _LEAST_NOISE)
        variance.append(np.mean(relative**2, axis=-1, keepdims=True))
    count = len(columns[0])

    def together(kind: list[NDArray[np.float64]]) -> Tensor:
        """Return one plane for each column, with the samples of all its planes."""
        parts = [
            np.concatenate(kind[first : first + count], axis=-1)
            for first in range(0, len(kind), count)
        ]
        return _tensor(np.stack(parts)).to(device)

    change, kept = regressed(
        together(pilot), together(removed), together(variance).mean(dim=-1), search
    )
    samples = plane_yxs.shape[2]
    change = change[..., middle * samples : (middle + 1) * samples]
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
    columns = references(width, search)

    def of_band(place: tuple[int, int, Tensor]) -> Tensor:
        top, bottom, rows = place
        band = values[:, :, top:bottom]
        groups = most_similar(band[samples + 1 :], rows - top, columns, search)
        return regressed_groups(band, groups, search.side)

    places = list(bands(height, search))
    if values.device.type == "cpu":
        highest = max(bottom - top for top, bottom, _ in places)
        held = 2 * search.side**2 * values[samples + 1 :, :, :highest].numel()
        found = map_in_threads(of_band, places, _VALUES_IN_THREADS // held)
    else:
        found = [of_band(place) for place in places]
    for (top, bottom, _), part in zip(places, found, strict=True):
        sums[:, top:bottom] += part
    # Where patches are alike to the last digit, a pixel may be in no group.
    sums[:-1] /= sums[-1].clamp_min(torch.finfo(sums.dtype).tiny)
    return sums[:samples].permute(1, 2, 0), sums[-2]


def _tensor(plane: NDArray[np.floating]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(plane, dtype=np.float32))
