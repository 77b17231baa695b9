from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_inr_denoise.image.tiling import MARGIN, MIN_TILE_SIDE, RAMP, Tiling

SIZES = st.integers(1, 3000)


@given(SIZES, SIZES, st.integers(0, 1100))
def test_weights_sum_to_one_everywhere(height: int, width: int, side: int) -> None:
    tiling = Tiling.of((height, width), side)
    for size, spans in ((height, tiling.rows), (width, tiling.columns)):
        total = np.zeros(size)
        for span in spans:
            total[span.place] += span.weights
        assert np.allclose(total, 1.0, atol=1e-6)


@given(SIZES, SIZES, st.integers(0, 1100))
def test_no_tile_is_larger_than_asked_for(height: int, width: int, side: int) -> None:
    tiling = Tiling.of((height, width), side)
    most = max(side, MIN_TILE_SIDE) ** 2
    for tile in tiling.tiles:
        rows, columns = tile.window
        assert (rows.stop - rows.start) * (columns.stop - columns.start) <= most


@given(SIZES, st.integers(0, 1100))
def test_spans_are_equally_long_and_share_enough(size: int, side: int) -> None:
    spans = Tiling.of((size, size), side).rows
    assert len({span.stop - span.start for span in spans}) == 1
    for one, other in itertools.pairwise(spans):
        assert one.stop - other.start >= 2 * MARGIN + RAMP - 1
        assert (other.weights[:MARGIN] == 0).all()
        assert (one.weights[len(one.weights) - MARGIN :] == 0).all()


@given(SIZES, st.integers(0, 1100))
def test_one_tile_goes_over_into_the_next_gradually(size: int, side: int) -> None:
    """A step would be a seam."""
    for span in Tiling.of((size, size), side).rows:
        assert np.abs(np.diff(span.weights)).max(initial=0) < 1.5 / RAMP


@given(SIZES, SIZES, st.integers(0, 1100))
def test_what_is_a_tiles_own_is_no_others(height: int, width: int, side: int) -> None:
    tiling = Tiling.of((height, width), side)
    for spans in (tiling.rows, tiling.columns):
        for k, span in enumerate(spans):
            first, last = span.start + span.own.start, span.start + span.own.stop
            assert first < last
            for other in (*spans[:k], *spans[k + 1 :]):
                shared = range(max(first, other.start), min(last, other.stop))
                assert not any(other.weights[at - other.start] for at in shared)


def test_splitting_and_blending_is_the_identity() -> None:
    plane = np.random.default_rng(0).normal(size=(700, 900)).astype(np.float32)
    tiling = Tiling.of((700, 900), 400)
    assert tiling.count > 4
    blended = np.zeros_like(plane)
    for tile in tiling.tiles:
        blended[tile.window] += tile.weights_yx * plane[tile.window]
    assert np.allclose(blended, plane, atol=1e-5)


def test_a_small_plane_is_one_tile() -> None:
    tiling = Tiling.of((500, 2000), 1000)
    (tile,) = tiling.tiles
    assert tile.window == (slice(0, 500), slice(0, 2000))
    assert tile.own == tile.window
    assert (tile.weights_yx == 1).all()


@pytest.mark.parametrize("shape", [(1, 10**6), (10**6, 1), (MIN_TILE_SIDE + 1, 3000)])
def test_long_and_narrow_planes_are_cut_along_their_length(
    shape: tuple[int, int],
) -> None:
    tiling = Tiling.of(shape, MIN_TILE_SIDE)
    assert min(len(tiling.rows), len(tiling.columns)) <= 2


@pytest.mark.parametrize("shape_yx", [(40, 60), (1500, 900)])
def test_the_largest_tile_is_told(shape_yx: tuple[int, int]) -> None:
    tiling = Tiling.of(shape_yx, 400)
    sizes = {tile.weights_yx.size for tile in tiling.tiles}
    assert tiling.most_pixels == max(sizes)
