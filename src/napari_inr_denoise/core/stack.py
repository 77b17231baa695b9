"""One noise model and one network for the planes of a stack that belong together."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from napari_inr_denoise.core.blind_spot import Training, train
from napari_inr_denoise.core.candidate import Candidate
from napari_inr_denoise.core.combine import hold_out
from napari_inr_denoise.core.defects import isolated_pixels
from napari_inr_denoise.core.fit_neighbourhood import NAME, NeighbourhoodFit
from napari_inr_denoise.core.plane_view import ViewMaker
from napari_inr_denoise.core.problem import FitProblem
from napari_inr_denoise.core.related import shares_structure
from napari_inr_denoise.core.settings import DenoiseSettings
from napari_inr_denoise.core.stack_noise import StackNoise

ReadPlane = Callable[[int], tuple[NDArray[np.float64], NDArray[np.bool_]]]
"""From a plane's number to its values, (Y, X, samples), and its valid pixels."""
_FEWEST_PLANES = 3
_MOST_TRAINED, _MOST_MEASURED = 24, 8
"""Planes that are trained on, and that the noise is measured on."""
_CROP = 512
"""Side, in pixels, of what is taken of a plane to train on."""
_MORE_STEPS = 2
"""Steps over those of a single plane."""
TURNS = 2
"""Flips and turns of the result: eight bring 0.03 dB more in three times the time."""


@dataclass(frozen=True)
class StackTraining:
    """A look while the network of a stack is trained.

    Attributes
    ----------
    number : int
        The plane that is looked at, in the series.
    problem : FitProblem
        What of it is trained on: all of it, or a part of a large plane.
    training : Training
        How far the fit is.
    """

    number: int
    problem: FitProblem
    training: Training


@dataclass(frozen=True)
class Member:
    """A plane that shares its noise and its structure with those beside it.

    Attributes
    ----------
    number : int
        In the series.
    problem : FitProblem
        The plane.
    context : tuple of FitProblem or None
        Planes below and above, near ones first; None where there is none that shows
        the same structure.
    """

    number: int
    problem: FitProblem
    context: tuple[FitProblem | None, ...]


class StackPlanes:
    """The planes of a series, read when they are needed, under a common noise model.

    Parameters
    ----------
    read : ReadPlane
        Reads a plane.
    count : int
        Planes in the series.
    spacing_yx : tuple of float
        Height and width of a pixel.
    settings : DenoiseSettings
        For the context.
    """

    def __init__(
        self,
        read: ReadPlane,
        count: int,
        spacing_yx: tuple[float, float],
        settings: DenoiseSettings,
    ) -> None:
        self._read, self.count = read, count
        self._spacing_yx = spacing_yx
        self._reach = settings.context
        measured = [read(k) for k in _spread(count, _MOST_MEASURED)]
        centres = [_centre(*plane, _CROP) for plane in measured]
        self._noise = StackNoise.of(centres)
        self._kept: OrderedDict[int, FitProblem | None] = OrderedDict()

    def problem(self, number: int) -> FitProblem | None:
        """Return a plane, or None where its noise is not that of the stack."""
        if number not in self._kept:
            self._kept[number] = self._made(number)
            while len(self._kept) > 2 * self._reach + 1:
                self._kept.popitem(last=False)
        return self._kept[number]

    def _made(self, number: int) -> FitProblem | None:
        values, valid = self._read(number)
        noise = self._noise.of_plane(values, valid)
        if noise is None:
            return None
        curves = self._noise.curves
        problem = FitProblem(values, valid, valid, noise, self._spacing_yx, curves)
        return replace(problem, fitted_yx=valid & ~isolated_pixels(problem))

    def member(self, number: int) -> Member | None:
        """Return a plane and those beside it that show what it shows, if any do."""
        own = self.problem(number)
        if own is None:
            return None
        found: list[FitProblem | None] = []
        for distance in range(1, self._reach + 1):
            for beside in (number - distance, number + distance):
                inside = 0 <= beside < self.count
                other = self.problem(beside) if inside else None
                related = other is not None and shares_structure(own, other)
                found.append(other if related else None)
        alone = all(one is None for one in found)
        return None if alone else Member(number, own, tuple(found))


class LearnedStack:
    """A trained network that answers for any plane of its series.

    Parameters
    ----------
    planes : StackPlanes
        The series.
    views : ViewMaker
        Makes what the network sees.
    fit : NeighbourhoodFit
        The network.
    """

    def __init__(
        self, planes: StackPlanes, views: ViewMaker, fit: NeighbourhoodFit
    ) -> None:
        self._planes, self._views, self._fit = planes, views, fit

    def member(self, number: int) -> Member | None:
        """Return a plane, or None where it does not belong to the others."""
        return self._planes.member(number)

    def answer(self, member: Member) -> Generator[None, None, Candidate]:
        """Return the network's answer for a plane, trained on or not."""
        nothing = np.zeros(member.problem.fitted_yx.shape, dtype=np.bool_)
        view = self._views.view(member.problem, nothing, member.context)
        answer = yield from self._fit.answer(view, TURNS)
        return replace(answer, plane_yxs=_as_bright(answer.plane_yxs, member.problem))


def _as_bright(
    plane_yxs: NDArray[np.float32], problem: FitProblem
) -> NDArray[np.float32]:
    """Return a plane with the mean of the noisy one.

    A mean over a whole plane has next to no noise, while a network that answers for
    all planes is a little too bright in some and too dark in others: they would
    flicker.
    """
    fitted = problem.fitted_yx
    missing = (problem.plane_yxs[fitted] - plane_yxs[fitted]).mean(axis=0)
    return np.asarray(plane_yxs + missing, dtype=np.float32)


def learns_together(settings: DenoiseSettings, count: int) -> bool:
    """Return whether planes may share a network."""
    named = NAME in settings.candidate_names
    return named and settings.context > 0 and count >= _FEWEST_PLANES


def learn_stack(
    planes: StackPlanes, settings: DenoiseSettings, device: torch.device
) -> Generator[StackTraining, None, LearnedStack | None]:
    """Train one network on planes of a series.

    Parameters
    ----------
    planes : StackPlanes
        The series.
    settings : DenoiseSettings
        Of the neighbourhood network.
    device : torch.device
        Where to compute.

    Yields
    ------
    StackTraining
        Every few steps.

    Returns
    -------
    LearnedStack or None
        None where most planes don't show what the planes beside them show: each is
        then better off with networks of its own.
    """
    chosen = [planes.member(k) for k in _spread(planes.count, _MOST_TRAINED)]
    members = [one for one in chosen if one is not None]
    if 2 * len(members) < len(chosen):
        return None
    # The middle one is shown.
    members = members[len(members) // 2 :] + members[: len(members) // 2]
    parts = [_part(member, settings.seed) for member in members]
    maker = ViewMaker([part.problem for part, _ in parts], settings, device)
    views = [maker.view(part.problem, at, part.context) for part, at in parts]
    fit = NeighbourhoodFit(views, settings, _MORE_STEPS * settings.window_steps)
    shown, _ = parts[0]
    for training in train(fit, turns=1):
        yield StackTraining(shown.number, shown.problem, training)
    return LearnedStack(planes, maker, fit)


def held_out_pixels(member: Member, seed: int) -> NDArray[np.bool_]:
    """Return the pixels of a plane that are not trained on, wherever they lie."""
    return hold_out(member.problem.fitted_yx, seed + member.number)


def _part(member: Member, seed: int) -> tuple[Member, NDArray[np.bool_]]:
    """Return what of a plane is trained on: a window, and the pixels in it."""
    problem = member.problem
    window = _window(problem.fitted_yx.shape, seed + member.number)
    targets = problem.fitted_yx & ~held_out_pixels(member, seed)
    context = tuple(one and one.cropped(window) for one in member.context)
    part = Member(member.number, problem.cropped(window), context)
    return part, targets[window]


def _spread(count: int, most: int) -> list[int]:
    """Return up to so many numbers, evenly over 0 to count - 1."""
    return sorted({int(k) for k in np.linspace(0, count - 1, min(count, most))})


def _window(shape_yx: tuple[int, ...], seed: int) -> tuple[slice, slice]:
    """Return a random window of a plane; all of a small one."""
    random = np.random.default_rng(seed)
    first = [int(random.integers(max(size - _CROP, 0) + 1)) for size in shape_yx]
    return (slice(first[0], first[0] + _CROP), slice(first[1], first[1] + _CROP))


def _centre(
    plane_yxs: NDArray[np.float64], valid_yx: NDArray[np.bool_], side: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the centre of a plane."""
    first = [max(size - side, 0) // 2 for size in valid_yx.shape]
    window = tuple(slice(at, at + side) for at in first)
    return plane_yxs[window], valid_yx[window]
