"""Networks in training, and the training that blind-spot networks share."""

from __future__ import annotations

import math
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
    Evaluation,
    HeldOutError,
    evaluation_steps,
)
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.ensemble.filters.limits import keep_in_range
from napari_inr_denoise.core.ensemble.plane_result import FitResult, FitStep
from napari_inr_denoise.core.ensemble.prediction import Candidate
from napari_inr_denoise.core.ensemble.preview import PreviewFilter
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.sampling.normalization import CommonScale
from napari_inr_denoise.core.sampling.stack.series import SeriesTile

_STEPS_BETWEEN_YIELDS = 10
"""Few enough that a caller can stop within about a second."""
_View = TypeVar("_View")


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

    def evaluate(self) -> Evaluation | None:
        """Compare result and noisy pixels that are not trained on.

        None, the default, where nothing is held out. All steps are then taken.
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


@dataclass(frozen=True)
class HeldOutValues:
    """Held-out pixels of one tile, in units of the noise variance.

    Attributes
    ----------
    residuals : Tensor, shape (N,)
        Squared differences of result and noisy pixels.
    risks : Tensor, shape (N,)
        Stein's unbiased estimates of their squared errors.
    """

    residuals: Tensor
    risks: Tensor


def evaluation(
    values: Sequence[HeldOutValues],
    scale: CommonScale,
    problem: NoisyPlane,
    *,
    valid: bool = True,
) -> Evaluation | None:
    """Return the evaluation of a state; None if no pixel is held out.

    Parameters
    ----------
    values : sequence of HeldOutValues
        One for each tile.
    scale : CommonScale
        Normalization of the tiles.
    problem : NoisyPlane
        A typical tile, whose noise the variance of the signal is compared with.
    valid : bool
        Whether the risks are estimates of the error.
    """
    residuals = torch.cat([one.residuals for one in values])
    if not len(residuals):
        return None
    residual = float(residuals.cpu().double().mean())
    if not valid:
        return Evaluation(residual)
    signal = max(scale.in_noise_variances(problem) - 1, 0.0)
    risks = torch.cat([one.risks for one in values]).cpu().numpy()
    return Evaluation(residual, HeldOutError(risks, signal))


def map_unique(
    tiles: Sequence[TrainingTile], prepare: Callable[[TrainingTile], _View]
) -> list[_View]:
    """Prepare each tile, a tile that comes several times once only."""
    views = {id(one): prepare(one) for one in {id(one): one for one in tiles}.values()}
    return [views[id(one)] for one in tiles]


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
    noise_level_step : int or None
        First evaluation at which the residual was down to the noise level.
    candidate : Candidate or None
        Prediction of the first tile, at some evaluations.
    """

    step: int
    steps: int
    progress: float = 0.0
    error: HeldOutError | None = None
    noise_level_step: int | None = None
    candidate: Candidate | None = None


def shown_steps(limit: int) -> list[int]:
    """Return the steps of a training after which the whole plane is predicted.

    Parameters
    ----------
    limit : int
        Largest number of steps.
    """
    return [step for step in evaluation_steps(limit - 1)[::2] if step < limit]


def train(
    trainer: Trainer,
    n_augmentations: int,
    patience: float = 1.0,
    *,
    previews: bool = True,
) -> Generator[Training, None, Candidate]:
    """Train until there is nothing more to gain, and predict the first tile.

    Parameters
    ----------
    trainer : Trainer
        Network with its training tiles.
    n_augmentations : int
        Number of orientations (flips and rotations) that are averaged.
    patience, previews
        See `optimize`.

    Yields
    ------
    Training
        Every few steps, and between the parts of a prediction.

    Returns
    -------
    Candidate
        The prediction of the first tile.
    """
    end, reason = yield from optimize(trainer, patience, previews=previews)
    candidate = yield from _predicted(trainer, n_augmentations, end)
    return replace(candidate, reason=reason, noise_level_step=end.noise_level_step)


def optimize(
    trainer: Trainer, patience: float = 1.0, *, previews: bool = True
) -> Generator[Training, None, tuple[Training, StopReason]]:
    """Train until there is nothing more to gain.

    Parameters
    ----------
    trainer : Trainer
        Network with its training tiles.
    patience : float
        How long to go on for small gains; see `ErrorCurve`.
    previews : bool
        Whether to predict the first tile at some steps, for a caller who shows it. It
        takes a sixth of the time of a plane of the preset `fast`.

    Yields
    ------
    Training
        Every few steps, and between the parts of a prediction.

    Returns
    -------
    Training
        The last one.
    StopReason
        Why it ended.
    """
    curve, reason = ErrorCurve(trainer.steps, patience), StopReason.TRAINED
    measured = set(evaluation_steps(curve.longest))
    shown_at = set(shown_steps(curve.longest)) if previews else set()
    yield (now := Training(0, curve.limit))
    step = 0
    while step < curve.limit:
        step += 1
        trainer.advance()
        done = max(now.progress, step / now.steps)
        now = replace(now, step=step, progress=min(done, 1.0))
        if step in measured:
            with trainer.averaged():
                found = trainer.evaluate()
            if found is not None and found.reached_noise_level:
                reached = now.noise_level_step or step
                now = replace(now, noise_level_step=reached)
            error = found.error if found is not None else None
            if error is not None:
                curve.add(step, error)
                now = replace(now, error=error, steps=curve.expected_steps)
            yield now
            if error is not None and curve.is_flat:
                reason = StopReason.HELD_OUT_FLAT
                break
        elif step % _STEPS_BETWEEN_YIELDS == 0:
            yield now
        if step in shown_at and step < curve.limit:
            with trainer.averaged():
                candidate = yield from _predicted(trainer, 1, now)
            yield replace(now, candidate=candidate)
    trainer.finish()
    return now, reason


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
    noisy = problem.measured_yxs.astype(np.float32)
    return FitResult(noisy, 0.0, 0, StopReason.CALLER)


def shown(
    filters: PreviewFilter, problem: NoisyPlane, training: Training
) -> FitResult | None:
    """Return an evaluation as a result, or None where there is nothing new to show.

    Parameters
    ----------
    filters : PreviewFilter
        Filters of this plane.
    problem : NoisyPlane
        The plane that is shown.
    training : Training
        Its newest evaluation.
    """
    if training.candidate is None:
        plane_yxs = filters.improved()
    elif training.candidate.is_finite:
        plane_yxs = filters.filtered(training.candidate)
    else:
        plane_yxs = None
    return None if plane_yxs is None else as_result(problem, plane_yxs, training.step)


def as_result(
    problem: NoisyPlane, plane_yxs: NDArray[np.float32], steps: int
) -> FitResult:
    """Return a plane as a result of a fit that still runs."""
    plane_yxs = keep_in_range(problem, plane_yxs)
    rms = problem.residual_rms(plane_yxs)
    return FitResult(plane_yxs, rms, steps, StopReason.CALLER)
