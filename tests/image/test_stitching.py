from __future__ import annotations

import numpy as np
import pytest

from napari_inr_denoise.image.axes import planes_of
from napari_inr_denoise.image.source import ImageSource
from napari_inr_denoise.image.stitching import PlaneCanvas, copy_plane
from napari_inr_denoise.image.tiling import Tiling

SHAPE = (400, 700)


def _drawn(image: np.ndarray, valid: np.ndarray, keep: bool) -> np.ndarray:
    """Return an image assembled from its own tiles."""
    tiling = Tiling.of(SHAPE, 0)
    assert tiling.count > 1
    (plane,) = planes_of("YX", SHAPE)
    out = np.zeros(SHAPE, np.float32)
    source = ImageSource(np.full(SHAPE, -1.0))
    canvas = PlaneCanvas(out, plane, tiling, source, keep=keep)
    for tile in tiling.tiles:
        part = image[tile.window].astype(np.float32)[..., None]
        canvas.add(tile, part, valid[tile.window])
    return out


@pytest.mark.parametrize("keep", [True, False])
def test_tiles_become_the_plane_and_pixels_without_a_result_stay(
    keep: bool, rng: np.random.Generator
) -> None:
    image, valid = rng.normal(size=SHAPE), np.ones(SHAPE, bool)
    valid[100:130, 200:500] = False
    out = _drawn(image, valid, keep)
    np.testing.assert_allclose(out[valid], image[valid], atol=1e-5)
    left = out[~valid]
    assert (left == -1).all() if keep else np.isnan(left).all()


def test_a_plane_is_copied_in_any_order_of_axes() -> None:
    image = np.arange(2 * 3 * 4 * 3.0).reshape(4, 2, 3, 3)  # X, Z, S, Y
    out = np.zeros(image.shape, np.float32)
    first, second = planes_of("XZSY", image.shape)
    copy_plane(ImageSource(image), second, out)
    np.testing.assert_array_equal(out[:, 1], image[:, 1])
    assert not out[:, first.index["Z"]].any()
