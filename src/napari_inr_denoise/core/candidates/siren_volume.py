"""SIREN in (z, y, x), fitted to a whole volume."""

from __future__ import annotations

import copy
import math
from collections.abc import Generator
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray

from napari_inr_denoise.core.candidates.siren_training import SirenTraining, new_siren
from napari_inr_denoise.core.candidates.volume_function import FittedVolume
from napari_inr_denoise.core.compute.early_stopping import until_noise_level
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.noise.model import NoiseModel
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.sampling.normalization import robust_range
from napari_inr_denoise.core.sampling.volume_patches import VolumePatches
from napari_inr_denoise.core.settings import DenoiseSettings

_MOST_STEPS = 600
"""Largest number of steps for a function that a better result corrects. At 20 photons
it comes down to the noise level in 250."""
_MOST_RANKED = 10**6
"""Largest number of voxels from which the range of values is computed."""


@dataclass(frozen=True)
class VolumeProblem:
    """One volume to fit.

    Attributes
    ----------
    values_szyx : ndarray of float32, shape (samples, Z, Y, X)
        Noisy intensities in the image's units, finite everywhere.
    counts_zyx : ndarray of bool, shape (Z, Y, X)
        Voxels that are fitted and that determine the stop.
    noise : NoiseModel
        Noise of the whole volume, in the same units.
    spacing_zyx : tuple of float
        Size of a voxel; any one unit.
    """

    values_szyx: NDArray[np.float32] = field(repr=False)
    counts_zyx: NDArray[np.bool_] = field(repr=False)
    noise: NoiseModel
    spacing_zyx: tuple[float, float, float]


@dataclass(frozen=True)
class VolumeFit:
    """An evaluation of the fit of a volume, or its result.

    Attributes
    ----------
    steps, max_steps : int
        Steps done and step budget.
    residual_rms : float
        Root mean square residual of the network with averaged weights, on the voxels
        that are evaluated, in the image's units.
    reason : StopReason
        Why the fit ended; CALLER while it runs.
    progress : float
        Estimated share of the fit that is done, 0 to 1; never decreases.
    steps_per_second : float
        Rate of the optimization, without evaluations.
    function : FittedVolume
        The best state so far.
    """

    steps: int
    max_steps: int
    residual_rms: float
    reason: StopReason
    progress: float
    steps_per_second: float
    function: FittedVolume = field(repr=False)


def limited_steps(settings: DenoiseSettings) -> DenoiseSettings:
    """Return settings with fewer steps, for a function that a result corrects."""
    most = min(settings.siren.max_steps, _MOST_STEPS)
    return replace(settings, siren=replace(settings.siren, max_steps=most))


def volume_steps(
    problem: VolumeProblem, settings: DenoiseSettings, device: torch.device
) -> Generator[VolumeFit, None, VolumeFit]:
    """Fit SIREN to a volume until the residual comes down to the noise level.

    This is the published method (see `fit_steps`) with a third coordinate. At each
    position the network predicts a square patch of one plane. Coordinates have the
    scale of physical distances, so that widely spaced planes are smoothed less along Z
    than along Y and X.

    Parameters
    ----------
    problem : VolumeProblem
        Noisy volume, with at least one voxel to fit and a noise level above 0.
    settings : DenoiseSettings
        SIREN's network, optimizer, regularization and step budget.
    device : torch.device
        Device on which the network is trained.

    Yields
    ------
    VolumeFit
        At every evaluation, the first one before any step.

    Returns
    -------
    VolumeFit
        The best state: the last one, unless the fit failed numerically.
    """
    fit = _Fit(problem, settings, device)
    run = GeneratorResult(
        until_noise_level(fit, problem.noise.sigma_chen, settings.siren)
    )
    for now in run:
        yield replace(now.best, steps=now.current.steps, progress=now.progress)
    end, reason = run.result
    return replace(end.best, reason=reason, progress=end.progress)


class _Fit:
    """A network, its optimizer, and the volume in the network's scale."""

    def __init__(
        self, problem: VolumeProblem, settings: DenoiseSettings, device: torch.device
    ) -> None:
        self._settings, self._spacing = settings, problem.spacing_zyx
        self._offset, self._scale = robust_range(_ranked(problem))
        scaled = torch.from_numpy(problem.values_szyx).to(device)
        scaled = (scaled - self._offset) / self._scale
        counts = torch.from_numpy(problem.counts_zyx).to(device)
        side = settings.siren.patch_size
        self._patches = VolumePatches(scaled, counts, side, problem.spacing_zyx)
        means = torch.from_numpy(scaled[:, counts].cpu().numpy().mean(axis=1))
        self._network = new_siren(
            self._patches.shape_zyx, problem.spacing_zyx, means, settings
        ).to(device)
        self._training = SirenTraining(self._network, self._patches.draw, settings)
        self._judge = self._patches.judge(
            torch.Generator(device=device).manual_seed(settings.seed)
        )

    def advance(self, steps: int) -> None:
        """Take optimization steps."""
        self._training.advance(steps)

    def evaluate(self) -> VolumeFit:
        """Return the network with averaged weights, and its residual."""
        self._training.average.apply()
        network = copy.deepcopy(self._network).requires_grad_(requires_grad=False)
        self._training.average.restore()
        mean_square = self._judge.mean_square(network)
        return VolumeFit(
            steps=self._training.steps,
            max_steps=self._settings.siren.max_steps,
            residual_rms=math.sqrt(mean_square) * self._scale
            if mean_square >= 0
            else math.nan,
            reason=StopReason.CALLER,
            progress=0.0,
            steps_per_second=self._training.steps_per_second,
            function=FittedVolume(
                network, self._patches, self._offset, self._scale, self._spacing
            ),
        )


def _ranked(problem: VolumeProblem) -> NDArray[np.float32]:
    """Return fitted values, evenly spaced, about `_MOST_RANKED` at most."""
    values = problem.values_szyx[:, problem.counts_zyx].ravel()
    return values[:: max(values.size // _MOST_RANKED, 1)]
