"""Planes or tiles denoised by networks of their own, some of them at once."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from napari_inr_denoise.core.compute.concurrency import fit_concurrently
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.ensemble.plane_result import FitStep
from napari_inr_denoise.core.noise.measure import measure_plane
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.pipeline.assembly import DenoisedTile
from napari_inr_denoise.core.pipeline.plane import passthrough_result, plane_steps
from napari_inr_denoise.core.settings import DenoiseSettings
from napari_inr_denoise.image.axes import Plane
from napari_inr_denoise.image.tiling import Tile


@dataclass(frozen=True)
class NoisyTile:
    """A tile, which is all of a small plane, as it was read.

    Attributes
    ----------
    plane : Plane
        Where it lies in the image.
    tile : Tile
        And in the plane.
    values_yxs : ndarray of float64, shape (Y, X, samples)
        In the image's units.
    valid_yx : ndarray of bool, shape (Y, X)
        Pixels that count.
    """

    plane: Plane
    tile: Tile
    values_yxs: NDArray[np.float64]
    valid_yx: NDArray[np.bool_]


@dataclass(frozen=True)
class TileStep:
    """A tile while it is fitted.

    Attributes
    ----------
    noisy : NoisyTile
        The tile.
    problem : NoisyPlane
        Its values and its noise.
    fit : FitStep
        How far its fit is.
    """

    noisy: NoisyTile
    problem: NoisyPlane
    fit: FitStep


_Fit = Generator[TileStep, None, DenoisedTile]
_Looks = Generator[tuple[TileStep | DenoisedTile, float], None, None]


def fit_independently(
    tiles: Sequence[NoisyTile],
    spacing_yx: tuple[float, float],
    settings: DenoiseSettings,
    device: torch.device,
) -> _Looks:
    """Denoise each tile under a noise model and by networks of its own, all at once.

    Parameters
    ----------
    tiles : sequence of NoisyTile
        As many as may be worked on at once; of a plane in the tiling's order.
    spacing_yx : tuple of float
        Height and width of a pixel; any one unit.
    settings : DenoiseSettings
        The networks, and the strength of the result.
    device : torch.device
        Where to compute.

    Yields
    ------
    look : TileStep or DenoisedTile
        Of the first tile that is not denoised, each time there is something new of
        any; and one of each tile that is. Whole planes come as soon as they are
        denoised, tiles of planes in their order.
    beside : float
        What is done of the others that were not yet said to be denoised, in tiles.

    Raises
    ------
    Exception
        What the fit of one of them raises, after what is denoised was yielded.
    """
    at_work = _AtWork(tiles)
    fits = [
        at_work.noted(number, _denoised(one, spacing_yx, settings, device))
        for number, one in enumerate(tiles)
    ]
    try:
        for number, step in fit_concurrently(fits, device):
            at_work.hear(number, step)
            yield from at_work.denoised()
            yield from at_work.first()
    except Exception:
        # What is done stays done, whatever has become of another.
        yield from at_work.denoised()
        raise
    yield from at_work.denoised()


def _denoised(
    noisy: NoisyTile,
    spacing_yx: tuple[float, float],
    settings: DenoiseSettings,
    device: torch.device,
) -> _Fit:
    problem = measure_plane(noisy.values_yxs, noisy.valid_yx, spacing_yx)
    result = passthrough_result(problem)
    if result is None:
        for fit in (run := GeneratorResult(plane_steps(problem, settings, device))):
            yield TileStep(noisy, problem, fit)
        result = run.result
    strength = settings.strength
    return DenoisedTile.of(noisy.plane, noisy.tile, problem, result, strength)


class _AtWork:
    """Tiles that are worked on at once, until each was said to be denoised."""

    def __init__(self, tiles: Sequence[NoisyTile]) -> None:
        self._tiles = tiles
        # A plane is put together tile by tile, one plane after the other.
        self._in_order = any(one.tile.number > 0 for one in tiles)
        self._left = list(range(len(tiles)))
        self._done: dict[int, DenoisedTile] = {}
        self._newest: dict[int, TileStep] = {}

    def noted(self, number: int, fit: _Fit) -> Generator[TileStep, None, None]:
        """Note what a fit ends with, at once: others may go on for long."""
        self._done[number] = yield from fit

    def hear(self, number: int, step: TileStep) -> None:
        """Take the newest step of a fit."""
        self._newest[number] = step

    def denoised(self) -> _Looks:
        """Say of each tile once that it is denoised."""
        for number in self._left.copy():
            waits = self._in_order and number - 1 in self._left
            if number in self._done and not waits:
                self._left.remove(number)
                yield self._done.pop(number), self._beside(number)

    def first(self) -> _Looks:
        """Return a look at the first that is not denoised, if it has begun."""
        under_way = (number for number in self._left if number not in self._done)
        number = next(under_way, -1)
        if number in self._newest:
            yield self._newest[number], self._beside(number)

    def _beside(self, number: int) -> float:
        """Return what is done of the others."""
        return sum(self._progress(other) for other in self._left if other != number)

    def _progress(self, number: int) -> float:
        if number in self._done:
            return 1.0
        return self._newest[number].fit.progress if number in self._newest else 0.0
