"""Named axes, and the planes of a stack."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

KNOWN_AXES = "TCZYXS"
DEFAULT_AXES = "TCZYX"
_WITH_ALPHA = (2, 4)


@dataclass(frozen=True)
class Plane:
    """Location of one plane in a stack.

    Attributes
    ----------
    index : dict
        Position along each axis outside the plane, by axis letter.
    selection : tuple
        Index of the plane in the stack.
    axes : str
        Axes of the plane in the order of the stack: Y and X, and S if there are
        samples.
    """

    index: dict[str, int]
    selection: tuple[int | slice, ...]
    axes: str

    def part(self, rows: slice, columns: slice) -> tuple[int | slice, ...]:
        """Return the index of a part of the plane in the stack.

        Parameters
        ----------
        rows, columns : slice
            Selection along Y and X.
        """
        inner = iter(self.axes)
        wanted = {"Y": rows, "X": columns}
        return tuple(
            wanted.get(next(inner), at) if isinstance(at, slice) else at
            for at in self.selection
        )

    def samples_yxs(self, block: NDArray[Any]) -> NDArray[Any]:
        """Return a view of a block of the plane as (Y, X, samples).

        A plane without an S axis has one sample. The alpha channel, the last of 2 or
        4 samples, is omitted.
        """
        order = [self.axes.index(letter) for letter in "YXS" if letter in self.axes]
        view = block.transpose(order)
        if "S" not in self.axes:
            return view[..., np.newaxis]
        samples = view.shape[-1]
        return view[..., : samples - 1] if samples in _WITH_ALPHA else view

    def shape_yx(self, shape: tuple[int, ...]) -> tuple[int, int]:
        """Return height and width of the plane, given the shape of the stack."""
        sizes = [
            size
            for size, at in zip(shape, self.selection, strict=True)
            if isinstance(at, slice)
        ]
        return sizes[self.axes.index("Y")], sizes[self.axes.index("X")]


def resolve_axes(ndim: int, axes: str | None) -> str:
    """Return the axes of an array: the given ones, or the default of its dimensions.

    Parameters
    ----------
    ndim : int
        Number of dimensions.
    axes : str or None
        One letter per dimension; the last `ndim` letters of "TCZYX" if None. Axes are
        never guessed from sizes.

    Raises
    ------
    TypeError
        If the axes are not a string.
    ValueError
        If the axes do not fit the array.
    """
    if axes is None:
        if not 2 <= ndim <= len(DEFAULT_AXES):
            raise ValueError(
                f"image: got {ndim} dimensions, wanted 2 to {len(DEFAULT_AXES)} "
                f"({DEFAULT_AXES}), or axes that name each dimension."
            )
        return DEFAULT_AXES[-ndim:]
    if not isinstance(axes, str):
        raise TypeError(f"axes: got {axes!r}, wanted a string, such as 'TZYX'.")
    letters = axes.upper()
    wrong = sorted(set(letters) - set(KNOWN_AXES))
    if wrong or len(set(letters)) != len(letters) or not {"Y", "X"} <= set(letters):
        raise ValueError(
            f"axes: got {axes!r}, wanted each of Y and X once and any of T, C, Z, S "
            "at most once, such as 'TZYX'."
        )
    if len(letters) != ndim:
        raise ValueError(
            f"axes: got {axes!r} ({len(letters)} letters) for an image of {ndim} "
            "dimensions, wanted one letter per dimension."
        )
    return letters


def planes_of(axes: str, shape: tuple[int, ...]) -> Iterator[Plane]:
    """Iterate over the planes of a stack; the last outer axis varies fastest.

    Parameters
    ----------
    axes : str
        One letter per dimension.
    shape : tuple of int
        Shape of the stack.
    """
    outer = [k for k, letter in enumerate(axes) if letter not in "YXS"]
    inner = "".join(letter for letter in axes if letter in "YXS")
    for position in product(*(range(shape[k]) for k in outer)):
        selection: list[int | slice] = [slice(None)] * len(axes)
        for k, value in zip(outer, position, strict=True):
            selection[k] = value
        index = {axes[k]: value for k, value in zip(outer, position, strict=True)}
        yield Plane(index, tuple(selection), inner)


def count_planes(axes: str, shape: tuple[int, ...]) -> int:
    """Return the number of planes of a stack."""
    sizes = (n for letter, n in zip(axes, shape, strict=True) if letter not in "YXS")
    return int(np.prod(list(sizes), dtype=int))


def sample_count(axes: str, shape: tuple[int, ...]) -> int:
    """Return the number of values per pixel, including an alpha channel."""
    return shape[axes.index("S")] if "S" in axes else 1


def series_of(axes: str, shape: tuple[int, ...]) -> list[list[Plane]]:
    """Return the planes of a stack, grouped into series along Z, or T without Z.

    Each channel is a series of its own, and so is each time point of volumes. Together
    the series contain the planes of `planes_of`.

    Parameters
    ----------
    axes : str
        One letter per dimension.
    shape : tuple of int
        Shape of the stack.
    """
    sizes = dict(zip(axes, shape, strict=True))
    along = next((letter for letter in "ZT" if sizes.get(letter, 1) > 1), "")
    series: dict[tuple[tuple[str, int], ...], list[Plane]] = {}
    for plane in planes_of(axes, shape):
        others = (item for item in plane.index.items() if item[0] != along)
        series.setdefault(tuple(others), []).append(plane)
    return list(series.values())


def voxel_spacing(
    axes: str, spacing_um: Sequence[float] | None
) -> tuple[float, float, float]:
    """Return depth, height and width of a voxel from the spacing along spatial axes.

    Parameters
    ----------
    axes : str
        One letter per dimension.
    spacing_um : sequence of float or None
        Spacing along those of Z, Y and X that `axes` contains; 1 for all if None.

    Returns
    -------
    tuple of float
        The depth is 1 without a Z axis.

    Raises
    ------
    TypeError
        If `spacing_um` is not a sequence of numbers.
    ValueError
        If its length is wrong, or a number is not positive and finite.
    """
    if spacing_um is None:
        return (1.0, 1.0, 1.0)
    spatial = [letter for letter in axes if letter in "ZYX"]
    try:
        sizes = [float(size) for size in spacing_um]
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"spacing_um: got {spacing_um!r}, wanted {len(spatial)} numbers, one for "
            f"each of {', '.join(spatial)}."
        ) from error
    if len(sizes) != len(spatial) or not all(0 < s < float("inf") for s in sizes):
        raise ValueError(
            f"spacing_um: got {tuple(sizes)}, wanted {len(spatial)} positive numbers, "
            f"one for each of {', '.join(spatial)}."
        )
    named = dict(zip(spatial, sizes, strict=True))
    return (named.get("Z", 1.0), named["Y"], named["X"])
