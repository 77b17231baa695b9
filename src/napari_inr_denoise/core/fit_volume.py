"""Fit one coordinate network in (z, y, x) to a whole volume: a generator of steps."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Generator
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray

from napari_inr_denoise.core.coordinates import first_layer_omega
from napari_inr_denoise.core.fit import FitResult, steps_to_next_look
from napari_inr_denoise.core.fitted_volume import FittedVolume
from napari_inr_denoise.core.networks.siren import Siren
from napari_inr_denoise.core.noise import NoiseModel
from napari_inr_denoise.core.settings import DenoiseSettings
from napari_inr_denoise.core.siren_training import SirenTraining
from napari_inr_denoise.core.stopping import (
    Budget,
    Discrepancy,
    FirstOf,
    StopReason,
)
from napari_inr_denoise.core.voxels import VoxelPatches

_ROBUST_RANGE = (0.1, 99.9)
_MOST_RANKED = 10**6
"""Voxels that the range of values is taken from."""


@dataclass(frozen=True)
class VolumeProblem:
    """One volume to fit.

    Attributes
    ----------
    values_szyx : ndarray of float32, shape (samples, Z, Y, X)
        Noisy intensities in the image's units, finite everywhere.
    counts_zyx : ndarray of bool, shape (Z, Y, X)
        Voxels that count in the fit and in the stop.
    noise : NoiseModel
        Of the whole volume, in the same units.
    spacing_zyx : tuple of float
        Size of a voxel; any one unit.
    """

    values_szyx: NDArray[np.float32] = field(repr=False)
    counts_zyx: NDArray[np.bool_] = field(repr=False)
    noise: NoiseModel
    spacing_zyx: tuple[float, float, float]


@dataclass(frozen=True)
class VolumeFit:
    """A look at the fit of a volume, or its end.

    Attributes
    ----------
    step, max_steps : int
        Steps done and the budget.
    residual_rms : float
        Of the averaged network, on the part of the volume that is looked at, in the
        image's units.
    reason : StopReason
        Why the fit ended; CALLER while it runs.
    progress : float
        Estimated share that is done, 0 to 1, never falling.
    steps_per_second : float
        Rate of the optimisation alone.
    function : FittedVolume
        The best state so far.
    """

    step: int
    max_steps: int
    residual_rms: float
    reason: StopReason
    progress: float
    steps_per_second: float
    function: FittedVolume = field(repr=False)


def volume_steps(
    problem: VolumeProblem, settings: DenoiseSettings, device: torch.device
) -> Generator[VolumeFit, None, VolumeFit]:
    """Fit SIREN to a volume until the residual comes down to the noise level.

    The published method (see `fit_steps`) with a third coordinate: at each position
    the network predicts a square of one plane. Distances count as they are in space,
    so that thick planes are smoothed less from one to the next than within.

    Parameters
    ----------
    problem : VolumeProblem
        With at least one voxel that counts and a noise level above 0.
    settings : DenoiseSettings
        Network, optimiser, regularisation and budget of SIREN.
    device : torch.device
        Where to compute.

    Yields
    ------
    VolumeFit
        At every look, the first before any step.

    Returns
    -------
    VolumeFit
        The best state, which is the last one unless the fit went wrong.
    """
    fit = _Fit(problem, settings, device)
    sigma = problem.noise.sigma_chen
    rule = FirstOf((Discrepancy(sigma**2), Budget(settings.max_steps)))
    first = before = look = best = fit.look(0.0)
    progress = 0.0
    while math.isfinite(look.residual_rms):
        if look.residual_rms <= best.residual_rms:
            best = look
        reason = rule.check(look.step, look.residual_rms**2)
        if reason is not None:
            return replace(best, reason=reason, progress=1.0)
        progress = max(progress, _progress(look, first, sigma))
        look = replace(look, progress=progress)
        yield replace(best, step=look.step, progress=progress)
        known, now = (
            FitResult(_NOTHING, one.residual_rms, one.step, one.reason)
            for one in (before, look)
        )
        fit.advance(steps_to_next_look(known, now, sigma, settings))
        before, look = look, fit.look(progress)
    return replace(best, reason=StopReason.NON_FINITE, progress=1.0)


_NOTHING = np.empty((0, 0, 1), dtype=np.float32)


def _progress(look: VolumeFit, first: VolumeFit, sigma: float) -> float:
    """Estimate how much is done: by the steps or by the residual."""
    height = math.log(max(first.residual_rms / sigma, 1.0 + 1e-9))
    left = math.log(max(look.residual_rms / sigma, 1.0))
    return min(max(look.step / look.max_steps, (1 - left / height) ** 2), 1.0)


class _Fit:
    """A network, its optimiser and the volume in the network's own scale."""

    def __init__(
        self, problem: VolumeProblem, settings: DenoiseSettings, device: torch.device
    ) -> None:
        self._settings, self._spacing = settings, problem.spacing_zyx
        self._offset, self._scale = _value_range(problem)
        scaled = torch.from_numpy(problem.values_szyx).to(device)
        scaled = (scaled - self._offset) / self._scale
        counts = torch.from_numpy(problem.counts_zyx).to(device)
        side = settings.patch_size
        self._patches = VoxelPatches(scaled, counts, side, problem.spacing_zyx)
        self._network = _new_network(self._patches, problem, settings)
        means = torch.from_numpy(scaled[:, counts].cpu().numpy().mean(axis=1))
        self._network.set_output_bias(means.repeat_interleave(side**2))
        self._network.to(device)
        self._training = SirenTraining(self._network, settings)
        self._generator = torch.Generator(device=device).manual_seed(settings.seed)
        self._judge = self._patches.judge(
            torch.Generator(device=device).manual_seed(settings.seed)
        )
        self._steps, self._seconds = 0, 0.0

    def advance(self, steps: int) -> None:
        """Take optimisation steps on random patches."""
        started = time.monotonic()
        for _ in range(steps):
            batch = self._patches.draw(self._settings.batch_size, self._generator)
            self._training.step(*batch)
        self._steps += steps
        self._seconds += time.monotonic() - started

    def look(self, progress: float) -> VolumeFit:
        """Return the averaged network and its residual."""
        self._training.average.apply()
        network = copy.deepcopy(self._network).requires_grad_(requires_grad=False)
        self._training.average.restore()
        mean_square = self._judge.mean_square(network)
        return VolumeFit(
            step=self._steps,
            max_steps=self._settings.max_steps,
            residual_rms=math.sqrt(mean_square) * self._scale
            if mean_square >= 0
            else math.nan,
            reason=StopReason.CALLER,
            progress=progress,
            steps_per_second=self._steps / self._seconds if self._seconds > 0 else 0.0,
            function=FittedVolume(
                network, self._patches, self._offset, self._scale, self._spacing
            ),
        )


def _new_network(
    patches: VoxelPatches, problem: VolumeProblem, settings: DenoiseSettings
) -> Siren:
    """Return the network with weights drawn from the run's seed."""
    return Siren(
        3,
        patches.samples * patches.side**2,
        width=settings.width,
        depth=settings.depth,
        omega=settings.omega,
        first_omega=first_layer_omega(
            settings.first_period, patches.shape_zyx, problem.spacing_zyx
        ),
        generator=torch.Generator().manual_seed(settings.seed),
    )


def _value_range(problem: VolumeProblem) -> tuple[float, float]:
    """Return offset and scale that bring the values to about [-1, 1]."""
    values = problem.values_szyx[:, problem.counts_zyx].ravel()
    values = values[:: max(values.size // _MOST_RANKED, 1)]
    low, high = np.percentile(values, _ROBUST_RANGE)
    if high <= low:
        low, high = values.min(), values.max()
    # Of values that are all the same there is no range.
    return float(low + high) / 2, float(high - low) / 2 or 1.0
