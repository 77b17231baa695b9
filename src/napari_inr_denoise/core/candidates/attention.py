"""Attention network as a candidate, fitted to one plane or to many tiles."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from numpy.typing import NDArray
from torch import Tensor

from napari_inr_denoise.core.candidates.base import BlindSpotModel
from napari_inr_denoise.core.candidates.training import (
    HeldOutValues,
    Trainer,
    TrainingTile,
    evaluation,
    map_unique,
    squared_error_and_risk,
)
from napari_inr_denoise.core.compute.error_curve import Evaluation
from napari_inr_denoise.core.compute.optimization.gradient import Loss, part_count
from napari_inr_denoise.core.compute.optimization.optimizer import AveragingOptimizer
from napari_inr_denoise.core.compute.threads import one_thread
from napari_inr_denoise.core.ensemble.prediction import Candidate
from napari_inr_denoise.core.networks.attention import PHASES, AttentionNetwork
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.sampling.augmentation import (
    N_ORIENTATIONS,
    augment,
    undo_augmentation,
)
from napari_inr_denoise.core.sampling.context import context_planes
from napari_inr_denoise.core.sampling.normalization import (
    CommonScale,
    PlaneScale,
    VarianceTable,
)
from napari_inr_denoise.core.sampling.stack.series import SeriesTile
from napari_inr_denoise.core.settings import ATTENTION, DenoiseSettings

_MOST_MEASURED = 4
"""Crops on which the error is measured."""
_CROP = 96
"""Side of the training crops in pixels; a multiple of `PHASES`."""


class AttentionModel(BlindSpotModel):
    """Convolutional blind-spot network with attention to a wide neighbourhood."""

    name = ATTENTION
    bytes_per_value = 2000.0

    def trainer(
        self,
        tiles: Sequence[TrainingTile],
        scale: CommonScale,
        settings: DenoiseSettings,
        device: torch.device,
        steps: int,
    ) -> Trainer:
        """Return a new network, ready to be trained; see `BlindSpotModel.trainer`."""
        parts = map_unique(
            tiles, lambda one: Crops.of(one.tile, one.targets_yx, scale, device)
        )
        return AttentionTrainer(scale, parts, settings, steps)

    def steps(self, settings: DenoiseSettings) -> int:
        """Return the optimization steps that the settings want for one plane."""
        return settings.attention.steps


@dataclass(frozen=True)
class Crops:
    """A tile that training crops are taken from.

    Attributes
    ----------
    problem : NoisyPlane
        Noisy plane and its noise model.
    scale : PlaneScale
        Normalized values of the plane.
    planes : Tensor, shape (2 * samples + 2 + context * (samples + 1), Y, X)
        Network inputs: linear and variance-stabilized values, masks of the valid pixels
        and of the training targets, and the context slices (see `context_planes`).
    weight : float
        Weight of the tile's errors in the loss.
    context : int
        Number of context slices.
    """

    problem: NoisyPlane
    scale: PlaneScale
    planes: Tensor
    weight: float
    context: int

    @classmethod
    def of(
        cls,
        tile: SeriesTile,
        targets_yx: NDArray[np.bool_],
        common: CommonScale,
        device: torch.device,
    ) -> Crops:
        """Return a tile and its context slices in the scale of all tiles."""
        problem, context = tile.problem, tile.context
        if problem.hidden_in_context:  # the network sees the pixel in other planes
            context = ()
        scale = PlaneScale(problem, device, common)
        masks = torch.from_numpy(np.stack([problem.fitted_yx, targets_yx]))
        planes = torch.cat(
            [
                scale.linear_syx,
                scale.stabilized_syx,
                masks.to(device, torch.float32),
                *context_planes(problem, context, common, device),
            ]
        )
        return cls(problem, scale, planes, common.weight(problem), len(context))


class AttentionTrainer(Trainer):
    """An attention network with its optimizer and training tiles.

    Parameters
    ----------
    scale : CommonScale
        Scale of the values of all tiles, including those that are only predicted.
    parts : sequence of Crops
        Training tiles, at least one, all in this scale. The first is shown during the
        training.
    settings : DenoiseSettings
        Gives width, batch size, learning rate and seed.
    steps : int
        Largest number of optimization steps.
    """

    def __init__(
        self,
        scale: CommonScale,
        parts: Sequence[Crops],
        settings: DenoiseSettings,
        steps: int,
    ) -> None:
        self._scale, self._parts = scale, parts
        self._padded = [_padded(part.planes, _CROP) for part in parts]
        self._device = parts[0].planes.device
        # Moved to the device once: a copy in each step would wait for the device.
        weights = torch.tensor([part.weight for part in parts], device=self._device)
        self._weights = weights.unbind()
        self._samples = parts[0].problem.plane_yxs.shape[2]
        start = torch.Generator().manual_seed(settings.seed)
        self._network = AttentionNetwork(
            self._samples, settings.attention.width, parts[0].context, start
        ).to(self._device)
        self._optimizer = AveragingOptimizer(
            self._network, settings.attention.learning_rate
        )
        self.steps = steps
        self._batch = settings.attention.batch_size
        self._generator = torch.Generator()
        self._measured = self._some_crops()
        self._generator.manual_seed(settings.seed)
        self._done = 0

    def _evaluate(self, planes: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return linear values, blind-spot prediction, result and gain."""
        n = self._samples
        linear, stabilized = planes[:, :n], planes[:, n : 2 * n]
        counts, context = planes[:, 2 * n : 2 * n + 1], planes[:, 2 * n + 2 :]
        predicted, gain = self._network(linear, stabilized, counts, context)
        fixed = predicted.detach()
        return (
            linear,
            predicted,
            fixed + gain * counts * (linear - fixed),
            gain * counts,
        )

    def advance(self) -> None:
        """Take one optimization step on random crops with random augmentations."""
        with one_thread():
            counted, crops = self._crops()
        size = math.ceil(self._batch / part_count(self._device))
        shares = zip(*(one.split(size) for one in crops), strict=True)
        self._optimizer.step([Loss(self._loss, (counted, *part)) for part in shares])
        self._done += 1

    def _crops(self) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Draw a batch; return its number of targets and the inputs of `_loss`."""
        drawn = [self._drawn() for _ in range(self._batch)]
        planes = torch.stack([self._crop(self._padded[part]) for part in drawn])
        counted = planes[:, 2 * self._samples + 1].sum().clamp_min(1.0) * self._samples
        weights = torch.stack([self._weights[part] for part in drawn])
        tables = VarianceTable.of([self._parts[k].scale.variances for k in drawn])
        return counted, (planes, weights, *tables.parts)

    def _loss(
        self, counted: Tensor, planes: Tensor, weights: Tensor, *table: Tensor
    ) -> Tensor:
        """Return the sum of the losses of some crops, over the number of targets."""
        linear, predicted, result, gain = self._evaluate(planes)
        rows = predicted.detach().movedim(1, -1).reshape(len(planes), -1, self._samples)
        variance = VarianceTable(*table).at(rows)
        variance = variance.view(len(planes), _CROP, _CROP, self._samples)
        added = variance.movedim(-1, 1) * gain
        loss = squared_error_and_risk(linear, predicted, result, added)
        targets = planes[:, 2 * self._samples + 1].unsqueeze(1)
        return (loss * targets * weights[:, None, None, None]).sum() / counted

    def averaged(self) -> AbstractContextManager[None]:
        """Use the averaged weights within the context."""
        return self._optimizer.averaged()

    def finish(self) -> None:
        """End the training; the network keeps the averaged weights."""
        self._optimizer.finish()

    @torch.no_grad()
    def evaluate(self) -> Evaluation | None:
        """Compare result and held-out pixels of some crops."""
        with one_thread():
            values = [
                self._compared(self._parts[k], part) for k, part in self._measured
            ]
        return evaluation(values, self._scale, self._parts[0].problem)

    def _compared(self, part: Crops, planes: Tensor) -> HeldOutValues:
        """Return residual and unbiased risk of held-out pixels, in noise variances."""
        n = self._samples
        linear, predicted, result, gain = self._evaluate(planes[None])
        held_out = (planes[2 * n] > 0) & (planes[2 * n + 1] == 0)
        rows = predicted.movedim(1, -1).reshape(1, -1, n)
        variance = part.scale.variances.at(rows).view(1, _CROP, _CROP, n)
        residual = (result - linear).square()
        risk = residual + (2 * gain - 1) * variance.movedim(-1, 1)
        scale = self._scale.in_noise_variances(part.problem)
        return HeldOutValues(
            residual.mean(dim=1)[0][held_out] * scale,
            risk.mean(dim=1)[0][held_out] * scale,
        )

    def _drawn(self) -> int:
        """Return a random tile number; the generator is not used for a single tile."""
        return self._random(len(self._parts)) if len(self._parts) > 1 else 0

    def _some_crops(self) -> list[tuple[int, Tensor]]:
        """Return crops to measure the error on, each with the number of its tile."""
        numbers = [k for k in range(len(self._padded)) for _ in range(_MOST_MEASURED)]
        numbers = numbers[:: len(self._padded)]
        self._generator.manual_seed(0)
        places = {
            (number, *self._place(self._padded[number])): number for number in numbers
        }
        return [
            (number, self._padded[number][:, slice(*rows), slice(*columns)])
            for (_, rows, columns), number in places.items()
        ]

    def _crop(self, padded: Tensor) -> Tensor:
        """Return a random crop, flipped and rotated at random; (planes, crop, crop)."""
        rows, columns = self._place(padded)
        crop = padded[:, slice(*rows), slice(*columns)]
        return augment(crop, self._random(N_ORIENTATIONS))

    def _place(self, padded: Tensor) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return the first and last row, and column, of a random crop."""
        top, left = (self._random(size - _CROP + 1) for size in padded.shape[1:])
        return (top, top + _CROP), (left, left + _CROP)

    def _random(self, limit: int) -> int:
        return int(torch.randint(limit, (1,), generator=self._generator))

    @torch.no_grad()
    def predict(
        self, tile: SeriesTile | None, n_augmentations: int
    ) -> Generator[None, None, Candidate]:
        """Predict a tile, trained on or not; see `Trainer.predict`."""
        part = self._parts[0]
        if tile is not None:
            nothing = np.zeros_like(tile.problem.fitted_yx)
            part = Crops.of(tile, nothing, self._scale, self._device)
        height, width, samples = part.problem.plane_yxs.shape
        whole = _padded(part.planes, _CROP)
        total = torch.zeros(2 * samples, height, width, device=self._device)
        for orientation in range(n_augmentations):
            planes = augment(whole, orientation)
            _, _, result, gain = self._evaluate(_padded(planes, PHASES)[None])
            both = torch.cat([result[0], gain[0]])
            both = both[:, : planes.shape[1], : planes.shape[2]]
            total += (
                undo_augmentation(both, orientation)[:, :height, :width]
                / n_augmentations
            )
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
    """Pad planes to at least `least` pixels a side, and to a multiple of `PHASES`.

    The padding is 0 in the masks too, so that it is ignored.
    """
    height, width = planes.shape[1:]
    down, right = (max(least - size, 0) for size in (height, width))
    down += -(height + down) % PHASES
    right += -(width + right) % PHASES
    return F.pad(planes, (0, right, 0, down))
