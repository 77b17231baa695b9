"""Axes by name, and the planes that a stack consists of."""

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
    """Where one plane lies in a stack.

    Attributes
    ----------
    index : dict
        Position along each of the axes that is not in the plane, by axis letter.
    selection : tuple
        Index into the stack that yields the plane.
    axes : str
        The axes that are left, in the stack's order: Y and X, and S if there are
        samples.
    """

    index: dict[str, int]
    selection: tuple[int | slice, ...]
    axes: str

    def part(self, rows: slice, columns: slice) -> tuple[int | slice, ...]:
        """Return an index into the stack that yields a part of the plane.

        Parameters
        ----------
        rows, columns : slice
            Along Y and X.
        """
        inner = iter(self.axes)
        wanted = {"Y": rows, "X": columns}
        return tuple(
            wanted.get(next(inner), at) if isinstance(at, slice) else at
            for at in self.selection
        )

    def colours_yxs(self, block: NDArray[Any]) -> NDArray[Any]:
        """Return a view of the selected block as (Y, X, samples).

        A plane without an S axis has one sample. An alpha channel, the last of 2 or
        4 samples, is left out.
        """
        order = [self.axes.index(letter) for letter in "YXS" if letter in self.axes]
        view = block.transpose(order)
        if "S" not in self.axes:
            return view[..., np.newaxis]
        samples = view.shape[-1]
        return view[..., : samples - 1] if samples in _WITH_ALPHA else view

    def shape_yx(self, shape: tuple[int, ...]) -> tuple[int, int]:
        """Return height and width, given the stack's shape."""
        sizes = [
            size
            for size, at in zip(shape, self.selection, strict=True)
            if isinstance(at, slice)
        ]
        return sizes[self.axes.index("Y")], sizes[self.axes.index("X")]


def resolve_axes(ndim: int, axes: str | None) -> str:
    """Return the axes of an array, given or by the number of dimensions.

    Parameters
    ----------
    ndim : int
        Number of dimensions.
    axes : str or None
        One letter per dimension; the last `ndim` of "TCZYX" if None. Sizes are never
        looked at.

    Raises
    ------
    TypeError
        If the axes are no text.
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
        raise TypeError(f"axes: got {axes!r}, wanted a text, such as 'TZYX'.")
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
    """Iterate over the planes of a stack, the last of its outer axes fastest.

    Parameters
    ----------
    axes : str
        One letter per dimension.
    shape : tuple of int
        The same length.
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
    """Return how many planes `planes_of` yields."""
    sizes = (n for letter, n in zip(axes, shape, strict=True) if letter not in "YXS")
    return int(np.prod(list(sizes), dtype=int))


def sample_count(axes: str, shape: tuple[int, ...]) -> int:
    """Return how many values a pixel has, an alpha channel among them."""
    return shape[axes.index("S")] if "S" in axes else 1


def series_of(axes: str, shape: tuple[int, ...]) -> list[list[Plane]]:
    """Return the planes in series of those that follow each other in Z, or else in T.

    Channels, and time points of volumes, are series of their own. Together they are
    the planes of `planes_of`.

    Parameters
    ----------
    axes : str
        One letter per dimension.
    shape : tuple of int
        The same length.
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
    """Return a voxel's depth, height and width out of the spacing of all spatial axes.

    Parameters
    ----------
    axes : str
        One letter per dimension.
    spacing_um : sequence of float or None
        Along each of Z, Y and X that `axes` has; all alike if None.

    Returns
    -------
    tuple of float
        Without a Z axis the depth is 1.

    Raises
    ------
    TypeError
        If it is no sequence of numbers.
    ValueError
        If there are more or fewer, or one is not a positive number.
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
