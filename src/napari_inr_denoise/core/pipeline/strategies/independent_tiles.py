"""Planes or tiles that each have networks of their own, several at once."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from napari_inr_denoise.core.compute.concurrency import fit_concurrently
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.ensemble.plane_result import FitStep
from napari_inr_denoise.core.noise.measure import measure_plane
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.pipeline.output.assembly import DenoisedTile
from napari_inr_denoise.core.pipeline.planes.passthrough import passthrough_result
from napari_inr_denoise.core.pipeline.planes.white_noise import steps_in_white_noise
from napari_inr_denoise.core.settings import SIREN, DenoiseSettings
from napari_inr_denoise.image.axes import Plane
from napari_inr_denoise.image.tiling import Tile


@dataclass(frozen=True)
class NoisyTile:
    """A tile as it was read; a small plane is a single tile.

    Attributes
    ----------
    plane : Plane
        Position of the plane in the image.
    tile : Tile
        Position of the tile in the plane.
    values_yxs : ndarray of float64, shape (Y, X, samples)
        Noisy intensities in the image's units.
    valid_yx : ndarray of bool, shape (Y, X)
        Valid pixels.
    pattern_yxs : ndarray of float64, shape (Y, X, samples), or None
        Fixed pattern of the camera, which is part of the values.
    shares_noise : bool
        Whether planes beside share a part of the noise.
    """

    plane: Plane
    tile: Tile
    values_yxs: NDArray[np.float64]
    valid_yx: NDArray[np.bool_]
    pattern_yxs: NDArray[np.float64] | None = None
    shares_noise: bool = False


@dataclass(frozen=True)
class TileStep:
    """A step of the fit of a tile.

    Attributes
    ----------
    noisy : NoisyTile
        The tile.
    problem : NoisyPlane
        Noisy values and their noise.
    fit : FitStep
        Current step of the fit.
    """

    noisy: NoisyTile
    problem: NoisyPlane
    fit: FitStep


_Fit = Generator[TileStep, None, DenoisedTile]
_Steps = Generator[tuple[TileStep | DenoisedTile, float], None, None]


def fit_independently(
    tiles: Sequence[NoisyTile],
    spacing_yx: tuple[float, float],
    settings: DenoiseSettings,
    device: torch.device,
    *,
    previews: bool = True,
) -> _Steps:
    """Denoise tiles at once, each with its own noise model and networks.

    Parameters
    ----------
    tiles : sequence of NoisyTile
        As many as may be fitted at once. Tiles of one plane are in the tiling's order.
    spacing_yx : tuple of float
        Height and width of a pixel; any one unit.
    settings : DenoiseSettings
        The networks, and the strength of the denoising.
    device : torch.device
        Where to compute.
    previews : bool
        Whether somebody looks at a tile before it is denoised.

    Yields
    ------
    step : TileStep or DenoisedTile
        At each step of any fit, the newest step of the first unfinished tile; and each
        denoised tile once. Whole planes are yielded as soon as they are denoised, tiles
        of a plane in the tiling's order.
    others : float
        Work done on the other tiles that were not yet yielded as denoised, in tiles.

    Raises
    ------
    Exception
        The first error of a fit, after all denoised tiles were yielded.
    """
    at_work = _AtWork(tiles)
    fits = [
        at_work.record(
            number, _denoised(one, spacing_yx, settings, device, previews=previews)
        )
        for number, one in enumerate(tiles)
    ]
    try:
        for number, step in fit_concurrently(fits, device):
            at_work.update(number, step)
            yield from at_work.denoised()
            yield from at_work.first()
    except Exception:
        # Keep the tiles that are denoised, even if another one failed.
        yield from at_work.denoised()
        raise
    yield from at_work.denoised()


def _denoised(
    noisy: NoisyTile,
    spacing_yx: tuple[float, float],
    settings: DenoiseSettings,
    device: torch.device,
    *,
    previews: bool,
) -> _Fit:
    problem = replace(
        measure_plane(noisy.values_yxs, noisy.valid_yx, spacing_yx, noisy.pattern_yxs),
        shares_noise=noisy.shares_noise,
    )
    result = passthrough_result(problem)
    if result is None:
        if settings.candidate_names != (SIREN,):
            problem = problem.evened()
        steps = steps_in_white_noise(problem, settings, device, previews=previews)
        for fit in (run := GeneratorResult(steps)):
            yield TileStep(noisy, problem, fit)
        result = run.result
    strength = settings.strength
    return DenoisedTile.of(noisy.plane, noisy.tile, problem, result, strength)


class _AtWork:
    """Tiles that are fitted at once, until each was yielded as denoised."""

    def __init__(self, tiles: Sequence[NoisyTile]) -> None:
        self._tiles = tiles
        # The tiles of a plane must be written in order, one plane after the other.
        self._in_order = any(one.tile.number > 0 for one in tiles)
        self._left = list(range(len(tiles)))
        self._done: dict[int, DenoisedTile] = {}
        self._newest: dict[int, TileStep] = {}

    def record(self, number: int, fit: _Fit) -> Generator[TileStep, None, None]:
        """Keep the result of a fit as soon as it ends, before the others do."""
        self._done[number] = yield from fit

    def update(self, number: int, step: TileStep) -> None:
        """Keep the newest step of a fit."""
        self._newest[number] = step

    def denoised(self) -> _Steps:
        """Yield each denoised tile once."""
        for number in self._left.copy():
            waits = self._in_order and number - 1 in self._left
            if number in self._done and not waits:
                self._left.remove(number)
                yield self._done.pop(number), self._others(number)

    def first(self) -> _Steps:
        """Yield the newest step of the first unfinished tile, if it has begun."""
        unfinished = (number for number in self._left if number not in self._done)
        number = next(unfinished, -1)
        if number in self._newest:
            yield self._newest[number], self._others(number)

    def _others(self, number: int) -> float:
        """Return the work done on the other tiles, in tiles."""
        return sum(self._progress(other) for other in self._left if other != number)

    def _progress(self, number: int) -> float:
        if number in self._done:
            return 1.0
        return self._newest[number].fit.progress if number in self._newest else 0.0
