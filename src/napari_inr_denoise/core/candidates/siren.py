"""SIREN, the published method and a candidate, fitted to one noisy plane.

A caller that wants to stop closes the generator and keeps `step.best`. A numerical
failure raises no exception: the fit ends with the best state before it, and a reason.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_inr_denoise.core.candidates.base import CandidateModel, CandidateSteps, Cost
from napari_inr_denoise.core.candidates.siren_training import SirenTraining, new_siren
from napari_inr_denoise.core.compute.early_stopping import (
    FitProgress,
    until_noise_level,
)
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.compute.precision import total
from napari_inr_denoise.core.ensemble.filters.limits import range_of
from napari_inr_denoise.core.ensemble.plane_result import FitResult, FitStep, FitSteps
from napari_inr_denoise.core.ensemble.prediction import Candidate
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.sampling.normalization import robust_range, syx_tensor
from napari_inr_denoise.core.sampling.patches import PatchGrid
from napari_inr_denoise.core.settings import DenoiseSettings

_FULL_OVERLAP = 4
"""Cost of the final prediction with fully overlapping patches, in evaluations."""


def fit_steps(
    problem: NoisyPlane, settings: DenoiseSettings, device: torch.device
) -> FitSteps:
    """Fit a SIREN to a plane until the residual comes down to the noise level.

    Kim, Lee, Shin, arXiv 2204.02405. `DenoiseSettings` names the choices that the
    paper leaves open.

    Parameters
    ----------
    problem : NoisyPlane
        Noisy plane, with at least one valid pixel and a noise level above 0.
    settings : DenoiseSettings
        Parameters of network, optimizer and regularization, and the step budget.
    device : torch.device
        Device on which the network is trained.

    Yields
    ------
    FitStep
        At every evaluation of the whole plane, the first one before any step.

    Returns
    -------
    FitResult
        Output of the network with averaged weights at the stop.
    """
    fit = _Fit(problem, settings, device)
    run = GeneratorResult(
        until_noise_level(fit, problem.noise.sigma_chen, settings.siren)
    )
    for now in run:
        yield FitStep(
            step=now.current.steps,
            max_steps=settings.siren.max_steps,
            residual_rms=now.current.residual_rms,
            noise=problem.noise,
            progress=now.progress,
            steps_per_second=fit.steps_per_second,
            best=now.best,
        )
    end, reason = run.result
    result = replace(_final(fit, end, problem), reason=reason)
    if reason is StopReason.NOISE_LEVEL:
        result = replace(result, noise_level_step=result.steps)
    return result


class SirenModel(CandidateModel):
    """SIREN of one bandwidth, as a candidate.

    Parameters
    ----------
    name : str
        Name of the candidate.
    bandwidth : float
        Factor on `omega` and on the highest spatial frequency of the first layer.
    """

    bytes_per_value = 1200.0
    uses_all_threads = True

    def __init__(self, name: str, bandwidth: float) -> None:
        self.name, self._bandwidth = name, bandwidth

    def fit(
        self,
        problem: NoisyPlane,
        targets_yx: NDArray[np.bool_],
        settings: DenoiseSettings,
        device: torch.device,
        *,
        previews: bool = True,  # noqa: ARG002 - the stop rule evaluates the plane anyway
    ) -> CandidateSteps:
        """Fit until the residual reaches the noise level; see `CandidateModel.fit`."""
        part = replace(problem, fitted_yx=targets_yx)
        siren = replace(
            settings.siren,
            omega=settings.siren.omega * self._bandwidth,
            first_period=max(settings.siren.first_period / self._bandwidth, 1.0),
        )
        settings = replace(settings, siren=siren)
        result = yield from fit_steps(part, settings, device)
        # A single pixel hardly changes the fit, and a held-out pixel, on which the
        # weights are estimated, does not change it at all.
        divergence = np.zeros_like(result.plane_yxs)
        return Candidate(
            self.name,
            result.plane_yxs,
            divergence,
            result.steps,
            result.reason,
            result.noise_level_step,
        )

    def cost(
        self,
        pixels: int,  # noqa: ARG002
        settings: DenoiseSettings,
        *,
        correlated: bool = False,  # noqa: ARG002
    ) -> Cost:
        """Return the largest work of a fit, which may stop much earlier."""
        evaluations = settings.siren.max_steps // settings.siren.eval_every
        return Cost(settings.siren.max_steps, evaluations + _FULL_OVERLAP)


def _final(fit: _Fit, end: FitProgress[FitResult], problem: NoisyPlane) -> FitResult:
    """Return the best state; if it is the last one, with fully overlapping patches."""
    if not math.isfinite(end.best.residual_rms):
        # The fit failed before its first step.
        return FitResult(
            problem.measured_yxs.astype(np.float32), 0.0, 0, StopReason.NON_FINITE
        )
    return fit.evaluate(stride=1) if end.best is end.current else end.best


class _Fit:
    """A network, its optimizer, and the plane in the network's scale."""

    def __init__(
        self, problem: NoisyPlane, settings: DenoiseSettings, device: torch.device
    ) -> None:
        self._settings = settings
        fitted = problem.plane_yxs[problem.fitted_yx]
        self._offset, self._scale = robust_range(fitted)
        scaled = (problem.plane_yxs - self._offset) / self._scale
        self._noisy = syx_tensor(scaled, device)
        counts = torch.from_numpy(problem.fitted_yx.copy()).to(device)
        self._grid = PatchGrid(
            self._noisy, counts, settings.siren.patch_size, problem.spacing_yx
        )
        self._counts, self._counted = counts.float(), fitted.size
        self._range = [
            syx_tensor((end[None, None] - self._offset) / self._scale, device)
            for end in range_of(problem)
        ]
        means = torch.from_numpy(scaled[problem.fitted_yx].mean(axis=0))
        self._network = new_siren(
            self._grid.shape_yx, problem.spacing_yx, means, settings
        ).to(device)
        self._training = SirenTraining(self._network, self._grid.draw, settings)

    def advance(self, steps: int) -> None:
        """Take optimization steps."""
        self._training.advance(steps)

    @property
    def steps_per_second(self) -> float:
        """Steps taken over the time they took; 0 before the first."""
        return self._training.steps_per_second

    def evaluate(self, stride: int | None = None) -> FitResult:
        """Render the network with averaged weights and compute its residual.

        Computed on the device; only the plane and one number are copied to the host.

        Parameters
        ----------
        stride : int, optional
            Distance in pixels between the averaged patches; half a patch if omitted,
            which costs a quarter or less of the full average at a stride of 1.
        """
        if stride is None:
            stride = max(self._settings.siren.patch_size // 2, 1)
        self._training.average.apply()
        rendered: Tensor = self._grid.render(self._network, stride)
        self._training.average.restore()
        kept = rendered.clamp(*self._range)
        squares = (kept - self._noisy).square() * self._counts
        rms = math.sqrt(total(squares) / self._counted) * self._scale
        values = kept.mul(self._scale).add(self._offset).permute(1, 2, 0)
        plane_yxs: NDArray[np.float32] = values.cpu().numpy()
        return FitResult(plane_yxs, rms, self._training.steps, StopReason.CALLER)
