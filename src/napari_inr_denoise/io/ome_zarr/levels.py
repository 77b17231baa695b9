"""Resolution levels of an OME-Zarr: their sizes, and their pixels as block means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.image.conversion import as_dtype
from napari_inr_denoise.io.lazy.ordered_blocks import tiles
from napari_inr_denoise.io.ome_zarr.attributes import read_attributes
from napari_inr_denoise.io.ome_zarr.ngff_reader import ngff_metadata

Levels = int | Literal["auto"]
"""Number of levels, with the full one; "auto" until a plane fits on a screen."""
_AUTO_SIDE = 256
"""Height and width in pixels of the last level of "auto" are at most this."""


@dataclass(frozen=True)
class Level:
    """A resolution level.

    Attributes
    ----------
    sizes : dict of str to int
        Height and width in pixels, by Y and X.
    factors : dict of str to int
        Number of full pixels per pixel of the level along Y and X.
    """

    sizes: Mapping[str, int]
    factors: Mapping[str, int]

    @property
    def path(self) -> str:
        """Name of the array in its group: "0" for the full level, "1" for the next."""
        return str(max(self.factors.values()).bit_length() - 1)

    def coarser(self) -> Level:
        """Return the next level: half of the size, rounded up."""
        halved = {axis: -(-size // 2) for axis, size in self.sizes.items()}
        factors = {
            axis: factor * (2 if self.sizes[axis] > 1 else 1)
            for axis, factor in self.factors.items()
        }
        return Level(halved, factors)


def plan_levels(height: int, width: int, levels: Levels) -> list[Level]:
    """Return the levels of an image, the full one first.

    There are fewer than asked for if a plane cannot be halved as often.
    """
    planned = [Level({"Y": height, "X": width}, {"Y": 1, "X": 1})]
    most, least = (None, _AUTO_SIDE) if levels == "auto" else (levels, 1)
    while max(planned[-1].sizes.values()) > least and len(planned) != most:
        planned.append(planned[-1].coarser())
    return planned


def check_levels(levels: Levels) -> Levels:
    """Return the levels; raise ValueError unless they are "auto" or a number from 1."""
    if levels == "auto" or (isinstance(levels, int) and levels >= 1):
        return levels
    raise ValueError(
        f'levels: got {levels!r}, wanted "auto" or a whole number from 1 (the full '
        "resolution alone)."
    )


def count_levels(folder: Path) -> int:
    """Return the number of levels of the first image of an OME-Zarr."""
    metadata = ngff_metadata(read_attributes(folder))
    return len(metadata["multiscales"][0]["datasets"])


def block_means(
    values: NDArray[Any], factors: tuple[int, int]
) -> NDArray[np.floating[Any]]:
    """Return the means of blocks of a plane, without values that are NaN.

    Parameters
    ----------
    values : ndarray
        (height, width).
    factors : (int, int)
        Height and width of the blocks. Blocks at the end may be smaller.

    Returns
    -------
    ndarray of float64
        NaN where a block has no other values.
    """
    known = ~np.isnan(values)
    total, count = np.where(known, values, 0).astype(np.float64), known.astype(np.uint8)
    for axis, factor in enumerate(factors):
        starts = np.arange(0, values.shape[axis], factor)
        total = np.add.reduceat(total, starts, axis)
        count = np.add.reduceat(count, starts, axis, dtype=np.uint8)
    with np.errstate(invalid="ignore"):
        return np.asarray(total / count)


def coarser_blocks(
    finer: Any,  # noqa: ANN401 - array of zarr
    level: Level,
    side: int | None,
) -> Iterator[tuple[tuple[int | slice, ...], NDArray[Any]]]:
    """Yield the index and the values of each block of a level.

    Parameters
    ----------
    finer : Zarr array
        The next finer level, with Y and X last. Read one block at a time.
    level : Level
        The level to make.
    side : int or None
        Side of the blocks in pixels of the level; None for whole planes.
    """
    size = level.sizes["Y"], level.sizes["X"]
    height, width = finer.shape[-2:]
    # The side that has one pixel left is not halved.
    down, across = (1 if height == size[0] else 2), (1 if width == size[1] else 2)
    for outer in np.ndindex(*finer.shape[:-2]):
        for rows, columns in tiles(*size, side):
            there = _stretched(rows, down, height), _stretched(columns, across, width)
            means = block_means(np.asarray(finer[(*outer, *there)]), (down, across))
            yield (*outer, rows, columns), as_dtype(means, finer.dtype)[0]


def _stretched(part: slice, factor: int, size: int) -> slice:
    return slice(part.start * factor, min(part.stop * factor, size))
