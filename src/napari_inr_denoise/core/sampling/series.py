"""The planes of a series, tile by tile, under the noise that they have in common."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.core.ensemble.weighting import hold_out
from napari_inr_denoise.core.noise.hot_pixels import isolated_pixels
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.noise.shared import SharedNoise
from napari_inr_denoise.core.sampling.similarity import shares_structure
from napari_inr_denoise.image.tiling import Tile, Tiling

Values = tuple[NDArray[np.float64], NDArray[np.bool_]]
"""Of a plane or a part of it, (Y, X, samples), and its valid pixels, (Y, X)."""
ReadPart = Callable[[int, tuple[slice, slice]], Values]
"""From a plane's number, and rows and columns of it, to its values."""
CROP = 512
"""Side, in pixels, of what is taken of a plane to measure or to train on."""
_MOST_MEASURED = 8
"""Parts that the noise is measured on."""
_MOST_KEPT_PIXELS = 2**24
"""Of planes that are kept for those that come after: about 200 MB."""
_MOST_LOOKED_AT = 4
"""Tiles by which a large plane is compared with the noise of the others."""


@dataclass(frozen=True)
class SeriesTile:
    """A plane that belongs to its series, or a tile of it.

    Attributes
    ----------
    number : int
        Of the plane in the series.
    part : int
        Counted over the tiles of all planes.
    problem : NoisyPlane
        Its values and its noise.
    context : tuple of NoisyPlane or None
        The same tile of planes below and above, near ones first; None where there is
        none that shows the same structure. Empty where a plane is alone.
    """

    number: int
    part: int
    problem: NoisyPlane
    context: tuple[NoisyPlane | None, ...]

    def held_out(self, seed: int) -> NDArray[np.bool_]:
        """Return the pixels that are not trained on."""
        return hold_out(self.problem.fitted_yx, seed + self.part)

    def cropped(self, window: tuple[slice, slice]) -> SeriesTile:
        """Return a part of it."""
        context = tuple(one and one.cropped(window) for one in self.context)
        return replace(self, problem=self.problem.cropped(window), context=context)


class Series:
    """The planes of a series, read when they are needed, under a common noise model.

    Parameters
    ----------
    read : ReadPart
        Reads a part of a plane.
    count : int
        Planes in the series; of one alone the tiles share the noise.
    tiling : Tiling
        How each plane is cut.
    spacing_yx : tuple of float
        Height and width of a pixel.
    reach : int
        How many planes on each side may help.

    Attributes
    ----------
    noise : SharedNoise
        What the planes have in common.
    """

    def __init__(
        self,
        read: ReadPart,
        count: int,
        tiling: Tiling,
        spacing_yx: tuple[float, float],
        reach: int,
    ) -> None:
        self._read, self.count, self.tiling = read, count, tiling
        self._spacing_yx = spacing_yx
        self._reach = reach if count > 1 else 0
        self.noise = SharedNoise.of(self._measured())
        self._found: dict[int, tuple[int | None, ...] | None] = {}
        self._fitting: dict[int, bool] = {}
        self._kept: OrderedDict[tuple[int, int], NoisyPlane] = OrderedDict()

    def _measured(self) -> list[Values]:
        """Return the parts that the noise is measured on."""
        chosen = spread(self.count, _MOST_MEASURED)
        tiles = self._some_tiles(max(_MOST_MEASURED // len(chosen), 1))
        return [
            self._read(number, centre(tile.window))
            for number in chosen
            for tile in tiles
        ]

    def _some_tiles(self, most: int) -> list[Tile]:
        tiles = self.tiling.tiles
        return [tiles[k] for k in spread(len(tiles), most)]

    def beside(self, number: int) -> tuple[int | None, ...] | None:
        """Return the planes beside one that show what it shows.

        Returns
        -------
        tuple of int or None, or None
            Below and above, near ones first; None in place of one that shows
            something else; empty if the plane is alone. None where it does not
            belong to the series: by its noise, or because no plane beside it shows
            the same.
        """
        if number not in self._found:
            self._found[number] = self._beside(number)
        return self._found[number]

    def _beside(self, number: int) -> tuple[int | None, ...] | None:
        if self.count == 1:
            return () if self.noise.model.sigma > 0 else None
        own = self._typical(number)
        if own is None:
            return None
        found: list[int | None] = []
        for distance in range(1, self._reach + 1):
            for beside in (number - distance, number + distance):
                inside = 0 <= beside < self.count
                other = self._typical(beside) if inside else None
                related = other is not None and shares_structure(own, other)
                found.append(beside if related else None)
        return None if all(one is None for one in found) else tuple(found)

    def _typical(self, number: int) -> NoisyPlane | None:
        """Return what a plane is told by: all of a small one, else its middle tile.

        None where its noise is not that of the series.
        """
        if number not in self._fitting:
            self._fitting[number] = self.noise.fits(self._looked_at(number))
        middle = self.tiling.tiles[self.tiling.count // 2]
        return self.problem(number, middle) if self._fitting[number] else None

    def _looked_at(self, number: int) -> list[Values]:
        if self.tiling.count == 1:
            return [self._read(number, self.tiling.tiles[0].window)]
        tiles = self._some_tiles(_MOST_LOOKED_AT)
        return [self._read(number, centre(tile.window)) for tile in tiles]

    @property
    def _most_kept(self) -> int:
        """How many tiles are kept: those of planes beside, unless they are large."""
        planes = 2 * self._reach + 1
        pixels = planes * math.prod(self.tiling.shape_yx)
        return planes * (self.tiling.count if pixels <= _MOST_KEPT_PIXELS else 1)

    def problem(self, number: int, tile: Tile) -> NoisyPlane:
        """Return a tile of a plane under the common noise."""
        key = (number, tile.number)
        if key not in self._kept:
            self._kept[key] = self._made(number, tile)
            while len(self._kept) > self._most_kept:
                self._kept.popitem(last=False)
        return self._kept[key]

    def _made(self, number: int, tile: Tile) -> NoisyPlane:
        values, valid = self._read(number, tile.window)
        noise, curves = self.noise.on(values, valid), self.noise.curves
        problem = NoisyPlane(values, valid, valid, noise, self._spacing_yx, curves)
        return replace(problem, fitted_yx=valid & ~isolated_pixels(problem))

    def member(self, number: int, tile: Tile) -> SeriesTile:
        """Return a tile of a plane that belongs to the series, and those beside it."""
        beside = self.beside(number) or ()
        context = tuple(
            None if one is None else self.problem(one, tile) for one in beside
        )
        part = number * self.tiling.count + tile.number
        return SeriesTile(number, part, self.problem(number, tile), context)


def spread(count: int, most: int) -> list[int]:
    """Return up to so many numbers, evenly over 0 to count - 1."""
    return sorted({int(k) for k in np.linspace(0, count - 1, min(count, most))})


def centre(window: tuple[slice, slice], most: int = CROP) -> tuple[slice, slice]:
    """Return the centre of a window, of at most so many pixels a side."""
    rows, columns = (
        slice(first, min(first + most, one.stop))
        for one in window
        for first in [one.start + max(one.stop - one.start - most, 0) // 2]
    )
    return rows, columns
