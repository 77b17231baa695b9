"""Assembly of results: planes from tiles, an image from planes."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.image.axes import Plane
from napari_inr_denoise.image.repeats import Repeats
from napari_inr_denoise.image.source import ImageSource
from napari_inr_denoise.image.tiling import Tile, Tiling

_COPY_PIXELS = 2**22
"""Number of pixels that are copied at a time."""


class WritableArray(Protocol):
    """Array that a result can be written to: NumPy, Zarr, or a file.

    Attributes
    ----------
    shape : tuple of int
    """

    shape: tuple[int, ...]

    def __getitem__(self, selection: Any, /) -> Any:  # noqa: ANN401 - as numpy has it
        """Return the values at one integer or slice per dimension."""

    def __setitem__(self, selection: Any, block: Any, /) -> None:  # noqa: ANN401
        """Write values at one integer or slice per dimension."""


class PlaneCanvas:
    """One plane of the result: blends tiles and writes the rows that are complete.

    Parameters
    ----------
    out : WritableArray
        The whole result.
    plane : Plane
        The plane in it.
    tiling : Tiling
        Tiles of the plane.
    source : ImageSource
        The noisy image.
    repeats : Repeats or None
        Rows and columns of the image that the tiles lack; they are filled in.
    keep : bool
        Whether pixels without a result, and an alpha channel, have the values of the
        source; otherwise NaN.
    """

    def __init__(
        self,
        out: WritableArray,
        plane: Plane,
        tiling: Tiling,
        source: ImageSource,
        repeats: Repeats | None = None,
        *,
        keep: bool = True,
    ) -> None:
        self._out, self._plane, self._tiling = out, plane, tiling
        self._source, self._repeats, self._keep = source, repeats, keep
        self._first = 0  # first row of the plane in the buffers
        self._sums: NDArray[np.float32] | None = None
        self._known: NDArray[np.bool_] | None = None

    def add(
        self, tile: Tile, values_yxs: NDArray[np.float32], known_yx: NDArray[np.bool_]
    ) -> None:
        """Add the next tile.

        Parameters
        ----------
        tile : Tile
            The tile; tiles are added in the order of the tiling.
        values_yxs : ndarray of float32, shape (Y, X, samples)
            Result of the tile.
        known_yx : ndarray of bool, shape (Y, X)
            Pixels that have a result.
        """
        if self._tiling.count == 1:
            self._write(tile.rows.place, values_yxs, known_yx)
            return
        if tile.columns is self._tiling.columns[0]:
            self._next_row(tile, values_yxs.shape[2])
        assert self._sums is not None and self._known is not None  # noqa: PT018
        at = (slice(None), tile.columns.place)
        weighted = values_yxs * tile.weights_yx[..., None]
        self._sums[at] += np.where(known_yx[..., None], weighted, 0.0)
        self._known[at] |= known_yx
        if tile.number == self._tiling.count - 1:
            self._write(tile.rows.place, self._sums, self._known)

    def _next_row(self, tile: Tile, samples: int) -> None:
        """Write the rows that no later tile overlaps; keep the others."""
        width = self._tiling.shape_yx[1]
        height = tile.rows.stop - tile.rows.start
        sums = np.zeros((height, width, samples), dtype=np.float32)
        known = np.zeros((height, width), dtype=np.bool_)
        if self._sums is not None and self._known is not None:
            done = tile.rows.start - self._first
            rows = slice(self._first, tile.rows.start)
            self._write(rows, self._sums[:done], self._known[:done])
            shared = len(self._sums) - done
            sums[:shared], known[:shared] = self._sums[done:], self._known[done:]
        self._first, self._sums, self._known = tile.rows.start, sums, known

    def _write(
        self,
        rows: slice,
        values_yxs: NDArray[np.float32],
        known_yx: NDArray[np.bool_],
    ) -> None:
        window = rows, slice(0, self._tiling.shape_yx[1])
        if self._repeats is not None:
            window, (values_yxs, known_yx) = self._repeats.enlarged(
                window, values_yxs, known_yx
            )
            inside = self._source.inside_yx(self._plane, window)
            known_yx = known_yx if inside is None else known_yx & inside
        part = self._plane.part(*window)
        if self._keep:
            block = self._source.block(part).astype(np.float32)
        else:
            sizes = [
                len(range(*at.indices(size)))
                for at, size in zip(part, self._out.shape, strict=True)
                if isinstance(at, slice)
            ]
            block = np.full(sizes, np.nan, dtype=np.float32)
        self._plane.samples_yxs(block)[known_yx] = values_yxs[known_yx]
        self._out[part] = block


def copy_plane(source: ImageSource, plane: Plane, out: WritableArray) -> None:
    """Copy a plane into the result unchanged, some rows at a time."""
    height, width = plane.shape_yx(source.shape)
    rows = max(_COPY_PIXELS // width, 1)
    for first in range(0, height, rows):
        part = plane.part(slice(first, min(first + rows, height)), slice(0, width))
        out[part] = source.block(part).astype(np.float32)
