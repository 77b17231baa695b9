"""Interface of a candidate network, and the training that blind-spot networks share.

A candidate is one network that is fitted to the noisy plane. `CandidateModel` says what
the rest of the program must know of it; `BlindSpotModel` is its form for networks that
never see the pixel they predict, which is all but the coordinate networks.
"""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_inr_denoise.core.compute.error_curve import (
    ErrorCurve,
    HeldOutError,
    evaluation_steps,
    fewest_steps,
)
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.ensemble.limits import keep_in_range
from napari_inr_denoise.core.ensemble.plane_result import FitResult, FitStep
from napari_inr_denoise.core.ensemble.prediction import Candidate
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.sampling.normalization import CommonScale
from napari_inr_denoise.core.sampling.series import SeriesTile
from napari_inr_denoise.core.settings import DenoiseSettings

_STEPS_BETWEEN_YIELDS = 10
"""Few enough that a caller can stop within about a second."""
_View = TypeVar("_View")
CandidateSteps = Generator[FitStep, None, Candidate]


@dataclass(frozen=True)
class Cost:
    """Work of a fit, for the estimate of its duration.

    Attributes
    ----------
    steps : int
        Largest number of optimization steps.
    evaluations : int
        Predictions of the whole plane, in one orientation.
    fewest : int or None
        Number of steps after which the fit can end at the earliest; None if it is not
        known.
    """

    steps: int
    evaluations: int
    fewest: int | None = None

    def steps_at(self, share: float) -> float:
        """Return the steps at a share of the range from the fewest to the most."""
        if self.fewest is None:
            return self.steps
        return self.fewest + share * (self.steps - self.fewest)


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
    def cost(self, pixels: int, settings: DenoiseSettings) -> Cost:
        """Return the work of `fit` for a plane of this number of pixels."""


class Trainer(ABC):
    """A network in training, with its optimizer and the tiles that it is trained on.

    Attributes
    ----------
    steps : int
        Largest number of optimization steps.
    """

    steps: int

    @abstractmethod
    def advance(self) -> None:
        """Take one optimization step."""

    def averaged(self) -> AbstractContextManager[None]:
        """Use the weights for prediction within the context.

        An optimizer may average the weights. By default they are not changed.
        """
        return nullcontext()

    def finish(self) -> None:  # noqa: B027 - nothing to do by default
        """End the training: the network keeps the weights to predict with."""

    def held_out_error(self) -> HeldOutError | None:
        """Return the error on the pixels that are not trained on.

        None, the default, where it is not known. All steps are then taken.
        """
        return None

    @abstractmethod
    def predict(
        self, tile: SeriesTile | None, n_augmentations: int
    ) -> Generator[None, None, Candidate]:
        """Predict a tile, trained on or not; yields between parts of the work.

        Parameters
        ----------
        tile : SeriesTile or None
            Tile to predict; the first training tile if None.
        n_augmentations : int
            Number of orientations (flips and rotations) that are averaged.
        """


@dataclass(frozen=True)
class TrainingTile:
    """A tile, and the pixels of it to train on.

    Attributes
    ----------
    tile : SeriesTile
        Values, noise, and context slices.
    targets_yx : ndarray of bool, shape (Y, X)
        Pixels to train on. The others are inputs only.
    """

    tile: SeriesTile
    targets_yx: NDArray[np.bool_]

    @classmethod
    def alone(cls, problem: NoisyPlane, targets_yx: NDArray[np.bool_]) -> TrainingTile:
        """Return a plane without context slices."""
        return cls(SeriesTile(0, 0, problem, ()), targets_yx)


def held_out_error(
    values: Sequence[Tensor], scale: CommonScale, problem: NoisyPlane
) -> HeldOutError | None:
    """Return the errors of held-out pixels; None if there are none.

    Parameters
    ----------
    values : sequence of Tensor, shape (N,)
        Estimated squared errors of pixels, in units of the noise variance.
    scale : CommonScale
        Normalization of the tiles.
    problem : NoisyPlane
        A typical tile, whose noise the variance of the signal is compared with.
    """
    if not sum(len(one) for one in values):
        return None
    signal = max(scale.in_noise_variances(problem) - 1, 0.0)
    return HeldOutError(torch.cat(list(values)).cpu().numpy(), signal)


def map_unique(
    tiles: Sequence[TrainingTile], prepare: Callable[[TrainingTile], _View]
) -> list[_View]:
    """Prepare each tile, a tile that comes several times once only."""
    views = {id(one): prepare(one) for one in {id(one): one for one in tiles}.values()}
    return [views[id(one)] for one in tiles]


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
    ) -> int:
        """Return how many of the steps are taken to train on a number of pixels."""
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
    ) -> CandidateSteps:
        """Train on one plane and predict it; see `CandidateModel.fit`."""
        started, best = time.monotonic(), noisy_result(problem)
        trainer = self.plane_trainer(problem, targets_yx, settings, device)
        steps = train(trainer, settings.n_augmentations, settings.patience)
        for training in (run := GeneratorResult(steps)):
            best = shown(problem, training) or best
            yield step_of(problem, training, best, time.monotonic() - started)
        return run.result

    def cost(self, pixels: int, settings: DenoiseSettings) -> Cost:
        """Return the work of `fit` for a plane of this number of pixels."""
        steps = self.planned_steps(pixels, self.steps(settings), settings)
        evaluations = len(shown_steps(steps)) + settings.n_augmentations
        return Cost(steps, evaluations, fewest_steps(steps))

    def shared_cost(self, pixels: int, factor: int, settings: DenoiseSettings) -> Cost:
        """Return the work of one training that tiles share, without their predictions.

        Parameters
        ----------
        pixels : int
            Number of pixels of all training tiles.
        factor : int
            Number of steps, as a multiple of the steps for a single plane.
        settings : DenoiseSettings
            Parameters of the network.
        """
        steps = self.planned_steps(pixels, factor * self.steps(settings), settings)
        return Cost(steps, len(shown_steps(steps)), fewest_steps(steps))


@dataclass(frozen=True)
class Training:
    """Progress of a training, with a prediction at some steps.

    Attributes
    ----------
    step : int
        Steps done.
    steps : int
        Steps after which the training will probably end.
    progress : float
        Estimated share of the training that is done, 0 to 1; never decreases.
    error : HeldOutError or None
        The newest measurement; None before the first.
    candidate : Candidate or None
        Prediction of the first tile, at some evaluations.
    """

    step: int
    steps: int
    progress: float = 0.0
    error: HeldOutError | None = None
    candidate: Candidate | None = None


def shown_steps(limit: int) -> list[int]:
    """Return the steps of a training after which the whole plane is predicted.

    Parameters
    ----------
    limit : int
        Largest number of steps.
    """
    return [step for step in evaluation_steps(limit - 1)[2::3] if step < limit]


def train(
    trainer: Trainer, n_augmentations: int, patience: float = 1.0
) -> Generator[Training, None, Candidate]:
    """Train until there is nothing more to gain, with predictions on the way.

    Parameters
    ----------
    trainer : Trainer
        Network with its training tiles.
    n_augmentations : int
        Number of orientations (flips and rotations) that are averaged.
    patience : float
        How long to go on for small gains; see `ErrorCurve`.

    Yields
    ------
    Training
        Every few steps, and between the parts of a prediction.

    Returns
    -------
    Candidate
        The prediction of the first tile.
    """
    limit = trainer.steps
    curve, reason = ErrorCurve(limit, patience), StopReason.TRAINED
    measured, shown_at = set(evaluation_steps(limit)), set(shown_steps(limit))
    yield (now := Training(0, limit))
    for step in range(1, limit + 1):
        trainer.advance()
        done = max(now.progress, step / now.steps)
        now = replace(now, step=step, progress=min(done, 1.0))
        if step in measured:
            with trainer.averaged():
                error = trainer.held_out_error()
            if error is not None:
                curve.add(step, error)
                now = replace(now, error=error, steps=curve.expected_steps)
            yield now
            if error is not None and curve.is_flat:
                reason = StopReason.HELD_OUT_FLAT
                break
        elif step % _STEPS_BETWEEN_YIELDS == 0:
            yield now
        if step in shown_at:
            with trainer.averaged():
                candidate = yield from _predicted(trainer, 1, now)
            yield replace(now, candidate=candidate)
    trainer.finish()
    candidate = yield from _predicted(trainer, n_augmentations, now)
    return replace(candidate, reason=reason)


def _predicted(
    trainer: Trainer, n_augmentations: int, training: Training
) -> Generator[Training, None, Candidate]:
    """Predict, and yield the same training meanwhile, so that a caller can stop."""
    run = GeneratorResult(trainer.predict(None, n_augmentations))
    for _ in run:
        yield training
    return run.result


def step_of(
    problem: NoisyPlane, training: Training, best: FitResult, seconds: float
) -> FitStep:
    """Return a blind-spot training as a step of the fit of a plane."""
    error = training.error.mean if training.error is not None else 0.0
    return FitStep(
        step=training.step,
        max_steps=training.steps,
        residual_rms=best.residual_rms,
        noise=problem.noise,
        progress=training.progress,
        estimated_error=math.sqrt(error) * problem.noise.sigma if error > 0 else None,
        steps_per_second=training.step / seconds if seconds > 0 else 0.0,
        best=best,
    )


def noisy_result(problem: NoisyPlane) -> FitResult:
    """Return the noisy plane as the result to show before there is a better one."""
    noisy = problem.plane_yxs.astype(np.float32)
    return FitResult(noisy, 0.0, 0, StopReason.CALLER)


def shown(problem: NoisyPlane, training: Training) -> FitResult | None:
    """Return an evaluation as a result, or None where there is nothing to show."""
    if training.candidate is None or not training.candidate.is_finite:
        return None
    return as_result(problem, training.candidate.plane_yxs, training.step)


def as_result(
    problem: NoisyPlane, plane_yxs: NDArray[np.float32], steps: int
) -> FitResult:
    """Return a plane as a result of a fit that still runs."""
    plane_yxs = keep_in_range(problem, plane_yxs)
    rms = problem.residual_rms(plane_yxs)
    return FitResult(plane_yxs, rms, steps, StopReason.CALLER)


def squared_error_and_risk(
    noisy: Tensor, predicted: Tensor, result: Tensor, added_noise: Tensor
) -> Tensor:
    """Return, value by value, the loss of a network with a blind spot.

    The squared error of the prediction, which has not seen the pixel, plus Stein's
    unbiased risk of the result, which has seen it: the squared difference from the
    pixel plus twice the covariance of result and noise.

    Parameters
    ----------
    noisy, predicted, result : Tensor
        Noisy values, blind-spot prediction and result, of one shape. The result must
        not depend on the prediction in the computation graph.
    added_noise : Tensor
        Noise variance times the divergence of the result.
    """
    return (predicted - noisy).square() + (result - noisy).square() + 2 * added_noise
