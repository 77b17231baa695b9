"""What the noise of the planes of a stack has in common."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from napari_inr_denoise.core.noise.correlated.between_planes import (
    MOST_CONSECUTIVE,
    independent_distance,
)
from napari_inr_denoise.core.noise.defects.fill import measured_pixels
from napari_inr_denoise.core.noise.defects.fixed_pattern import (
    FEWEST_PLANES,
    MOST_PLANES,
    FixedPattern,
    fixed_pattern,
)
from napari_inr_denoise.core.sampling.stack.parts import (
    ReadPart,
    Values,
    centre,
    spread,
)

_SIDE = 256
"""Side, in pixels, of the part of planes that is compared."""
_STANDS_OUT, _DOMINATES = 0.1, 0.5
"""Shares of the noise power from which a network must not see a pixel in other planes,
because its offset stays there; and from which planes are denoised alone, because the
offsets around a pixel tell its own."""
_MOST_PIXELS = 2**24
"""Largest number of pixels of a plane whose fixed pattern is kept in memory."""


@dataclass(frozen=True)
class StackNoise:
    """What the noise of the planes of a stack has in common.

    Attributes
    ----------
    pattern : FixedPattern or None
        Offsets that stay in place over the stack.
    distance : int
        Distance, in planes, from which two planes do not share noise. More than 1 after
        a running average or a resampling along the stack.
    """

    pattern: FixedPattern | None = None
    distance: int = 1

    @property
    def pixels_stand_out(self) -> bool:
        """Whether offsets of pixels that stay in place stand out of the noise."""
        return self.pattern is not None and self.pattern.pixel_share > _STANDS_OUT

    @property
    def pixels_dominate(self) -> bool:
        """Whether most of the noise is offsets of pixels that stay in place."""
        return self.pattern is not None and self.pattern.pixel_share > _DOMINATES

    @classmethod
    def of(cls, read: ReadPart, count: int, shape_yx: tuple[int, int]) -> StackNoise:
        """Read some of the planes and measure what they have in common.

        Parameters
        ----------
        read : ReadPart
            Reads a part of a plane. A plane that cannot be read is left out: the error
            is raised when it is denoised itself.
        count : int
            Number of planes.
        shape_yx : tuple of int
            Rows and columns of a plane.
        """
        distance = planes_apart(read, count, shape_yx)
        if not may_have_pattern(count, shape_yx):
            return cls(None, distance)
        # Noise that planes share would pass for a pattern.
        apart = range(0, count, distance)
        numbers = [apart[k] for k in spread(len(apart), MOST_PLANES)]
        whole = slice(0, shape_yx[0]), slice(0, shape_yx[1])
        return cls(fixed_pattern(_readable(read, numbers, whole)), distance)


NOTHING_IN_COMMON = StackNoise()


def may_have_pattern(count: int, shape_yx: tuple[int, int]) -> bool:
    """Return whether a fixed pattern is looked for in a stack."""
    return count >= FEWEST_PLANES and math.prod(shape_yx) <= _MOST_PIXELS


def planes_apart(read: ReadPart, count: int, shape_yx: tuple[int, int]) -> int:
    """Return the distance, in planes, from which the planes of a stack share no noise.

    Parameters are those of `StackNoise.of`. The middle planes are read.
    """
    first = max(count - MOST_CONSECUTIVE, 0) // 2
    numbers = range(first, min(first + MOST_CONSECUTIVE, count))
    window = centre((slice(0, shape_yx[0]), slice(0, shape_yx[1])), _SIDE)
    return independent_distance(_readable(read, numbers, window))


def _readable(
    read: ReadPart, numbers: Iterable[int], window: tuple[slice, slice]
) -> Iterator[Values]:
    for number in numbers:
        with suppress(Exception):
            values, valid = read(number, window)
            yield values, measured_pixels(values, valid)[0]
