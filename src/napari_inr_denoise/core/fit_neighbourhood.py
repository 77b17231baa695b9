"""Fit the neighbourhood network to one plane: a generator of progress."""

from __future__ import annotations

import math
from collections.abc import Generator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_inr_denoise.core.blind_spot import (
    Optimiser,
    Training,
    squared_error_and_risk,
    train,
)
from napari_inr_denoise.core.candidate import Candidate
from napari_inr_denoise.core.correlation import residual_correlation
from napari_inr_denoise.core.neighbours import TURNS, Neighbours, Seen
from napari_inr_denoise.core.networks.neighbourhood import BLURS, Neighbourhood
from napari_inr_denoise.core.outcome import Outcome
from napari_inr_denoise.core.problem import FitProblem
from napari_inr_denoise.core.scaling import PlaneScale
from napari_inr_denoise.core.settings import DenoiseSettings
from napari_inr_denoise.core.stopping import StopReason

NAME = "neighbourhood"
_PREDICTION_ALONE = 0.4
"""Share of the steps before the gain is learned, where its noise must be seen first."""
_RENDER_BATCH = 16384
_MOST_PASSES = 45.0
"""How often each pixel is trained on, in the mean."""


def neighbourhood_steps(
    problem: FitProblem,
    targets_yx: NDArray[np.bool_],
    settings: DenoiseSettings,
    device: torch.device,
) -> Generator[Training, None, Candidate]:
    """Train on one plane and predict it.

    Minimises the squared error of the prediction plus Stein's unbiased risk of
    what is returned, prediction + gain * (pixel - prediction): the prediction has
    not seen the pixel, so that the risk needs no derivative of the network.

    Parameters
    ----------
    problem : FitProblem
        The plane, its valid pixels and its noise.
    targets_yx : ndarray of bool, shape (Y, X)
        Pixels to train on; the others are only looked at.
    settings : DenoiseSettings
        Window, width, steps and turns.
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
    """The network, its optimiser and the plane in the network's own scale."""

    def __init__(
        self,
        problem: FitProblem,
        targets_yx: NDArray[np.bool_],
        settings: DenoiseSettings,
        device: torch.device,
    ) -> None:
        self._problem = problem
        self._scale = PlaneScale(problem, device)
        counted = torch.from_numpy(problem.fitted_yx.copy()).to(device)
        self._neighbours = Neighbours(
            self._scale.linear_syx,
            self._scale.stabilised_syx,
            counted,
            settings.window_radius + problem.hole,
            problem.hole,
        )
        self._targets = torch.from_numpy(np.flatnonzero(targets_yx)).to(device)
        self._values = self._scale.linear_syx.flatten(1).t()
        self._batch = min(settings.window_batch, max(len(self._targets) // 16, 256))
        passes = settings.window_steps * self._batch / max(len(self._targets), 1)
        # A small plane is seen too often and learned by heart.
        most = settings.window_steps * min(1.0, _MOST_PASSES / max(passes, 1e-9))
        self.steps = max(math.ceil(most), 1)
        # Where the noise is correlated the gain waits until the correlation is known.
        early = _PREDICTION_ALONE if problem.hole else 0.0
        self._alone = math.ceil(self.steps * early)
        start = torch.Generator().manual_seed(settings.seed)
        blurs = len(BLURS) if problem.hole else 1
        self._network = Neighbourhood(
            self._neighbours.values,
            self._neighbours.samples,
            width=settings.window_width,
            depth=settings.window_depth,
            blurs=blurs,
            generator=start,
        ).to(device)
        self._basis = _blurs(self._neighbours, blurs)
        self._correlation = _own_pixel(self._neighbours)
        self._optimiser = Optimiser(self._network, settings.window_rate, self.steps)
        self._turns = torch.Generator().manual_seed(settings.seed)
        self._generator = torch.Generator(device=device).manual_seed(settings.seed)
        self._done = 0

    def _answer(self, seen: Seen, turn: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return prediction, result and own share of pixels, (N, samples) each."""
        columns = self._neighbours.turned_columns[turn]
        offset, gain, mix = self._network(seen.features, columns)
        predicted = seen.level + offset
        # Nothing is learned by moving the prediction to flatter the gain.
        fixed = predicted.detach()
        kernel = gain[..., None] * (mix @ self._basis) * seen.weight
        result = fixed + (kernel * (seen.hole - fixed[..., None])).sum(dim=-1)
        return predicted, result, (kernel * self._correlation).sum(dim=-1)

    def advance(self) -> None:
        """Take one optimisation step on random pixels in a random turn."""
        drawn = torch.randint(
            len(self._targets),
            (self._batch,),
            generator=self._generator,
            device=self._targets.device,
        )
        flat = self._targets[drawn]
        turn = int(torch.randint(TURNS, (1,), generator=self._turns))
        predicted, result, share = self._answer(self._neighbours.around(flat), turn)
        noisy = self._values[flat]
        if self._done >= self._alone:
            added = self._scale.variance(predicted.detach()) * share
            loss = squared_error_and_risk(noisy, predicted, result, added)
        else:
            loss = (predicted - noisy).square()
        self._optimiser.step(loss.mean())
        self._done += 1
        if self._done == self._alone:
            self._learn_correlation()

    @torch.no_grad()
    def _learn_correlation(self) -> None:
        """Take the noise's correlation in the hole from the prediction's residual."""
        for _ in (whole := Outcome(self._whole(turns=1))):
            pass
        predicted, _, _ = whole.result
        residual = (self._values - predicted).view(
            self._neighbours.height, self._neighbours.width, -1
        )
        table = residual_correlation(
            residual.cpu().numpy().astype(np.float64),
            predicted.view_as(residual).cpu().numpy(),
            self._problem.fitted_yx,
            self._neighbours.hole,
        )
        self._correlation = torch.from_numpy(table.ravel()).to(residual)

    def _whole(
        self, turns: int
    ) -> Generator[None, None, tuple[Tensor, Tensor, Tensor]]:
        """Return prediction, result and own share of all pixels, (Y * X, samples)."""
        pixels = len(self._values)
        sums = [torch.zeros_like(self._values) for _ in range(3)]
        for first in range(0, pixels, _RENDER_BATCH):
            flat = torch.arange(
                first, min(first + _RENDER_BATCH, pixels), device=self._values.device
            )
            seen = self._neighbours.around(flat)
            for turn in range(turns):
                for total, part in zip(sums, self._answer(seen, turn), strict=True):
                    total[flat] += part / turns
            yield
        return sums[0], sums[1], sums[2]

    @torch.no_grad()
    def render(self, turns: int) -> Generator[None, None, Candidate]:
        """Return the whole plane, the mean over the first so many turns."""
        _, result, share = yield from self._whole(turns)
        shape = self._problem.plane_yxs.shape
        return Candidate(
            NAME,
            self._scale.to_intensities(result).reshape(shape),
            share.cpu().numpy().reshape(shape),
            self._done,
            StopReason.TRAINED,
        )


def _blurs(neighbours: Neighbours, count: int) -> Tensor:
    """Return the blurs of what is hidden, (blurs, hidden); each sums to one."""
    widths = torch.tensor(BLURS[:count], device=neighbours.hidden_distance.device)
    blurs = torch.exp(-neighbours.hidden_distance / (2 * widths[:, None] ** 2))
    return blurs / blurs.sum(dim=1, keepdim=True)


def _own_pixel(neighbours: Neighbours) -> Tensor:
    """Return the correlation of white noise: one at the pixel itself."""
    return (neighbours.hidden_distance == 0).float()
