"""Two arrays side by side, cut where it is wanted, read where it is looked at.

Seen from above, with the divide at a quarter of the columns:

    b b a a a a a a
    b b a a a a a a
"""

from __future__ import annotations

import numpy as np
import pytest

from napari_inr_denoise.plugin.results.split_array import SplitArray

ALL = slice(None)
BEFORE, AFTER = 1, 2


class _Counting:
    """Remembers what was read of it."""

    def __init__(self, values: np.ndarray) -> None:
        self._values, self.shape, self.read = values, values.shape, list[object]()

    def __getitem__(self, index: object) -> np.ndarray:
        self.read.append(index)
        return self._values[index]


def _split(*shape: int) -> SplitArray:
    return SplitArray(
        np.full(shape, BEFORE, np.uint16), np.full(shape, AFTER, np.float32)
    )


def test_the_columns_left_of_the_divide_are_the_first_array() -> None:
    both = _split(3, 6, 8)
    both.divide = 0.25
    plane = both[1, ALL, ALL]
    assert plane.shape == (6, 8)
    assert plane.dtype == both.dtype == np.float32
    assert (plane[:, :2] == BEFORE).all()
    assert (plane[:, 2:] == AFTER).all()
    assert np.array_equal(both[0:2, ALL, ALL], np.stack([plane, plane]))
    assert np.array_equal(np.asarray(both), np.stack([plane] * 3))


def test_it_can_be_cut_along_any_dimension() -> None:
    both = _split(4, 6, 8)
    both.axis = 0
    assert (both[ALL, 2, ALL][:2] == BEFORE).all()
    assert (both[ALL, 2, ALL][2:] == AFTER).all()
    assert (both[ALL, ALL, 3][2:] == AFTER).all()
    # The dimension that is cut is not on display.
    assert (both[1, ALL, ALL] == BEFORE).all()
    assert (both[2, ALL, ALL] == AFTER).all()


def test_colours_are_cut_as_one() -> None:
    both = _split(5, 8, 3)
    both.axis = 1
    assert (both[ALL, ALL][:, :4] == BEFORE).all()
    assert (both[ALL, ALL][:, 4:] == AFTER).all()


@pytest.mark.parametrize("divide", [0.0, 0.25, 1.0])
def test_the_mirror_image(divide: float) -> None:
    both = _split(6, 8)
    both.divide = divide
    straight = both[ALL, ALL]
    both.mirrored = True
    assert np.array_equal(both[ALL, ALL], straight[:, ::-1])
    assert (straight == BEFORE).mean() == divide


def test_a_slow_slice_is_read_once() -> None:
    slow = _Counting(np.full((3, 4, 4), BEFORE))
    both = SplitArray(slow, np.full((3, 4, 4), AFTER, np.float32))
    for both.divide in (0.1, 0.5, 0.9):
        assert both[1, ALL, ALL].shape == (4, 4)
    assert slow.read == [(slice(1, 2), slice(0, 4), slice(0, 4))]
    assert both[2, ALL, ALL].shape == (4, 4)
    assert len(slow.read) == 2


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="got a result of shape"):
        SplitArray(np.zeros((4, 5)), np.zeros((5, 4)))
