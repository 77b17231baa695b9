"""Fit the attention-guided network to one plane or many: a generator of progress."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from numpy.typing import NDArray
from torch import Tensor

from napari_inr_denoise.core.candidates.base import (
    Optimiser,
    Training,
    squared_error_and_risk,
    train,
)
from napari_inr_denoise.core.compute.gradient import Loss, one_thread, part_count
from napari_inr_denoise.core.ensemble.prediction import Candidate
from napari_inr_denoise.core.networks.attention import PHASES, AttentionNetwork
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.sampling.augmentation import TURNS, turned, turned_back
from napari_inr_denoise.core.sampling.context import context_planes
from napari_inr_denoise.core.sampling.normalization import (
    CommonScale,
    PlaneScale,
    VarianceTable,
)
from napari_inr_denoise.core.settings import ATTENTION, DenoiseSettings

_CROP = 96
"""Side of what is trained on in a step, in pixels: a multiple of `PHASES`."""


def attention_steps(
    problem: NoisyPlane,
    targets_yx: NDArray[np.bool_],
    settings: DenoiseSettings,
    device: torch.device,
) -> Generator[Training, None, Candidate]:
    """Train on crops of one plane and predict it.

    Parameters
    ----------
    problem : NoisyPlane
        The plane, its valid pixels and its noise, taken as not correlated.
    targets_yx : ndarray of bool, shape (Y, X)
        Pixels to train on; the others are only looked at.
    settings : DenoiseSettings
        Width, steps and turns.
    device : torch.device
        Where to compute.

    Yields
    ------
    Training
        Every few steps.

    Returns
    -------
    Candidate
        Averaged over the turns.
    """
    part = Crops.of(problem, targets_yx, CommonScale.of([problem]), device)
    fit = AttentionFit([part], settings, settings.attention_steps)
    return train(fit, settings.turns)


@dataclass(frozen=True)
class Crops:
    """A plane, or a part of one, that crops are taken from.

    Attributes
    ----------
    problem : NoisyPlane
        The plane.
    scale : PlaneScale
        Its values in the network's scale.
    planes : Tensor, shape (2 * samples + 2 + context * (samples + 1), Y, X)
        Linear and stabilised values, what counts, what is trained on, and the planes
        beside (see `context_planes`).
    weight : float
        Of its errors among those of other planes.
    context : int
        How many planes beside.
    """

    problem: NoisyPlane
    scale: PlaneScale
    planes: Tensor
    weight: float
    context: int

    @classmethod
    def of(
        cls,
        problem: NoisyPlane,
        targets_yx: NDArray[np.bool_],
        common: CommonScale,
        device: torch.device,
        context: Sequence[NoisyPlane | None] = (),
    ) -> Crops:
        """Return a plane, and those beside it, under the scale of all."""
        scale = PlaneScale(problem, device, common)
        masks = torch.from_numpy(np.stack([problem.fitted_yx, targets_yx]))
        planes = torch.cat(
            [
                scale.linear_syx,
                scale.stabilised_syx,
                masks.to(device, torch.float32),
                *context_planes(problem, context, common, device),
            ]
        )
        return cls(problem, scale, planes, common.weight(problem), len(context))


class AttentionFit:
    """One network, its optimiser, and the planes that it is trained on.

    Parameters
    ----------
    parts : sequence of Crops
        At least one, all under one scale. The first is the one that is shown.
    settings : DenoiseSettings
        Width, batch and rate.
    steps : int
        Optimisation steps.
    """

    def __init__(
        self, parts: Sequence[Crops], settings: DenoiseSettings, steps: int
    ) -> None:
        self._parts = parts
        self._padded = [_padded(part.planes, _CROP) for part in parts]
        self._device = parts[0].planes.device
        # On the device before the first step: made in a step they would be waited for.
        weights = torch.tensor([part.weight for part in parts], device=self._device)
        self._weights = weights.unbind()
        self._samples = parts[0].problem.plane_yxs.shape[2]
        start = torch.Generator().manual_seed(settings.seed)
        self._network = AttentionNetwork(
            self._samples, settings.attention_width, parts[0].context, start
        ).to(self._device)
        self._optimiser = Optimiser(self._network, settings.attention_rate, steps)
        self.steps = steps
        self._batch = settings.attention_batch
        self._generator = torch.Generator().manual_seed(settings.seed)
        self._done = 0

    def _answer(self, planes: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return linear values, prediction, result and gain."""
        n = self._samples
        linear, stabilised = planes[:, :n], planes[:, n : 2 * n]
        counts, context = planes[:, 2 * n : 2 * n + 1], planes[:, 2 * n + 2 :]
        predicted, gain = self._network(linear, stabilised, counts, context)
        fixed = predicted.detach()
        return (
            linear,
            predicted,
            fixed + gain * counts * (linear - fixed),
            gain * counts,
        )

    def advance(self) -> None:
        """Take one optimisation step on random crops in random turns."""
        with one_thread():
            counted, crops = self._crops()
        size = math.ceil(self._batch / part_count(self._device))
        shares = zip(*(one.split(size) for one in crops), strict=True)
        self._optimiser.step([Loss(self._loss, (counted, *part)) for part in shares])
        self._done += 1

    def _crops(self) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return how many values count, and of each crop what `_loss` takes."""
        drawn = [self._drawn() for _ in range(self._batch)]
        planes = torch.stack([self._crop(self._padded[part]) for part in drawn])
        counted = planes[:, 2 * self._samples + 1].sum().clamp_min(1.0) * self._samples
        weights = torch.stack([self._weights[part] for part in drawn])
        tables = VarianceTable.of([self._parts[k].scale.variances for k in drawn])
        return counted, (planes, weights, *tables.parts)

    def _loss(
        self, counted: Tensor, planes: Tensor, weights: Tensor, *table: Tensor
    ) -> Tensor:
        """Return the share of some crops in the mean loss over so many values."""
        linear, predicted, result, gain = self._answer(planes)
        rows = predicted.detach().movedim(1, -1).reshape(len(planes), -1, self._samples)
        variance = VarianceTable(*table).at(rows)
        variance = variance.view(len(planes), _CROP, _CROP, self._samples)
        added = variance.movedim(-1, 1) * gain
        loss = squared_error_and_risk(linear, predicted, result, added)
        targets = planes[:, 2 * self._samples + 1].unsqueeze(1)
        return (loss * targets * weights[:, None, None, None]).sum() / counted

    def _drawn(self) -> int:
        """Return the number of a random part; no number is drawn where there is one."""
        return self._random(len(self._parts)) if len(self._parts) > 1 else 0

    def _crop(self, padded: Tensor) -> Tensor:
        """Return a random crop in a random turn, (planes, crop, crop)."""
        first = [self._random(size - _CROP + 1) for size in padded.shape[1:]]
        rows, columns = (slice(at, at + _CROP) for at in first)
        return turned(padded[:, rows, columns], self._random(TURNS))

    def _random(self, limit: int) -> int:
        return int(torch.randint(limit, (1,), generator=self._generator))

    def render(self, turns: int) -> Generator[None, None, Candidate]:
        """Return the first part, the mean over the first so many turns."""
        return (yield from self.answer(self._parts[0], turns))

    @torch.no_grad()
    def answer(self, part: Crops, turns: int) -> Generator[None, None, Candidate]:
        """Return any part under the same scale, trained on or not."""
        height, width, samples = part.problem.plane_yxs.shape
        whole = _padded(part.planes, _CROP)
        total = torch.zeros(2 * samples, height, width, device=self._device)
        for turn in range(turns):
            planes = turned(whole, turn)
            _, _, result, gain = self._answer(_padded(planes, PHASES)[None])
            both = torch.cat([result[0], gain[0]])
            both = both[:, : planes.shape[1], : planes.shape[2]]
            total += turned_back(both, turn)[:, :height, :width] / turns
            yield
        result, gain = total.movedim(0, -1).chunk(2, dim=-1)
        return Candidate(
            ATTENTION,
            part.scale.to_intensities(result),
            gain.cpu().numpy(),
            self._done,
            StopReason.TRAINED,
        )


def _padded(planes: Tensor, least: int) -> Tensor:
    """Return planes of at least so many pixels a side, in whole phases.

    What is added counts nowhere: it is 0 in the masks too.
    """
    height, width = planes.shape[1:]
    down, right = (max(least - size, 0) for size in (height, width))
    down += -(height + down) % PHASES
    right += -(width + right) % PHASES
    return F.pad(planes, (0, right, 0, down))
