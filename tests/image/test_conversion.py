from __future__ import annotations

from typing import Any

import dask.array
import numpy as np
import pytest

from napari_inr_denoise.image.conversion import ConvertedView, Losses, as_dtype
from napari_inr_denoise.image.source import ImageSource

_MASKED = np.ma.masked_greater(np.arange(24, dtype=np.uint16).reshape(2, 3, 4), 20)


@pytest.mark.parametrize(
    "image",
    [
        _MASKED,
        _MASKED.astype(np.float32),
        dask.array.from_array(_MASKED, chunks=(1, 2, 4)),
        list(_MASKED),
        [tuple(plane) for plane in _MASKED],
        [[list(row) for row in plane] for plane in _MASKED],
    ],
    ids=["masked", "float", "dask", "planes", "rows", "values"],
)
def test_masked_values_are_nan_however_they_come(image: Any) -> None:
    block = ImageSource(image).block((slice(None), slice(0, 3), slice(None)))
    np.testing.assert_array_equal(block, _MASKED.astype(float).filled(np.nan))


def test_clipped_pixels_are_counted() -> None:
    image = np.array([-3.0, 0.4, 0.6, 255.4, 300.0], np.float32)
    found, lost = as_dtype(image, np.dtype(np.uint8))
    assert list(found) == [0, 0, 1, 255, 255]
    assert (lost.clipped, lost.missing, lost.fractions) == (2, 0, True)
    assert (lost.lowest, lost.highest) == (0, 255)
    assert as_dtype(image, np.dtype(np.float64))[1] == Losses()


def test_what_integers_lose_is_told() -> None:
    def notes(*values: float, dtype: type = np.uint16) -> tuple[str, ...]:
        return as_dtype(np.array(values, np.float32), np.dtype(dtype))[1].notes(
            np.dtype(dtype)
        )

    (told,) = notes(0.1, 0.7)
    assert told.startswith("The values were rounded to integers from 0 to 1:")
    assert notes(3.5, 300.5) == notes(1.0, 2.0) == ()
    (told,) = notes(np.nan, 3.0, 300.0)
    assert told.startswith("1 values that were not a number (NaN) became 0")
    assert notes(-2.0, 300.0) == ("1 values outside 0 to 65535 were clipped.",)
    assert notes(np.nan)[0].startswith("1 values")
    assert len(notes(0.2, 3.0, dtype=np.bool_)) == 2


def test_a_converted_view_rounds_clips_and_counts() -> None:
    view = ConvertedView(np.array([[-1.2, 3.6], [255.4, 300.0]]), np.dtype(np.uint8))
    assert np.array_equal(view[0], [0, 4])
    assert np.array_equal(view[1:], [[255, 255]])
    assert (view.shape, view.ndim, view.losses.clipped) == ((2, 2), 2, 2)
