from __future__ import annotations

import numpy as np
import pytest

from napari_inr_denoise.core.ensemble.filters.guided_filter import guided


@pytest.mark.parametrize("samples", [1, 3])
def test_the_filter_keeps_means_and_spares_what_has_no_value(
    samples: int, rng: np.random.Generator
) -> None:
    plane = rng.normal(50, 3, (40, 44, samples))
    variance = np.full(plane.shape, 1e4)
    smooth, slope = guided(plane, variance)
    assert smooth[10:-10, 10:-10].std() < 0.5
    assert smooth.mean() == pytest.approx(plane.mean(), rel=0.01)
    assert (slope >= 0).all()
    assert (slope < 0.01).all()
    same, slope = guided(plane, np.zeros_like(plane))
    assert np.allclose(same, plane, atol=1e-3)
    assert np.allclose(slope, 1)
    flat, _ = guided(np.full_like(plane, 7.0), np.zeros_like(plane))
    assert np.allclose(flat, 7)
    plane[5, 5] = np.nan
    holed, _ = guided(plane, variance)
    assert np.isfinite(holed).all()
    assert np.allclose(holed[20:], smooth[20:], atol=1e-5)
