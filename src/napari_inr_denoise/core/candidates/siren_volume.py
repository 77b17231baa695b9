"""Fit one coordinate network in (z, y, x) to a whole volume: a generator of steps."""

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
    steps, max_steps : int
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

    steps: int
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
    run = GeneratorResult(
        until_noise_level(fit, problem.noise.sigma_chen, settings.siren)
    )
    for now in run:
        yield replace(now.best, steps=now.look.steps, progress=now.progress)
    end, reason = run.result
    return replace(end.best, reason=reason, progress=end.progress)


class _Fit:
    """A network, its optimiser and the volume in the network's own scale."""

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
        """Take optimisation steps."""
        self._training.advance(steps)

    def look(self) -> VolumeFit:
        """Return the averaged network and its residual."""
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
    """Return values that count, evenly over the volume, no more than may be ranked."""
    values = problem.values_szyx[:, problem.counts_zyx].ravel()
    return values[:: max(values.size // _MOST_RANKED, 1)]
