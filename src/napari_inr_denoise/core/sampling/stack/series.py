"""A series of planes, read by tiles, with a shared noise model and context slices."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass, replace
from itertools import chain, islice, repeat

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.core.ensemble.weighting import hold_out
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.noise.white.flat_spectrum import blind_spot_fails
from napari_inr_denoise.core.sampling.stack.even_planes import EvenPlanes
from napari_inr_denoise.core.sampling.stack.parts import ReadPart
from napari_inr_denoise.core.sampling.stack.shared_noise import SharedNoise
from napari_inr_denoise.core.sampling.stack.similarity import shares_structure
from napari_inr_denoise.core.sampling.stack.stack_noise import (
    NOTHING_IN_COMMON,
    StackNoise,
)
from napari_inr_denoise.image.tiling import Tile, Tiling

_MAX_CACHED_PIXELS = 2**24
"""Largest number of pixels of planes in the cache: about 200 MB, or 440 MB with a map
of the noise level."""
_MAX_KEPT_PIXELS = 2**22
"""Largest number of pixels of a series that is kept as a whole, about 60 MB a sample,
or 110 MB with a map of the noise level: training, context slices and prediction all
need each plane."""


@dataclass(frozen=True)
class SeriesTile:
    """A plane of a series, or a tile of one, with its context slices.

    Attributes
    ----------
    number : int
        Index of the plane in the series.
    part : int
        Index of the tile among the tiles of all planes.
    problem : NoisyPlane
        Values and noise model.
    context : tuple of NoisyPlane or None
        Context slices: the same tile of the planes below and above, nearest first. An
        entry is None if the plane is missing or shows other structure. Empty for a
        single plane.
    """

    number: int
    part: int
    problem: NoisyPlane
    context: tuple[NoisyPlane | None, ...]

    def held_out(self, seed: int) -> NDArray[np.bool_]:
        """Return the mask of the held-out pixels."""
        return hold_out(self.problem.fitted_yx, seed + self.part)

    def cropped(self, window: tuple[slice, slice]) -> SeriesTile:
        """Return a crop of the tile and its context slices."""
        context = tuple(
            one and replace(one, original=None).cropped(window) for one in self.context
        )
        return replace(self, problem=self.problem.cropped(window), context=context)


class Series:
    """A series of planes, read on demand, with a shared noise model.

    Parameters
    ----------
    read, count, tiling, spacing_yx
        As for `EvenPlanes`.
    reach : int
        Number of context slices on each side.
    common : StackNoise
        What the noise of the planes has in common. The fixed pattern is subtracted, and
        planes that share noise are no context slices of each other. If most of the
        noise stays in place, each plane is alone.
    """

    def __init__(
        self,
        read: ReadPart,
        count: int,
        tiling: Tiling,
        spacing_yx: tuple[float, float],
        reach: int,
        common: StackNoise = NOTHING_IN_COMMON,
    ) -> None:
        self.count, self.tiling = count, tiling
        self._distance, self._alone = common.distance, common.pixels_dominate
        self._reach = reach if count > 1 else 0
        self._planes = EvenPlanes(read, count, tiling, spacing_yx, common)
        self._context_numbers: dict[int, tuple[int | None, ...] | None] = {}
        self._cache: OrderedDict[tuple[int, int], NoisyPlane] = OrderedDict()

    @property
    def noise(self) -> SharedNoise:
        """Noise model of all planes; see also `even_out`."""
        return self._planes.noise

    def even_out(self) -> None:
        """Divide planes by what makes their noise the same; see `EvenPlanes`.

        Call this before any other method.
        """
        self._planes.even_out(factors=self._reach > 0)

    def context_numbers(self, number: int) -> tuple[int | None, ...] | None:
        """Return the numbers of a plane's context slices.

        Returns
        -------
        tuple of int or None, or None
            Planes below and above, nearest first. An entry is None if the plane is
            missing or shows other structure. Empty for a single plane. None instead of
            a tuple if the plane does not belong to the series: its noise differs, or
            no adjacent plane shows the same structure, or no blind spot hides its noise
            because most of it stays in place or reaches too far. For a single plane, if
            its noise differs from place to place.
        """
        if number not in self._context_numbers:
            self._context_numbers[number] = self._find_context(number)
        return self._context_numbers[number]

    def _find_context(self, number: int) -> tuple[int | None, ...] | None:
        if self.count == 1:
            known = self.noise.model.sigma > 0
            return () if known and self._planes.is_even(0) else None
        own = None if self._alone else self._representative(number)
        if own is None or blind_spot_fails(own):
            return None
        found: list[int | None] = []
        sides = (self._without_blank(number, step) for step in (-1, 1))
        for adjacent in chain.from_iterable(zip(*sides, strict=True)):
            other = None if adjacent is None else self._representative(adjacent)
            related = other is not None and shares_structure(own, other)
            found.append(adjacent if related else None)
        return None if all(one is None for one in found) else tuple(found)

    def _without_blank(self, number: int, step: int) -> list[int | None]:
        """Return the numbers of the next planes on one side, blank ones left out.

        The list has one entry for each context slice on that side. An entry is None
        beyond the ends of the series.
        """
        nearest = number + step * self._distance
        numbers = range(nearest, self.count if step > 0 else -1, step)
        planes = islice(
            (k for k in numbers if not self._planes.is_blank(k)), self._reach
        )
        return [*planes, *repeat(None, self._reach)][: self._reach]

    def _representative(self, number: int) -> NoisyPlane | None:
        """Return the tile that represents a plane: the middle one.

        None if the plane does not have the noise of the series.
        """
        if not self._planes.belongs(number):
            return None
        return self.problem(number, self.tiling.tiles[self.tiling.count // 2])

    @property
    def _cache_size(self) -> int:
        """Largest number of tiles in the cache.

        All tiles of a small series. Otherwise all tiles of a plane and its context
        slices, or one tile of each where planes are large.
        """
        area = math.prod(self.tiling.shape_yx)
        if self.count * area <= _MAX_KEPT_PIXELS:
            return self.count * self.tiling.count
        planes = self._span if self.may_look_beside else 2 * self._farthest + 1
        return planes * (
            self.tiling.count if planes * area <= _MAX_CACHED_PIXELS else 1
        )

    @property
    def may_look_beside(self) -> bool:
        """Whether planes are few or small enough to keep those beside as well."""
        pixels = self._span * math.prod(self.tiling.shape_yx)
        return self._reach > 0 and pixels <= _MAX_CACHED_PIXELS

    @property
    def _farthest(self) -> int:
        """Distance of the farthest context slice, in planes."""
        return self._reach and self._reach + self._distance - 1

    @property
    def _span(self) -> int:
        """Number of planes from the first to the last that a plane may need.

        Those beside a plane are predicted from their own context slices.
        """
        return 2 * (self._farthest + self._distance) + 1

    def beside(self, number: int) -> list[int]:
        """Return the numbers of the next plane on each side.

        One that is missing, shows other structure or does not belong to the series is
        left out. The list is empty where planes are too large to be kept.
        """
        if not self.may_look_beside:
            return []
        nearest = (self.context_numbers(number) or ())[:2]
        return [
            k for k in nearest if k is not None and self.context_numbers(k) is not None
        ]

    def problem(self, number: int, tile: Tile) -> NoisyPlane:
        """Return a tile of a plane with the shared noise model."""
        key = (number, tile.number)
        if key not in self._cache:
            self._cache[key] = self._planes.read(number, tile)
            while len(self._cache) > self._cache_size:
                self._cache.popitem(last=False)
        return self._cache[key]

    def member(self, number: int, tile: Tile) -> SeriesTile:
        """Return a tile of a plane with its context slices."""
        numbers = self.context_numbers(number) or ()
        context = tuple(
            None if one is None else self.problem(one, tile) for one in numbers
        )
        part = number * self.tiling.count + tile.number
        return SeriesTile(number, part, self.problem(number, tile), context)
