"""Networks that planes of a stack, or tiles of a large plane, have in common."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_inr_denoise.core.candidates.attention import AttentionFit, Crops
from napari_inr_denoise.core.candidates.base import Training, train
from napari_inr_denoise.core.candidates.neighbourhood import NeighbourhoodFit
from napari_inr_denoise.core.compute.concurrency import fit_concurrently
from napari_inr_denoise.core.compute.generators import GeneratorResult, run_in_thread
from napari_inr_denoise.core.ensemble.prediction import Candidate
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.sampling.series import CROP, Series, SeriesTile, spread
from napari_inr_denoise.core.sampling.training_plane import ViewMaker
from napari_inr_denoise.core.settings import ATTENTION, NEIGHBOURHOOD, DenoiseSettings

_Item = TypeVar("_Item")
_Fit = NeighbourhoodFit | AttentionFit
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
    """Trained networks that answer for any plane of their series.

    Parameters
    ----------
    planes : Series
        The series.
    views : ViewMaker
        Makes what the neighbourhood network sees.
    fits : sequence of NeighbourhoodFit or AttentionFit
        The networks, in the order of their answers.
    turns : int
        Flips and turns that an answer is the mean of.
    """

    def __init__(
        self,
        planes: Series,
        views: ViewMaker,
        fits: Sequence[_Fit],
        turns: int,
    ) -> None:
        self.planes, self._views, self._turns = planes, views, turns
        self._fits = fits

    def answers(self, member: SeriesTile) -> Generator[None, None, list[Candidate]]:
        """Return each network's answer for a plane or tile, trained on or not."""
        problem, device = member.problem, self._views.device
        nothing = np.zeros(problem.fitted_yx.shape, dtype=np.bool_)
        found = []
        for fit in self._fits:
            if isinstance(fit, NeighbourhoodFit):
                view = self._views.view(problem, nothing, member.context)
                answer = fit.answer(view, self._turns)
            else:
                common = self._views.common
                crops = Crops.of(problem, nothing, common, device, member.context)
                answer = fit.answer(crops, self._turns)
            found.append((yield from answer))
        return [_as_bright(one, problem) for one in found]


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
    return max(settings.turns // _FEWER_TURNS, 1)


def can_share(settings: DenoiseSettings) -> bool:
    """Return whether there is a network that parts of an image may share."""
    return NEIGHBOURHOOD in settings.candidate_names


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
    members = [member for member, _ in parts]
    maker = ViewMaker([member.problem for member in members], settings, device)

    def neighbourhood() -> NeighbourhoodFit:
        views = [maker.view(one.problem, at, one.context) for one, at in parts]
        return NeighbourhoodFit(views, settings, MORE_STEPS * settings.window_steps)

    def attention() -> AttentionFit:
        crops = [
            Crops.of(one.problem, at, maker.common, device, one.context)
            for one, at in parts
        ]
        return AttentionFit(crops, settings, MORE_STEPS * settings.attention_steps)

    white = not members[0].problem.noise.correlated
    both = white and ATTENTION in settings.candidate_names
    wanted: list[Callable[[], _Fit]] = [neighbourhood, *([attention] if both else [])]
    fits = [_trained(begin, device) for begin in wanted]
    newest: dict[int, Training] = {}
    for number, training in (run := GeneratorResult(fit_concurrently(fits, device))):
        if training is None:
            yield None
            continue
        newest[number] = training
        done = sum(one.step / one.steps for one in newest.values()) / len(fits)
        member = members[0]
        # What the second network shows at first is worse than what the first has shown.
        seen = _of_all(newest, training.candidate if number == 0 else None)
        yield SharedTraining(member.number, member.problem, seen, done)
    return SharedNetworks(planes, maker, run.result, shared_turns(settings))


def _trained(
    begin: Callable[[], _Fit], device: torch.device
) -> Generator[Training | None, None, _Fit]:
    """Begin a fit, in a thread of its own, and train it."""

    def begun() -> _Fit:
        fit = begin()
        if device.type == "cuda":
            # The training may be in another stream. Only for this one: another network
            # may be recorded meanwhile, and then the device must not be waited for.
            torch.cuda.current_stream(device).synchronize()
        return fit

    fit = yield from run_in_thread(begun)
    yield from train(fit, turns=1)
    return fit


def _of_all(trainings: dict[int, Training], look: Candidate | None) -> Training:
    """Return the trainings that have begun as one, with a look at the plane."""
    steps = sum(one.step for one in trainings.values())
    return Training(steps, sum(one.steps for one in trainings.values()), look)


def _parts(planes: Series, seed: int) -> list[tuple[SeriesTile, NDArray[np.bool_]]]:
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
                found.append((member.cropped(window), targets[window]))
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
