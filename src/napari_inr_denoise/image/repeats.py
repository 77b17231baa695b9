"""Enlarged images: rows and columns that only repeat the one before.

An image that was enlarged without interpolation has each noisy pixel several times::

    as recorded     enlarged 1.5 times     of which these are kept
    a b             a a b                  a . b
    c d             a a b                  . . .
                    c c d                  c . d

Neighbours that share all their noise tell a blind-spot network the pixel that it must
not see, and leave no noise for the methods that compare neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.image.axes import Plane, planes_of
from napari_inr_denoise.image.conversion import as_array, to_floats
from napari_inr_denoise.image.indexing import as_slices, resolve
from napari_inr_denoise.image.source import ImageSource, ReadableArray, Window

_LEAST = 0.05
"""Least share of rows or columns that repeat the one before. In noise none does."""
_FEWEST = 16
"""Fewest rows or columns to compare and to keep. Stripes without noise repeat
everywhere."""
_FIRST, _NEXT = 2**16, 2**22
"""Pixels that are compared at first, enough for most images, and then at a time."""


@dataclass(frozen=True)
class Repeats:
    """Which rows and columns of an image repeat the one before, in all its planes.

    Attributes
    ----------
    axes : str
        One letter per dimension of the image.
    rows, columns : ndarray of int
        For each row or column of the image, the number of the kept one with its values.
    """

    axes: str
    rows: NDArray[np.intp] = field(repr=False)
    columns: NDArray[np.intp] = field(repr=False)

    @classmethod
    def of(cls, source: ImageSource, axes: str) -> Repeats | None:
        """Return the repeated rows and columns of an image; None if there are none.

        An image without them is read only to the first part that is not constant.

        Parameters
        ----------
        source : ImageSource
            The image.
        axes : str
            One letter per dimension.
        """
        planes = planes_of(axes, source.shape)
        height, width = next(planes_of(axes, source.shape)).shape_yx(source.shape)
        rows, columns = _Comparison(height), _Comparison(width)
        for number, plane in enumerate(planes):
            most = _NEXT if number else _FIRST
            for first, values, finite in _bands(source, plane, height, width, most):
                rows.add(values, finite, first)
                columns.add(values.swapaxes(0, 1), finite.swapaxes(0, 1), 0)
                if not (rows.may_repeat or columns.may_repeat):
                    return None
        found = cls(axes, rows.kept, columns.kept)
        return found if found.shape_yx != (height, width) else None

    @property
    def shape_yx(self) -> tuple[int, int]:
        """Number of rows and columns that are kept."""
        return int(self.rows[-1]) + 1, int(self.columns[-1]) + 1

    @property
    def note(self) -> str:
        """Note for the report."""
        rows, columns = self.shape_yx
        return (
            f"Enlarged image: of {len(self.rows)} rows and {len(self.columns)} columns "
            f"only {rows} and {columns} differ from the one before. These were "
            "denoised and then repeated. Sums and numbers of pixels in this report "
            "count each of them once."
        )

    def recorded(self, array: ReadableArray) -> RecordedPixels:
        """Return the image, or its mask, without what repeats the one before."""
        # A mask has no samples, and may lack the first axes.
        whole = len(array.shape) == len(self.axes)
        axes = self.axes if whole else self.axes.replace("S", "")[-array.ndim :]
        return RecordedPixels(
            array, {axes.index("Y"): self.rows, axes.index("X"): self.columns}
        )

    def spacing(
        self, spacing_zyx: tuple[float, float, float]
    ) -> tuple[float, float, float]:
        """Return the size of a kept voxel, given that of a voxel of the image."""
        depth, height, width = spacing_zyx
        rows, columns = self.shape_yx
        return (
            depth,
            height * len(self.rows) / rows,
            width * len(self.columns) / columns,
        )

    def enlarged(
        self, window: Window, *kept: NDArray[Any]
    ) -> tuple[Window, list[NDArray[Any]]]:
        """Return a part of kept pixels at the size of the image.

        Parameters
        ----------
        window : tuple of slice
            Its rows and columns among those that are kept.
        *kept : ndarray, shape (Y, X) or (Y, X, samples)
            Values of the part.

        Returns
        -------
        window : tuple of slice
            Rows and columns of the image.
        values : list of ndarray
            The values there.
        """
        numbers = [
            (np.searchsorted(all_of, [at.start, at.stop]), all_of)
            for at, all_of in zip(window, (self.rows, self.columns), strict=True)
        ]
        (rows, down), (columns, across) = (
            (slice(int(a), int(b)), all_of[a:b]) for (a, b), all_of in numbers
        )
        top, left = window[0].start, window[1].start
        return (rows, columns), [one[down - top][:, across - left] for one in kept]


def without_repeats(
    source: ImageSource, axes: str, spacing_zyx: tuple[float, float, float]
) -> tuple[ImageSource, tuple[float, float, float], Repeats | None]:
    """Return an image as it was before it was enlarged, or as it is.

    Parameters
    ----------
    source : ImageSource
        The image.
    axes : str
        One letter per dimension.
    spacing_zyx : tuple of float
        Size of a voxel.

    Returns
    -------
    kept : ImageSource
        The image without the rows and columns that repeat the one before.
    spacing_zyx : tuple of float
        Size of its voxels.
    repeats : Repeats or None
        What was left out; None if nothing was.
    """
    repeats = Repeats.of(source, axes)
    if repeats is None:
        return source, spacing_zyx, None
    return source.seen_as(repeats.recorded), repeats.spacing(spacing_zyx), repeats


class _Comparison:
    """Comparison of the rows, or of the columns, of an image with the one before."""

    def __init__(self, count: int) -> None:
        self._same = np.ones(count - 1, dtype=np.bool_)
        self._varied = np.zeros(count - 1, dtype=np.bool_)

    def add(
        self, values: NDArray[np.float64], finite: NDArray[np.bool_], first: int
    ) -> None:
        """Compare a part of a plane along its first axis.

        Parameters
        ----------
        values, finite : ndarray
            Values, and which of them are finite.
        first : int
            Number of the first row or column.
        """
        at = slice(first, first + len(values) - 1)
        same = (values[1:] == values[:-1]) & (finite[1:] == finite[:-1])
        self._same[at] &= same.all(axis=(1, 2))
        self._varied[at] |= (values[1:] != values[1:, :1]).any(axis=(1, 2))

    @property
    def may_repeat(self) -> bool:
        """Whether as many repeat as in an enlarged image, as far as was read.

        Constant ones say nothing: they may be fill, or a dark background.
        """
        known = int(self._varied.sum())
        return known < _FEWEST or int(self._repeat.sum()) >= _LEAST * known

    @property
    def _repeat(self) -> NDArray[np.bool_]:
        return self._same & self._varied

    @property
    def kept(self) -> NDArray[np.intp]:
        """For each row or column, the number of the kept one with its values."""
        new = ~self._repeat
        if not self.may_repeat or 1 + new.sum() < _FEWEST or not self._is_even:
            new[:] = True
        return np.concatenate([[0], np.cumsum(new)]).astype(np.intp)

    @property
    def _is_even(self) -> bool:
        """Whether all are repeated equally often, or some once more than others.

        JPEG blocks without vertical frequencies repeat rows as well, unevenly.
        """
        starts = np.flatnonzero(~self._repeat) + 1
        # Beside constant ones, and at the ends, not all repeats are known.
        known = self._varied[starts - 1]
        lengths = np.diff(starts)[known[:-1] & known[1:]]
        return len(lengths) > 0 and bool(np.ptp(lengths) <= 1)


def _bands(
    source: ImageSource, plane: Plane, height: int, width: int, most: int
) -> Iterator[tuple[int, NDArray[np.float64], NDArray[np.bool_]]]:
    """Yield parts of a plane that share a row, with the number of their first row.

    The first has about `most` pixels: a lazy array may read a whole chunk for each.
    """
    first, pixels = 0, most
    while first < height:
        last = first + max(pixels // width, 1)
        rows = slice(first, min(last + 1, height))
        block = plane.samples_yxs(source.block(plane.part(rows, slice(0, width))))
        yield first, *to_floats(block)
        first, pixels = last, _NEXT


class RecordedPixels:
    """Array without the rows and columns that repeat the one before.

    Parameters
    ----------
    array : array-like
        The array.
    numbers : dict of int to ndarray
        For each place along some axes, the number of the kept one with its values.

    Attributes
    ----------
    shape : tuple of int
    dtype : dtype
        As stated by the array. Blocks with masked values are floats.
    """

    def __init__(
        self, array: ReadableArray, numbers: dict[int, NDArray[np.intp]]
    ) -> None:
        self._array, self.dtype = array, array.dtype
        self._starts = {
            axis: np.flatnonzero(np.diff(all_of, prepend=-1))
            for axis, all_of in numbers.items()
        }
        self._sizes = {axis: len(all_of) for axis, all_of in numbers.items()}
        self.shape = tuple(
            len(self._starts[axis]) if axis in self._starts else size
            for axis, size in enumerate(array.shape)
        )

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    def __getitem__(self, selection: tuple[int | slice, ...], /) -> NDArray[Any]:
        """Return the values at integers and slices, see `resolve`."""
        bounds, place = resolve(selection, self.shape)
        wanted, runs = list(bounds), {}
        for axis, starts in self._starts.items():
            first, last = bounds[axis]
            end = starts[last] if last < len(starts) else self._sizes[axis]
            wanted[axis] = int(starts[first]), int(end)
            runs[axis] = starts[first:last] - starts[first]
        block = as_array(self._array[as_slices(wanted)])
        for axis, places in runs.items():
            # A mask may be drawn on the enlarged image. A recorded pixel is inside of
            # it if one of its copies is.
            block = np.fmax.reduceat(block, places, axis=axis)
        return np.asarray(block[place])
