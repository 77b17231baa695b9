"""Fit a network to one noisy plane: a generator of frozen steps.

A caller that wants to stop closes the generator and keeps `step.best`. Nothing
numerical ever raises: a fit that goes wrong ends with the best state before and a
reason.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_inr_denoise.core.coordinates import first_layer_omega
from napari_inr_denoise.core.networks.siren import Siren
from napari_inr_denoise.core.noise import NoiseModel
from napari_inr_denoise.core.patches import PatchGrid
from napari_inr_denoise.core.problem import FitProblem
from napari_inr_denoise.core.quality import Quality
from napari_inr_denoise.core.safeguard import keep_in_range
from napari_inr_denoise.core.settings import DenoiseSettings
from napari_inr_denoise.core.siren_training import SirenTraining
from napari_inr_denoise.core.stopping import (
    Budget,
    Discrepancy,
    FirstOf,
    StopReason,
)

_ROBUST_RANGE = (0.1, 99.9)
"""Percentiles that map to -1 and 1, so that one hot pixel does not squeeze the rest."""


@dataclass(frozen=True)
class FitResult:
    """The state of a fit that is kept.

    Attributes
    ----------
    plane_yxs : ndarray of float32, shape (Y, X, samples)
        Denoised intensities in the image's units; treat as read-only.
    residual_rms : float
        Root of MSE(output, noisy) over the pixels that count, in the image's units.
    steps : int
        Steps after which this state was reached.
    reason : StopReason
        Why the fit ended; CALLER while it still runs.
    weights : tuple of (name, weight)
        The networks that the result is the weighted mean of.
    quality : Quality or None
        What is known of the error; None while the fit still runs.
    uncertainty_yxs : ndarray of float32, shape (Y, X, samples), or None
        Standard deviation of the error of each pixel, in the image's units.
    """

    plane_yxs: NDArray[np.float32] = field(repr=False)
    residual_rms: float
    steps: int
    reason: StopReason
    weights: tuple[tuple[str, float], ...] = ()
    quality: Quality | None = field(default=None, repr=False)
    uncertainty_yxs: NDArray[np.float32] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class FitStep:
    """A look at the whole image during a fit.

    Attributes
    ----------
    step, max_steps : int
        Steps done and the budget.
    residual_rms : float
        Of this state, in the image's units.
    noise : NoiseModel
        What the residual is compared with.
    progress : float
        Estimated share of the fit that is done, 0 to 1, never falling.
    steps_per_second : float
        Rate of the optimisation alone, since the start.
    best : FitResult
        What a caller that stops now should keep.
    """

    step: int
    max_steps: int
    residual_rms: float
    noise: NoiseModel
    progress: float
    steps_per_second: float
    best: FitResult


FitSteps = Generator[FitStep, None, FitResult]


def fit_steps(
    problem: FitProblem, settings: DenoiseSettings, device: torch.device
) -> FitSteps:
    """Fit a SIREN to a plane until the residual comes down to the noise level.

    Kim, Lee, Shin, arXiv 2204.02405; what the paper leaves open is named in
    `DenoiseSettings`.

    Parameters
    ----------
    problem : FitProblem
        With at least one valid pixel and a noise level above 0.
    settings : DenoiseSettings
        Network, optimiser, regularisation and budget.
    device : torch.device
        Where to compute.

    Yields
    ------
    FitStep
        At every look at the whole image, the first before any step.

    Returns
    -------
    FitResult
        The averaged network's output at the stop.
    """
    fit = _Fit(problem, settings, device)
    rule = FirstOf(
        (Discrepancy(problem.noise.sigma_chen**2), Budget(settings.max_steps))
    )
    first = before = look = best = fit.look()
    progress = 0.0
    while math.isfinite(look.residual_rms):
        if look.residual_rms <= best.residual_rms:
            best = look
        reason = rule.check(look.steps, look.residual_rms**2)
        if reason is not None:
            final = fit.look(stride=1) if best is look else best
            return replace(final, reason=reason)
        progress = max(progress, _progress(look, first, problem, settings))
        yield FitStep(
            step=look.steps,
            max_steps=settings.max_steps,
            residual_rms=look.residual_rms,
            noise=problem.noise,
            progress=progress,
            steps_per_second=fit.steps_per_second,
            best=best,
        )
        fit.advance(
            steps_to_next_look(before, look, problem.noise.sigma_chen, settings)
        )
        before, look = look, fit.look()
    if best.steps == 0 and not math.isfinite(best.residual_rms):
        best = FitResult(problem.plane_yxs.astype(np.float32), 0.0, 0, best.reason)
    return replace(best, reason=StopReason.NON_FINITE)


def steps_to_next_look(
    before: FitResult, now: FitResult, sigma: float, settings: DenoiseSettings
) -> int:
    """Return how many steps to take before the whole image is looked at again.

    Never more than `judge_every`; fewer when the residual, going on as it fell
    between the last two looks, would come down to the noise level earlier. So the
    stop is not overshot early in a fit, where a few steps change much.

    Parameters
    ----------
    before, now : FitResult
        The last two looks.
    sigma : float
        Noise level in the same units.
    settings : DenoiseSettings
        For `judge_every` and `max_steps`.
    """
    limit = min(settings.judge_every, settings.max_steps - now.steps)
    fallen = math.log(max(before.residual_rms, 1e-300) / now.residual_rms)
    if fallen <= 0 or now.steps == before.steps:
        return limit
    left = math.log(now.residual_rms / sigma)
    expected = left / fallen * (now.steps - before.steps)
    return max(min(math.ceil(expected), limit), 1)


def _progress(
    look: FitResult, first: FitResult, problem: FitProblem, settings: DenoiseSettings
) -> float:
    """Estimate how much of the fit is done: by the steps or by the residual."""
    by_steps = look.steps / settings.max_steps
    height = math.log(max(first.residual_rms / problem.noise.sigma_chen, 1.0 + 1e-9))
    left = math.log(max(look.residual_rms / problem.noise.sigma_chen, 1.0))
    # The residual falls fast at first and slowly in the end: the square makes the
    # bar move about evenly.
    return min(max(by_steps, (1 - left / height) ** 2), 1.0)


class _Fit:
    """A network, its optimiser and the plane in the network's own scale."""

    def __init__(
        self, problem: FitProblem, settings: DenoiseSettings, device: torch.device
    ) -> None:
        self._problem = problem
        self._settings = settings
        self._offset, self._scale = _value_range(problem)
        scaled = (problem.plane_yxs - self._offset) / self._scale
        plane_syx = torch.from_numpy(
            np.ascontiguousarray(scaled.transpose(2, 0, 1), dtype=np.float32)
        ).to(device)
        fitted_yx = torch.from_numpy(problem.fitted_yx.copy()).to(device)
        self._grid = PatchGrid(
            plane_syx, fitted_yx, settings.patch_size, problem.spacing_yx
        )
        self._network = _new_network(problem, self._grid, settings)
        means = torch.from_numpy(scaled[problem.fitted_yx].mean(axis=0))
        self._network.set_output_bias(means.repeat_interleave(settings.patch_size**2))
        self._network.to(device)
        self._training = SirenTraining(self._network, settings)
        self._generator = torch.Generator(device=device).manual_seed(settings.seed)
        self._steps, self._seconds = 0, 0.0

    def advance(self, steps: int) -> None:
        """Take optimisation steps on random batches of patches."""
        started = time.monotonic()
        for _ in range(steps):
            batch = self._grid.draw(self._settings.batch_size, self._generator)
            self._training.step(*batch)
        self._steps += steps
        self._seconds += time.monotonic() - started

    @property
    def steps_per_second(self) -> float:
        """Steps taken over the time they took; 0 before the first."""
        return self._steps / self._seconds if self._seconds > 0 else 0.0

    def look(self, stride: int | None = None) -> FitResult:
        """Render the averaged network and compare it with the noisy plane.

        Parameters
        ----------
        stride : int, optional
            Distance of the patches that are averaged; half a patch if omitted,
            which costs a quarter of the full average at a stride of 1 or less.
        """
        if stride is None:
            stride = max(self._settings.patch_size // 2, 1)
        self._training.average.apply()
        rendered: Tensor = self._grid.render(self._network, stride)
        self._training.average.restore()
        plane_yxs = rendered.permute(1, 2, 0).cpu().numpy() * self._scale + self._offset
        kept = keep_in_range(self._problem, plane_yxs)
        rms = self._problem.residual_rms(kept)
        return FitResult(kept, rms, self._steps, StopReason.CALLER)


def _new_network(
    problem: FitProblem, grid: PatchGrid, settings: DenoiseSettings
) -> Siren:
    """Return the network with weights drawn from the run's seed."""
    return Siren(
        2,
        grid.values_per_patch,
        width=settings.width,
        depth=settings.depth,
        omega=settings.omega,
        first_omega=first_layer_omega(
            settings.first_period, grid.shape_yx, problem.spacing_yx
        ),
        generator=torch.Generator().manual_seed(settings.seed),
    )


def _value_range(problem: FitProblem) -> tuple[float, float]:
    """Return offset and scale that bring the plane's values to about [-1, 1]."""
    values = problem.plane_yxs[problem.fitted_yx]
    low, high = np.percentile(values, _ROBUST_RANGE)
    if high <= low:
        low, high = values.min(), values.max()
    # Of values that are all the same there is no range.
    return float(low + high) / 2, float(high - low) / 2 or 1.0
