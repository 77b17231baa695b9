"""Maps: further values for each pixel of a result."""

from __future__ import annotations

import numpy as np
import pytest

from napari_inr_denoise.core.denoise import denoise, denoise_steps
from napari_inr_denoise.core.ensemble.maps import MAPS, normalized_residual
from napari_inr_denoise.core.ensemble.plane_result import FitResult
from napari_inr_denoise.core.noise.measure import measure_plane
from napari_inr_denoise.core.pipeline.output.result import DenoiseResult
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.settings import preset_settings
from napari_inr_denoise.samples import field_of_cells

SETTINGS = preset_settings("fast", window_steps=40, device="cpu")


@pytest.fixture(scope="module")
def result() -> DenoiseResult:
    noisy = field_of_cells(side=64).noisy.astype(np.float64)
    noisy[3, 4] = np.nan
    return denoise(noisy, settings=SETTINGS)


def test_a_result_has_every_map(result: DenoiseResult) -> None:
    assert set(result.maps) == set(MAPS) - {"structured"}  # there is none
    assert result.uncertainty is result.maps["uncertainty"]
    for values in result.maps.values():
        assert values.shape == (64, 64)
        assert values.dtype == np.float32
        np.testing.assert_array_equal(np.argwhere(np.isnan(values)), [[3, 4]])


def test_image_and_residual_add_up_to_the_input(result: DenoiseResult) -> None:
    noisy = field_of_cells(side=64).noisy
    again = result.image + result.maps["residual"]
    known = np.isfinite(again)
    np.testing.assert_allclose(again[known], noisy[known], rtol=1e-5)


def test_the_normalized_residual_of_the_truth_is_one() -> None:
    sample = field_of_cells(side=128)
    valid = np.ones((128, 128), dtype=np.bool_)
    noisy = sample.noisy[..., None].astype(np.float64)
    problem = measure_plane(noisy, valid, (1.0, 1.0))
    perfect = FitResult(sample.truth[..., None], 0.0, 1, StopReason.TRAINED)
    values = normalized_residual(problem, perfect)
    assert values is not None
    assert np.sqrt(np.mean(values**2)) == pytest.approx(1.0, abs=0.05)


def test_a_plane_without_noise_has_no_normalized_residual() -> None:
    result = denoise(np.ones((32, 32)), settings=SETTINGS)
    assert set(result.maps) == {"residual"}
    assert not result.maps["residual"].any()


def test_a_map_is_written_where_the_caller_wants_it(result: DenoiseResult) -> None:
    noisy = field_of_cells(side=64).noisy.astype(np.float64)
    noisy[3, 4] = np.nan
    out, wanted = (np.full((64, 64), np.nan, dtype=np.float32) for _ in range(2))
    maps = {"normalized_residual": wanted}
    steps = denoise_steps(noisy, settings=SETTINGS, out=out, map_outputs=maps)
    for step in steps:
        last = step
    assert last.finished
    np.testing.assert_array_equal(wanted, result.maps["normalized_residual"])
    np.testing.assert_array_equal(out, result.image)


def test_an_unknown_map_gives_a_sentence() -> None:
    with pytest.raises(ValueError, match="'sharpness', wanted one or more of uncert"):
        denoise_steps(np.zeros((8, 8)), map_outputs={"sharpness": np.zeros((8, 8))})
