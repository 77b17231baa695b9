"""Interface of a candidate network.

A candidate is one network that is fitted to the noisy plane. `CandidateModel` says what
the rest of the program must know of it; `BlindSpotModel` is its form for networks that
never see the pixel they predict, which is all but the coordinate networks.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from napari_inr_denoise.core.candidates.training import (
    Trainer,
    TrainingTile,
    noisy_result,
    shown,
    shown_steps,
    step_of,
    train,
)
from napari_inr_denoise.core.compute.error_curve import (
    fewest_steps,
    usual_steps,
)
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.ensemble.plane_result import FitStep
from napari_inr_denoise.core.ensemble.prediction import Candidate
from napari_inr_denoise.core.ensemble.preview import PreviewFilter
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.sampling.normalization import CommonScale
from napari_inr_denoise.core.settings import DenoiseSettings

CandidateSteps = Generator[FitStep, None, Candidate]


@dataclass(frozen=True)
class Cost:
    """Work of a fit, for the estimate of its duration.

    Attributes
    ----------
    steps : int
        Largest number of optimization steps.
    evaluations : int
        Predictions of the whole plane, in one orientation, however early the fit ends.
    fewest : int or None
        Number of steps after which the fit can end at the earliest; None if it is not
        known, or if all steps are taken.
    usual : float or None
        Number of steps after which it is expected to end; None as for `fewest`.
    shown : tuple of int
        Steps after which the plane is predicted once more, to be shown.
    """

    steps: int
    evaluations: int
    fewest: int | None = None
    usual: float | None = None
    shown: tuple[int, ...] = ()

    @classmethod
    def of_training(cls, steps: int, evaluations: int, *, correlated: bool) -> Cost:
        """Return the work of a training that ends where there is nothing to gain.

        Parameters
        ----------
        steps : int
            Largest number of steps.
        evaluations : int
            Predictions of the whole plane after the training.
        correlated : bool
            Whether neighbouring pixels share noise. No error can be measured then, and
            all steps are taken.
        """
        shown = tuple(shown_steps(steps))
        if correlated:
            return cls(steps, evaluations, shown=shown)
        return cls(steps, evaluations, fewest_steps(steps), usual_steps(steps), shown)

    def steps_at(self, share: float | None) -> float:
        """Return the steps at a share of the range from the fewest to the most.

        None stands for the steps after which the fit is expected to end.
        """
        if self.fewest is None or self.usual is None:
            return self.steps
        if share is None:
            return self.usual
        return self.fewest + share * (self.steps - self.fewest)

    def shown_at(self, share: float | None) -> int:
        """Return the predictions to be shown until then; see `steps_at`."""
        end = self.steps_at(share)
        return sum(step < end for step in self.shown)


class CandidateModel(ABC):
    """One kind of network, as the rest of the program knows it.

    Attributes
    ----------
    name : str
        Name of the network in `DenoiseSettings.candidates` and in reports.
    bytes_per_value : float
        Peak memory for each pixel and sample of a tile.
    handles_correlated_noise : bool
        Whether it can be fitted where neighbouring pixels share noise.
    shareable : bool
        Whether one network can be trained for many planes or tiles.
    uses_all_threads : bool
        Whether its steps keep all CPU cores busy. Planes are then fitted one by one.
    """

    name: str
    bytes_per_value: float
    handles_correlated_noise = False
    shareable = False
    uses_all_threads = False

    @abstractmethod
    def fit(
        self,
        problem: NoisyPlane,
        targets_yx: NDArray[np.bool_],
        settings: DenoiseSettings,
        device: torch.device,
        *,
        previews: bool = True,
    ) -> CandidateSteps:
        """Fit the network to a plane.

        Parameters
        ----------
        problem : NoisyPlane
            Noisy plane, with valid pixels and a noise level above 0.
        targets_yx : ndarray of bool, shape (Y, X)
            Pixels to train on. The others are held out.
        settings : DenoiseSettings
            Parameters of the network and of its training.
        device : torch.device
            Device on which the network is trained.
        previews : bool
            Whether somebody looks at the plane before the end. Otherwise a step may
            show the noisy plane.

        Yields
        ------
        FitStep
            Often enough for a caller to stop within about a second; the first one
            before any step.

        Returns
        -------
        Candidate
            The prediction of the plane.
        """

    @abstractmethod
    def cost(
        self, pixels: int, settings: DenoiseSettings, *, correlated: bool = False
    ) -> Cost:
        """Return the work of `fit` for a plane.

        Parameters
        ----------
        pixels : int
            Number of pixels of the plane.
        settings : DenoiseSettings
            Parameters of the network.
        correlated : bool
            Whether neighbouring pixels share noise.
        """


class BlindSpotModel(CandidateModel):
    """A network that never sees the pixel it predicts."""

    shareable = True

    @abstractmethod
    def trainer(
        self,
        tiles: Sequence[TrainingTile],
        scale: CommonScale,
        settings: DenoiseSettings,
        device: torch.device,
        steps: int,
    ) -> Trainer:
        """Return a new network, ready to be trained.

        Parameters
        ----------
        tiles : sequence of TrainingTile
            Training data: one or more tiles, all with the same number of context
            slices. The first one is shown during the training.
        scale : CommonScale
            Normalization of the values of all tiles.
        settings : DenoiseSettings
            Parameters of the network, and the seed.
        device : torch.device
            Device on which the network is trained.
        steps : int
            Largest number of optimization steps.
        """

    @abstractmethod
    def steps(self, settings: DenoiseSettings) -> int:
        """Return the optimization steps that the settings want for one plane."""

    def planned_steps(
        self,
        pixels: int,  # noqa: ARG002 - for networks that overfit small images
        steps: int,
        settings: DenoiseSettings,  # noqa: ARG002
        *,
        correlated: bool,  # noqa: ARG002 - for those that handle correlated noise
    ) -> int:
        """Return how many steps are taken at most to train on a number of pixels."""
        return steps

    def plane_trainer(
        self,
        problem: NoisyPlane,
        targets_yx: NDArray[np.bool_],
        settings: DenoiseSettings,
        device: torch.device,
    ) -> Trainer:
        """Return a trainer of a plane alone; parameters are those of `fit`."""
        tiles = [TrainingTile.alone(problem, targets_yx)]
        scale, steps = CommonScale.of([problem]), self.steps(settings)
        return self.trainer(tiles, scale, settings, device, steps)

    def fit(
        self,
        problem: NoisyPlane,
        targets_yx: NDArray[np.bool_],
        settings: DenoiseSettings,
        device: torch.device,
        *,
        previews: bool = True,
    ) -> CandidateSteps:
        """Train on one plane and predict it; see `CandidateModel.fit`."""
        started, best = time.monotonic(), noisy_result(problem)
        trainer = self.plane_trainer(problem, targets_yx, settings, device)
        steps = train(
            trainer, settings.n_augmentations, settings.patience, previews=previews
        )
        filters = PreviewFilter(problem, device, settings.seed)
        for training in (run := GeneratorResult(steps)):
            best = shown(filters, problem, training) or best
            yield step_of(problem, training, best, time.monotonic() - started)
        return run.result

    def cost(
        self, pixels: int, settings: DenoiseSettings, *, correlated: bool = False
    ) -> Cost:
        """Return the work of `fit` for a plane; see `CandidateModel.cost`."""
        steps = self.planned_steps(
            pixels, self.steps(settings), settings, correlated=correlated
        )
        evaluations = settings.n_augmentations
        return Cost.of_training(steps, evaluations, correlated=correlated)

    def shared_cost(
        self,
        pixels: int,
        factor: int,
        settings: DenoiseSettings,
        *,
        correlated: bool = False,
    ) -> Cost:
        """Return the work of one training that tiles share, without their predictions.

        Parameters
        ----------
        pixels : int
            Number of pixels of all training tiles.
        factor : int
            Number of steps, as a multiple of the steps for a single plane.
        settings : DenoiseSettings
            Parameters of the network.
        correlated : bool
            Whether neighbouring pixels share noise.
        """
        steps = self.planned_steps(
            pixels, factor * self.steps(settings), settings, correlated=correlated
        )
        return Cost.of_training(steps, 0, correlated=correlated)
