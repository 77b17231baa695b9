"""Every virtual array is indexed as NumPy indexes an array."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from napari_inr_denoise.image.indexing import Bounds, as_slices
from napari_inr_denoise.image.virtual_array import VirtualArray

VALUES = np.arange(3 * 4 * 5, dtype=np.int16).reshape(3, 4, 5)


class _Inverted(VirtualArray):
    """Values with the other sign; remembers the blocks it was asked for."""

    def __init__(self, image: NDArray[Any]) -> None:
        self._image, self.shape, self.dtype = image, image.shape, image.dtype
        self.blocks: list[list[Bounds]] = []

    def _block(self, bounds: list[Bounds]) -> NDArray[Any]:
        self.blocks.append(bounds)
        return np.asarray(-self._image[as_slices(bounds)])


@st.composite
def selections(draw: st.DrawFn) -> tuple[Any, ...]:
    parts: list[Any] = [
        draw(st.one_of(st.integers(-size, size - 1), st.slices(size)))
        for size in VALUES.shape[: draw(st.integers(0, 3))]
    ]
    if len(parts) < 3 and draw(st.booleans()):
        parts.append(...)
    return tuple(parts)


@given(selections())
def test_a_selection_is_the_one_of_numpy(selection: tuple[Any, ...]) -> None:
    found = _Inverted(VALUES)[selection]
    np.testing.assert_array_equal(found, -VALUES[selection])
    assert isinstance(found, np.ndarray)
    assert found.dtype == VALUES.dtype


def test_an_ellipsis_may_come_first() -> None:
    np.testing.assert_array_equal(_Inverted(VALUES)[..., 2], -VALUES[..., 2])


def test_the_smallest_block_is_made_and_none_for_an_empty_selection() -> None:
    array = _Inverted(VALUES)
    assert array[1, 3:0:-2, :0].shape == (2, 0)
    assert array.blocks == []
    assert array[1, 3:0:-2, 2].shape == (2,)
    assert array.blocks == [[(1, 2), (1, 4), (2, 3)]]


@pytest.mark.parametrize("selection", [3, (0, 0, 0, 0), ([0, 1],), None, (0, -5)])
def test_other_indices_are_refused(selection: Any) -> None:
    with pytest.raises(IndexError):
        _Inverted(VALUES)[selection]


def test_it_becomes_an_array() -> None:
    array = _Inverted(VALUES)
    assert (array.ndim, array.size, array.nbytes) == (3, 60, 120)
    np.testing.assert_array_equal(np.asarray(array), -VALUES)
    assert np.array(array, dtype=np.float32).dtype == np.float32
