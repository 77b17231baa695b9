"""The one rule by which lazy arrays are indexed: integers, slices and an ellipsis."""

from __future__ import annotations

from collections.abc import Sequence
from types import EllipsisType

Index = int | slice | EllipsisType
Bounds = tuple[int, int]
"""First index along a dimension, and the one after the last."""


def resolve(
    selection: Index | tuple[Index, ...], shape: tuple[int, ...]
) -> tuple[list[Bounds], tuple[int | slice, ...]]:
    """Return the smallest block that contains a selection, and its index in the block.

    Parameters
    ----------
    selection : int, slice, Ellipsis, or tuple of them
        As for NumPy; missing dimensions are complete.
    shape : tuple of int
        Shape of the array.

    Returns
    -------
    bounds : list of (start, stop)
        The block, one pair per dimension.
    place : tuple of int and slice
        Index of the selection in the block.

    Raises
    ------
    IndexError
        If there are too many indices, or one is out of bounds or of another type.
    """
    given = selection if isinstance(selection, tuple) else (selection,)
    missing = len(shape) - sum(one is not Ellipsis for one in given)
    if missing < 0:
        raise IndexError(f"got {len(given)} indices for {len(shape)} dimensions")
    at = given.index(Ellipsis) if Ellipsis in given else len(given)
    whole = (slice(None),) * missing
    full = [*given[:at], *whole, *(one for one in given[at:] if one is not Ellipsis)]
    pairs = [_resolve_one(one, size) for one, size in zip(full, shape, strict=True)]
    return [bounds for bounds, _ in pairs], tuple(place for _, place in pairs)


def as_slices(bounds: Sequence[Bounds]) -> tuple[slice, ...]:
    """Return the index of a block in its array."""
    return tuple(slice(start, stop) for start, stop in bounds)


def block_shape(bounds: Sequence[Bounds]) -> tuple[int, ...]:
    """Return the shape of a block."""
    return tuple(stop - start for start, stop in bounds)


def _resolve_one(index: Index, size: int) -> tuple[Bounds, int | slice]:
    if isinstance(index, slice):
        chosen = range(*index.indices(size))
        if not chosen:
            return (0, 0), slice(None)
        ends = sorted((chosen[0], chosen[-1]))
        return (ends[0], ends[1] + 1), slice(None, None, chosen.step)
    try:
        number = range(size)[index]  # type: ignore[index]
    except TypeError:
        raise IndexError(
            f"got an index of type {type(index).__name__}, wanted integers and slices"
        ) from None
    return (number, number + 1), 0
