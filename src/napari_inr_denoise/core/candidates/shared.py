"""Networks that planes of a stack, or tiles of a large plane, have in common."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from napari_inr_denoise.core.candidates.base import (
    BlindSpotModel,
    Trainer,
    Training,
    TrainingTile,
    train,
)
from napari_inr_denoise.core.candidates.registry import (
    shareable_models,
    suitable_models,
)
from napari_inr_denoise.core.compute.concurrency import fit_concurrently
from napari_inr_denoise.core.compute.generators import GeneratorResult, run_in_thread
from napari_inr_denoise.core.ensemble.prediction import Candidate
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.sampling.normalization import CommonScale
from napari_inr_denoise.core.sampling.series import CROP, Series, SeriesTile, spread
from napari_inr_denoise.core.settings import DenoiseSettings

_Item = TypeVar("_Item")
_FEWEST_PLANES = 3
MOST_TRAINED = 24
"""Parts that are trained on."""
MORE_STEPS = 2
"""Steps over those of a single plane."""
_BRIGHTNESS = 7.0
"""Width, in pixels, of the blur of a place that keeps its brightness: with 8 the
background of a dim stack still flickers a little more than before, with 6 noise comes
back."""
_WIDTHS = (_BRIGHTNESS, _BRIGHTNESS, 0.0)
_OWN_WEIGHT = 1 / (2 * np.pi * _BRIGHTNESS**2)
"""Of a pixel in the blur around itself."""
_FEWER_TURNS = 4
"""By so much fewer flips and turns of the result: eight instead of two bring 0.03 dB
in three times the time."""


@dataclass(frozen=True)
class SharedTraining:
    """A look while the networks of a stack are trained.

    Attributes
    ----------
    number : int
        The plane that is looked at, in the series.
    problem : NoisyPlane
        What of it is trained on: all of it, or a part of a large plane.
    training : Training
        How far the fits of the networks are that have begun.
    progress : float
        How far that of all is, 0 to 1.
    """

    number: int
    problem: NoisyPlane
    training: Training
    progress: float


class SharedNetworks:
    """Trained networks that predict any plane of their series.

    Parameters
    ----------
    planes : Series
        The series.
    trainers : sequence of Trainer
        The trained networks, in the order of their predictions.
    n_augmentations : int
        Flips and rotations that a prediction averages.
    """

    def __init__(
        self, planes: Series, trainers: Sequence[Trainer], n_augmentations: int
    ) -> None:
        self.planes, self._trainers = planes, trainers
        self._n_augmentations = n_augmentations

    def predictions(self, tile: SeriesTile) -> Generator[None, None, list[Candidate]]:
        """Return each network's prediction of a tile, trained on or not."""
        found = []
        for trainer in self._trainers:
            candidate = yield from trainer.predict(tile, self._n_augmentations)
            found.append(_as_bright(candidate, tile.problem))
        return found


def _as_bright(candidate: Candidate, problem: NoisyPlane) -> Candidate:
    """Return an answer as bright as the noisy plane, place by place.

    A mean over many pixels has next to no noise, while a network that answers for
    all planes is a little too bright in some places and too dark in others,
    differently in each plane: they would flicker.
    """
    counts = problem.fitted_yx.astype(np.float64)[..., None]
    missing = (problem.plane_yxs - candidate.plane_yxs) * counts
    # Mirrored at the edges: the sum over the plane becomes exactly the noisy one.
    around = gaussian_filter(missing, _WIDTHS)
    around /= np.maximum(gaussian_filter(counts, _WIDTHS), 1e-9)
    own = candidate.divergence_yxs
    return replace(
        candidate,
        plane_yxs=(candidate.plane_yxs + around).astype(np.float32),
        divergence_yxs=own + (1 - own) * np.float32(_OWN_WEIGHT),
    )


def shares_networks(settings: DenoiseSettings, count: int) -> bool:
    """Return whether so many planes may share networks."""
    return can_share(settings) and settings.context > 0 and count >= _FEWEST_PLANES


def shared_turns(settings: DenoiseSettings) -> int:
    """Return of how many flips and turns the answer of shared networks is the mean."""
    return max(settings.n_augmentations // _FEWER_TURNS, 1)


def can_share(settings: DenoiseSettings) -> bool:
    """Return whether there is a network that parts of an image may share."""
    return bool(shareable_models(settings))


def train_shared(
    planes: Series, settings: DenoiseSettings, device: torch.device
) -> Generator[SharedTraining | None, None, SharedNetworks | None]:
    """Train the networks on planes of a series, or on tiles of a single plane.

    Parameters
    ----------
    planes : Series
        The series.
    settings : DenoiseSettings
        Of the networks.
    device : torch.device
        Where to compute.

    Yields
    ------
    SharedTraining or None
        Every few steps; None while the planes are read and compared.

    Returns
    -------
    SharedNetworks or None
        None where there is nothing to learn from, or where most planes don't show
        what the planes beside them show: each is then better off with networks of
        its own.
    """
    parts = yield from run_in_thread(lambda: _parts(planes, settings.seed))
    if not parts:
        return None
    first = parts[0].tile
    suitable = suitable_models(settings, first.problem)
    models = [one for one in shareable_models(settings) if one in suitable]
    if not models:
        return None
    scale = CommonScale.of([part.tile.problem for part in parts])

    def begin(model: BlindSpotModel) -> Trainer:
        steps = MORE_STEPS * model.steps(settings)
        return model.trainer(parts, scale, settings, device, steps)

    fits = [_trained(partial(begin, model), device) for model in models]
    newest: dict[int, Training] = {}
    for number, training in (run := GeneratorResult(fit_concurrently(fits, device))):
        if training is None:
            yield None
            continue
        newest[number] = training
        done = sum(one.step / one.steps for one in newest.values()) / len(fits)
        # Early predictions of the second network are worse than those already shown.
        seen = _of_all(newest, training.candidate if number == 0 else None)
        yield SharedTraining(first.number, first.problem, seen, done)
    return SharedNetworks(planes, run.result, shared_turns(settings))


def _trained(
    begin: Callable[[], Trainer], device: torch.device
) -> Generator[Training | None, None, Trainer]:
    """Build a trainer, in a thread of its own, and train it."""

    def begun() -> Trainer:
        trainer = begin()
        if device.type == "cuda":
            # The training may be in another stream. Only for this one: another network
            # may be recorded meanwhile, and then the device must not be waited for.
            torch.cuda.current_stream(device).synchronize()
        return trainer

    trainer = yield from run_in_thread(begun)
    yield from train(trainer, n_augmentations=1)
    return trainer


def _of_all(trainings: dict[int, Training], look: Candidate | None) -> Training:
    """Return the trainings that have begun as one, with a look at the plane."""
    steps = sum(one.step for one in trainings.values())
    return Training(steps, sum(one.steps for one in trainings.values()), look)


def _parts(planes: Series, seed: int) -> list[TrainingTile]:
    """Return what is trained on: windows, and the pixels in them; the middle first.

    Nothing where most planes don't belong together.
    """
    chosen = spread(planes.count, MOST_TRAINED)
    numbers = [number for number in chosen if planes.beside(number) is not None]
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
    """Return a random window of what a tile has for itself; all of a small one.

    Only there: pixels that one tile holds out another might train on.
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
