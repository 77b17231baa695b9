"""Networks that are shared by the planes of a stack or the tiles of a large plane."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_inr_denoise.core.candidates.base import BlindSpotModel
from napari_inr_denoise.core.candidates.registry import (
    shareable_models,
    suitable_models,
)
from napari_inr_denoise.core.candidates.training import (
    Trainer,
    Training,
    TrainingTile,
    optimize,
)
from napari_inr_denoise.core.compute.concurrency import fit_concurrently
from napari_inr_denoise.core.compute.generators import GeneratorResult, run_in_thread
from napari_inr_denoise.core.ensemble.prediction import Candidate
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.noise.white.whitened import whitened
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.sampling.normalization import CommonScale
from napari_inr_denoise.core.sampling.stack.parts import CROP, spread
from napari_inr_denoise.core.sampling.stack.series import Series, SeriesTile
from napari_inr_denoise.core.sampling.stack.similarity import sudden_change
from napari_inr_denoise.core.settings import DenoiseSettings

_Item = TypeVar("_Item")
_FEWEST_PLANES = 3
MOST_TRAINED = 24
"""Largest number of tiles that a shared network is trained on."""
MORE_STEPS = 2
"""Optimization steps of a shared network, as a multiple of those for one plane. Twice
as many gained 0.00 to 0.07 dB with `fast` and 0.00 to 0.02 with `auto` on stacks of 6
to 32 planes, and 0.18 on moving synthetic tissue, in 1.2 to 1.8 times the time."""
_BRIGHTNESS = 7.0
"""Standard deviation, in pixels, of the blur that matches the local brightness. With 8
the background of a dim stack flickers slightly more than the input, with 6 noise is
added back."""
_SUDDEN_BRIGHTNESS = 1.0
"""The same, where a plane differs suddenly from its context slices. With 0.7 more noise
is added back, with 1.5 less of a small object."""
_FEWER_AUGMENTATIONS = 4
"""Factor by which shared networks use fewer test-time augmentations: eight instead of
two gain 0.03 dB and take three times as long."""


@dataclass(frozen=True)
class SharedTraining:
    """Progress of the training of shared networks.

    Attributes
    ----------
    number : int
        Index in the series of the plane that is shown.
    problem : NoisyPlane
        The part of this plane that is trained on; all of it if the plane is small.
    training : Training
        Progress of the networks whose training has begun, as one.
    progress : float
        Share of the whole training that is done, 0 to 1.
    """

    number: int
    problem: NoisyPlane
    training: Training
    progress: float


@dataclass(frozen=True)
class Trained:
    """A network whose training has ended.

    Attributes
    ----------
    trainer : Trainer
        Predicts any tile.
    reason : StopReason
        Why the training ended.
    noise_level_step : int or None
        First step at which the residual of the training tiles was down to the noise
        level.
    """

    trainer: Trainer
    reason: StopReason
    noise_level_step: int | None = None


class SharedNetworks:
    """Trained networks that predict any plane of their series.

    Parameters
    ----------
    planes : Series
        Series of planes to predict.
    trainers : sequence of Trained
        The trained networks, in the order of their predictions.
    n_augmentations : int
        Number of orientations (flips and rotations) that a prediction averages.
    """

    def __init__(
        self,
        planes: Series,
        trainers: Sequence[Trained],
        n_augmentations: int,
    ) -> None:
        self.planes, self._trainers = planes, trainers
        self._n_augmentations = n_augmentations

    def predictions(self, tile: SeriesTile) -> Generator[None, None, list[Candidate]]:
        """Return each network's prediction of a tile, trained on or not."""
        found = []
        changed = sudden_change(tile.problem, tile.context)
        for one in self._trainers:
            candidate = yield from one.trainer.predict(tile, self._n_augmentations)
            candidate = replace(
                candidate, reason=one.reason, noise_level_step=one.noise_level_step
            )
            found.append(_as_bright(candidate, tile.problem, changed))
        return found


def _as_bright(
    candidate: Candidate, problem: NoisyPlane, changed: NDArray[np.float64] | None
) -> Candidate:
    """Return a prediction with the local brightness of the noisy plane.

    A shared network is slightly too bright in some places and too dark in others, in
    each plane differently, so that the planes would flicker. The mean of many noisy
    pixels has almost no noise and corrects this. Where a plane differs suddenly from
    those beside it, the network takes it for one of them in part; there the brightness
    of few pixels counts.

    Parameters
    ----------
    candidate : Candidate
        Prediction of the plane.
    problem : NoisyPlane
        The noisy plane.
    changed : ndarray, shape (Y, X), or None
        Where the plane differs suddenly, from `sudden_change`.
    """
    candidate = _brightness_added(candidate, problem, _BRIGHTNESS, 1.0)
    if changed is None or not changed.any():
        return candidate
    share = changed[..., None]
    candidate = _brightness_added(candidate, problem, _SUDDEN_BRIGHTNESS, share)
    # The mean of the plane stays that of the noisy one.
    missing = (problem.plane_yxs - candidate.plane_yxs)[problem.fitted_yx]
    plane_yxs = candidate.plane_yxs + missing.mean(axis=0)
    return replace(candidate, plane_yxs=plane_yxs.astype(np.float32))


def _brightness_added(
    candidate: Candidate,
    problem: NoisyPlane,
    width: float,
    share: float | NDArray[np.float64],
) -> Candidate:
    """Return a prediction plus a share of what it lacks of the local brightness.

    Parameters
    ----------
    candidate : Candidate
        Prediction of the plane.
    problem : NoisyPlane
        The noisy plane.
    width : float
        Standard deviation, in pixels, of the blur that gives the local brightness.
    share : float or ndarray, shape (Y, X, 1)
        Share that is added, 0 to 1.
    """
    counts = problem.fitted_yx.astype(np.float64)[..., None]
    missing = (problem.plane_yxs - candidate.plane_yxs) * counts
    widths = (width, width, 0.0)
    # Mirrored at the edges, so that the sum over the plane equals the noisy one.
    around = gaussian_filter(missing, widths)
    around /= np.maximum(gaussian_filter(counts, widths), 1e-9)
    own, own_weight = candidate.divergence_yxs, 1 / (2 * np.pi * width**2)
    return replace(
        candidate,
        plane_yxs=(candidate.plane_yxs + share * around).astype(np.float32),
        divergence_yxs=own + (1 - own) * np.asarray(share * own_weight, np.float32),
    )


def shares_networks(settings: DenoiseSettings, count: int) -> bool:
    """Return whether a series of `count` planes may share networks."""
    return can_share(settings) and settings.context > 0 and count >= _FEWEST_PLANES


def shared_augmentations(settings: DenoiseSettings) -> int:
    """Return the number of test-time augmentations of shared networks."""
    return max(settings.n_augmentations // _FEWER_AUGMENTATIONS, 1)


def can_share(settings: DenoiseSettings) -> bool:
    """Return whether the settings name a network that planes or tiles can share."""
    return bool(shareable_models(settings))


def train_shared(
    planes: Series,
    settings: DenoiseSettings,
    device: torch.device,
    *,
    previews: bool = True,
) -> Generator[SharedTraining | None, None, SharedNetworks | None]:
    """Train the networks on planes of a series, or on tiles of a single plane.

    Parameters
    ----------
    planes : Series
        Series of planes to train on.
    settings : DenoiseSettings
        Names and parameters of the networks.
    device : torch.device
        Device on which the network is trained.
    previews : bool
        Whether to predict a plane at some steps, for a caller who shows it.

    Yields
    ------
    SharedTraining or None
        Every few steps; None while the planes are read and compared.

    Returns
    -------
    SharedNetworks or None
        None if there are no training targets, or if most planes differ from their
        neighbours in the series: networks of their own then give better results. None
        too for the tiles of a single plane that are transformed so that noise is white.
    """
    parts = yield from run_in_thread(lambda: _parts(planes, settings.seed))
    if not parts:
        return None
    first = parts[0].tile
    if planes.count == 1 and whitened(first.problem) is not None:
        return None
    suitable = suitable_models(settings, first.problem)
    models = [one for one in shareable_models(settings) if one in suitable]
    if not models:
        return None
    scale = CommonScale.of([part.tile.problem for part in parts])

    def begin(model: BlindSpotModel) -> Trainer:
        steps = MORE_STEPS * model.steps(settings)
        return model.trainer(parts, scale, settings, device, steps)

    fits = [
        _trained(partial(begin, model), device, settings.patience, previews=previews)
        for model in models
    ]
    newest: dict[int, Training] = {}
    for number, training in (run := GeneratorResult(fit_concurrently(fits, device))):
        if training is None:
            yield None
            continue
        newest[number] = training
        done = sum(one.progress for one in newest.values()) / len(fits)
        # Early predictions of the second network are worse than those already shown.
        seen = _of_all(newest, training.candidate if number == 0 else None)
        yield SharedTraining(first.number, first.problem, seen, done)
    return SharedNetworks(planes, run.result, shared_augmentations(settings))


def _trained(
    begin: Callable[[], Trainer],
    device: torch.device,
    patience: float,
    *,
    previews: bool,
) -> Generator[Training | None, None, Trained]:
    """Build a trainer in a worker thread, and train it."""

    def begun() -> Trainer:
        trainer = begin()
        if device.type == "cuda":
            # The training may run in another stream. Synchronize this stream only: a
            # device-wide wait is forbidden while a CUDA graph is captured elsewhere.
            torch.cuda.current_stream(device).synchronize()
        return trainer

    trainer = yield from run_in_thread(begun)
    end, reason = yield from optimize(trainer, patience, previews=previews)
    return Trained(trainer, reason, end.noise_level_step)


def _of_all(trainings: dict[int, Training], candidate: Candidate | None) -> Training:
    """Return the trainings that have begun as one, with a prediction to show."""
    return Training(
        sum(one.step for one in trainings.values()),
        sum(one.steps for one in trainings.values()),
        error=trainings[min(trainings)].error,
        candidate=candidate,
    )


def _parts(planes: Series, seed: int) -> list[TrainingTile]:
    """Return random windows of the series as training tiles, from the middle on.

    The list is empty if most planes are not similar to their neighbours.
    """
    chosen = spread(planes.count, MOST_TRAINED)
    numbers = [
        number for number in chosen if planes.context_numbers(number) is not None
    ]
    if 2 * len(numbers) < len(chosen):
        return []
    tiles = planes.tiling.tiles
    some = spread(len(tiles), max(MOST_TRAINED // len(numbers), 1))
    found = []
    for number in _middle_first(numbers):
        for tile in _middle_first([tiles[k] for k in some]):
            member = planes.member(number, tile)
            window = _window(tile.own, seed + member.part)
            targets = member.problem.fitted_yx & ~member.held_out(seed)
            if targets[window].any() and member.problem.noise.sigma > 0:
                found.append(TrainingTile(member.cropped(window), targets[window]))
    return found


def _middle_first(items: Sequence[_Item]) -> list[_Item]:
    return [*items[len(items) // 2 :], *items[: len(items) // 2]]


def _window(own: tuple[slice, slice], seed: int) -> tuple[slice, slice]:
    """Return a random window of a tile's own region; all of it if it is small.

    Overlaps with other tiles are excluded, because a pixel that is held out in one
    tile could be a training target in the other.
    """
    random = np.random.default_rng(seed)
    first = [
        one.start + int(random.integers(max(one.stop - one.start - CROP, 0) + 1))
        for one in own
    ]
    rows, columns = (
        slice(start, min(start + CROP, one.stop))
        for start, one in zip(first, own, strict=True)
    )
    return rows, columns
