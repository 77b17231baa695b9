"""Fit the attention-guided network to one plane: a generator of progress."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from numpy.typing import NDArray
from torch import Tensor

from napari_inr_denoise.core.blind_spot import (
    Optimiser,
    Training,
    squared_error_and_risk,
    train,
)
from napari_inr_denoise.core.candidate import Candidate
from napari_inr_denoise.core.networks.attention import PHASES, AttentionNetwork
from napari_inr_denoise.core.problem import FitProblem
from napari_inr_denoise.core.scaling import PlaneScale
from napari_inr_denoise.core.settings import DenoiseSettings
from napari_inr_denoise.core.stopping import StopReason

NAME = "attention"
_CROP = 96
_TURNS = 8


def attention_steps(
    problem: FitProblem,
    targets_yx: NDArray[np.bool_],
    settings: DenoiseSettings,
    device: torch.device,
) -> Generator[Training, None, Candidate]:
    """Train on crops of one plane and predict it.

    Parameters
    ----------
    problem : FitProblem
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
    return train(_Fit(problem, targets_yx, settings, device), settings.turns)


class _Fit:
    """The network, its optimiser and the plane, padded to hold a crop."""

    def __init__(
        self,
        problem: FitProblem,
        targets_yx: NDArray[np.bool_],
        settings: DenoiseSettings,
        device: torch.device,
    ) -> None:
        self._shape = problem.plane_yxs.shape
        self._scale = PlaneScale(problem, device)
        masks = np.stack([problem.fitted_yx, targets_yx])
        self._samples = self._shape[2]
        # Linear and stabilised values, what counts, and what is trained on.
        planes = torch.cat(
            [
                self._scale.linear_syx,
                self._scale.stabilised_syx,
                torch.from_numpy(masks).to(device, torch.float32),
            ]
        )
        self._planes = _padded(planes, _CROP)
        start = torch.Generator().manual_seed(settings.seed)
        self._network = AttentionNetwork(
            self._samples, settings.attention_width, start
        ).to(device)
        self._optimiser = Optimiser(
            self._network, settings.attention_rate, settings.attention_steps
        )
        self.steps = settings.attention_steps
        self._batch = settings.attention_batch
        self._generator = torch.Generator().manual_seed(settings.seed)
        self._done = 0

    def _answer(self, planes: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return linear values, prediction, result and gain."""
        samples = self._samples
        linear = planes[:, :samples]
        stabilised, counts = planes[:, samples : 2 * samples], planes[:, [-2]]
        predicted, gain = self._network(linear, stabilised, counts)
        fixed = predicted.detach()
        return (
            linear,
            predicted,
            fixed + gain * counts * (linear - fixed),
            gain * counts,
        )

    def advance(self) -> None:
        """Take one optimisation step on random crops in random turns."""
        planes = torch.stack([self._crop() for _ in range(self._batch)])
        linear, predicted, result, gain = self._answer(planes)
        rows = predicted.detach().movedim(1, -1).reshape(-1, self._samples)
        variance = self._scale.variance(rows).view(
            len(planes), _CROP, _CROP, self._samples
        )
        added = variance.movedim(-1, 1) * gain
        loss = squared_error_and_risk(linear, predicted, result, added)
        targets = planes[:, [-1]]
        counted = (targets.sum() * self._samples).clamp_min(1.0)
        self._optimiser.step((loss * targets).sum() / counted)
        self._done += 1

    def _crop(self) -> Tensor:
        """Return a random crop in a random turn, (planes, crop, crop)."""
        first = [self._random(size - _CROP + 1) for size in self._planes.shape[1:]]
        rows, columns = (slice(at, at + _CROP) for at in first)
        return _turned(self._planes[:, rows, columns], self._random(_TURNS))

    def _random(self, limit: int) -> int:
        return int(torch.randint(limit, (1,), generator=self._generator))

    @torch.no_grad()
    def render(self, turns: int) -> Generator[None, None, Candidate]:
        """Return the whole plane, the mean over the first so many turns."""
        height, width, samples = self._shape
        total = torch.zeros(2 * samples, height, width, device=self._planes.device)
        for turn in range(turns):
            planes = _turned(self._planes, turn)
            _, _, result, gain = self._answer(_padded(planes, PHASES)[None])
            both = torch.cat([result[0], gain[0]])
            both = both[:, : planes.shape[1], : planes.shape[2]]
            total += _turned_back(both, turn)[:, :height, :width] / turns
            yield
        result, gain = total.movedim(0, -1).chunk(2, dim=-1)
        return Candidate(
            NAME,
            self._scale.to_intensities(result),
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


def _turned(planes: Tensor, turn: int) -> Tensor:
    """Return planes flipped along Y, X or both, and transposed."""
    planes = planes.flip(1) if turn & 1 else planes
    planes = planes.flip(2) if turn & 2 else planes
    return planes.transpose(1, 2) if turn & 4 else planes


def _turned_back(planes: Tensor, turn: int) -> Tensor:
    """Undo `_turned`."""
    planes = planes.transpose(1, 2) if turn & 4 else planes
    planes = planes.flip(2) if turn & 2 else planes
    return planes.flip(1) if turn & 1 else planes
