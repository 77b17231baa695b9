from __future__ import annotations

import numpy as np

from napari_inr_denoise.image.conversion import ConvertedView, as_dtype


def test_clipped_pixels_are_counted() -> None:
    image = np.array([-3.0, 0.4, 0.6, 255.4, 300.0], np.float32)
    found, clipped = as_dtype(image, np.dtype(np.uint8))
    assert list(found) == [0, 0, 1, 255, 255]
    assert clipped == 2
    assert as_dtype(image, np.dtype(np.float64))[1] == 0


def test_a_converted_view_rounds_clips_and_counts() -> None:
    view = ConvertedView(np.array([[-1.2, 3.6], [255.4, 300.0]]), np.dtype(np.uint8))
    assert np.array_equal(view[0], [0, 4])
    assert np.array_equal(view[1:], [[255, 255]])
    assert (view.shape, view.ndim, view.clipped) == ((2, 2), 2, 2)
