"""Tests of series of planes whose noise level changes from place to place."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.denoise import denoise_steps
from napari_inr_denoise.core.ensemble.plane_result import FitResult
from napari_inr_denoise.core.ensemble.quality import judge
from napari_inr_denoise.core.pipeline.planes.image_units import in_image_units
from napari_inr_denoise.core.pipeline.planes.passthrough import passthrough_result
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.report.verdict import Verdict
from napari_inr_denoise.core.report.warning import PlaneWarning
from napari_inr_denoise.core.sampling.stack import even_planes
from napari_inr_denoise.core.sampling.stack.parts import Values
from napari_inr_denoise.core.sampling.stack.series import Series
from napari_inr_denoise.core.sampling.stack.shared_noise import SharedNoise
from napari_inr_denoise.core.settings import preset_settings
from napari_inr_denoise.image import tiling
from napari_inr_denoise.image.tiling import Tiling
from tests.phantoms import SIDE, Array, camera, cells, deconvolved, interpolated

LEFT = np.arange(SIDE) < SIDE // 2
CLEAN = np.stack([np.roll(cells(), number, 1) for number in range(5)])


def _light(side: int) -> Array:
    """Return the illumination: less than a fifth in the corners."""
    row, column = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    return np.asarray(np.exp(-0.8 * (row**2 + column**2)))


LIGHT = _light(SIDE)


def _corrected(planes: Array = CLEAN) -> Array:
    """Return photon noise of planes that were divided by their illumination."""
    light = _light(planes.shape[-1])
    return np.random.default_rng(0).poisson(planes * light) / light


def _series(planes: Array, largest: int = 1024) -> Series:
    every = np.ones(planes.shape[1:], bool)

    def read(number: int, window: tuple[slice, slice]) -> Values:
        return planes[number][window][..., None].astype(float), every[window]

    tiles = Tiling.of(planes.shape[1:], largest)
    series = Series(read, len(planes), tiles, (1.0, 1.0), 1)
    series.even_out()
    return series


@pytest.fixture(scope="module")
def corrected() -> Series:
    return _series(_corrected())


def test_the_planes_are_divided_by_one_map(corrected: Series) -> None:
    assert all(corrected.context_numbers(number) for number in range(5))
    problem = corrected.problem(2, corrected.tiling.tiles[0])
    original = problem.original
    assert original is not None
    assert original.level is not None
    error = np.log(original.level.scale_yx * LIGHT)
    assert error.std() < 0.2
    np.testing.assert_allclose(
        problem.restored(problem.plane_yxs), original.plane_yxs, atol=1e-5
    )
    np.testing.assert_array_equal(original.plane_yxs[..., 0], _corrected()[2])
    assert original.noise.sigma == pytest.approx(
        np.sqrt((CLEAN[2] / LIGHT).mean()), rel=0.15
    )
    least, most = original.noise.levels
    assert most > 1.3 * least


def test_without_such_noise_the_planes_are_as_they_were_read() -> None:
    planes = np.stack([camera(plane, seed) for seed, plane in enumerate(CLEAN)])
    problem = _series(planes).problem(2, Tiling.of((SIDE, SIDE), 1024).tiles[0])
    assert problem.original is None
    np.testing.assert_array_equal(problem.plane_yxs[..., 0], planes[2])


BLEACHED = 0.8 ** np.arange(len(CLEAN))[:, None, None]


def _bleaching_corrected(planes: Array = CLEAN) -> Array:
    """Return photon noise of planes that were divided by what is left of the light."""
    return np.random.default_rng(0).poisson(planes * BLEACHED) / BLEACHED


@pytest.mark.parametrize("pedestal", [0.0, 100.0])
def test_planes_of_more_and_more_noise_are_divided_by_factors(pedestal: float) -> None:
    series = _series(_bleaching_corrected() + pedestal)
    for number, noisy in enumerate(_bleaching_corrected() + pedestal):
        problem = series.problem(number, series.tiling.tiles[0])
        original = problem.original or problem
        np.testing.assert_array_equal(original.plane_yxs[..., 0], noisy)
        np.testing.assert_allclose(
            problem.restored(problem.plane_yxs), original.plane_yxs, rtol=1e-5
        )
        true = np.sqrt((CLEAN[number] / BLEACHED[number]).mean())
        assert original.noise.sigma == pytest.approx(true, rel=0.15)
        assert original.noise.levels == ()
        assert series.context_numbers(number) is not None


def test_the_map_and_the_factors_are_found_together() -> None:
    light = BLEACHED * LIGHT**1.5
    series = _series(np.random.default_rng(0).poisson(CLEAN * light) / light)
    for number in range(len(CLEAN)):
        original = series.problem(number, series.tiling.tiles[0]).original
        assert original is not None
        assert original.level is not None
        assert np.log(original.level.scale_yx * LIGHT**1.5).std() < 0.3
        true = np.sqrt((CLEAN[number] / light[number]).mean())
        assert original.noise.sigma == pytest.approx(true, rel=0.2)


def test_exposures_that_alternate_are_both_measured() -> None:
    light = np.where(np.arange(15) % 2, 0.2, 1.0)[:, None, None]
    clean = np.stack([CLEAN[0]] * len(light)) + 5
    series = _series(np.random.default_rng(0).poisson(clean * light) / light)
    assert all(series.context_numbers(number) is not None for number in range(15))


@pytest.mark.parametrize("share", [0.03, 0.1])
def test_scattered_invalid_pixels_do_not_part_the_planes(share: float) -> None:
    planes = np.random.default_rng(0).poisson(CLEAN + 10).astype(float)
    valid = np.random.default_rng(1).random(planes.shape) > share

    def read(number: int, window: tuple[slice, slice]) -> Values:
        values = np.where(valid[number], planes[number], 0.0)
        return values[window][..., None], valid[number][window]

    tiles = Tiling.of(planes.shape[1:], 1024)
    series = Series(read, len(planes), tiles, (1.0, 1.0), 1)
    series.even_out()
    for number in range(len(planes)):
        assert series.context_numbers(number) is not None
        assert series.problem(number, tiles.tiles[0]).original is None


def test_a_plane_of_far_too_much_noise_does_not_belong_to_the_others() -> None:
    light = np.array([1, 1, 0.02, 1, 1])[:, None, None]
    series = _series(np.random.default_rng(0).poisson(CLEAN * light) / light)
    assert series.context_numbers(2) is None
    problem = series.problem(3, series.tiling.tiles[0])
    true = np.sqrt(CLEAN[3].mean())
    noise = problem.noise if problem.original is None else problem.original.noise
    assert noise.sigma == pytest.approx(true, rel=0.1)


def test_a_blank_plane_is_still_blank() -> None:
    planes = _corrected()
    planes[1] = 7.0
    series = _series(planes)
    assert series.context_numbers(1) is None
    assert series.context_numbers(2) == (0, 3)


def test_a_plane_that_is_not_denoised_comes_back_as_it_was(corrected: Series) -> None:
    problem = corrected.problem(1, corrected.tiling.tiles[0])
    masked = replace(problem, fitted_yx=np.zeros_like(problem.fitted_yx))
    unchanged = passthrough_result(masked)
    assert unchanged is not None
    original, result = in_image_units(masked, unchanged)
    assert original.original is None
    same = _corrected()[1].astype(np.float32)
    np.testing.assert_array_equal(result.plane_yxs[..., 0], same)


def test_the_verdict_is_that_of_the_divided_plane(corrected: Series) -> None:
    """In the image's units, the few places with much noise would decide."""
    problem = corrected.problem(1, corrected.tiling.tiles[0])
    plane_yxs = problem.plane_yxs.astype(np.float32)
    quality = replace(judge(problem, plane_yxs, 0.5), verdict=Verdict.STRUCTURE)
    result = FitResult(plane_yxs, 0.0, 1, StopReason.TRAINED, quality=quality)
    original, found = in_image_units(problem, result)
    assert found.quality is not None
    assert found.quality.verdict is Verdict.STRUCTURE
    assert PlaneWarning.MIXED_LEVELS in found.quality.warnings
    assert original.level is not None
    scale = original.level.typical_scale(original.fitted_yx)
    assert found.quality.held_out_error == pytest.approx(0.5 * scale)


def test_planes_with_few_valid_pixels_do_not_take_the_map_away() -> None:
    every = np.ones((SIDE, SIDE), bool)
    planes = [(plane[..., None], every) for plane in _corrected()]
    few = np.zeros_like(every)
    few[:20, :20] = True
    noise = SharedNoise.of(planes)
    assert noise.smooth_level([*planes, (planes[0][0], few)]) is not None


def test_large_planes_are_measured_from_the_middle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first plane may be empty."""
    monkeypatch.setattr(even_planes, "_MAX_LEVEL_PIXELS", (SIDE**2, SIDE**2))
    monkeypatch.setattr(even_planes.centre, "__defaults__", (64,))
    planes = _corrected()
    planes[0] = 7.0
    series = _series(planes)
    assert series.problem(2, series.tiling.tiles[0]).original is not None


def test_one_odd_plane_gives_no_map_to_the_others() -> None:
    planes = np.stack([camera(plane, seed) for seed, plane in enumerate(CLEAN)])
    odd = np.random.default_rng(9).standard_normal((SIDE, SIDE))
    planes[4] = CLEAN[4] + odd * np.where(LEFT, 20, 2)
    series = _series(planes)
    assert series.problem(0, series.tiling.tiles[0]).original is None
    members = [series.context_numbers(number) is not None for number in range(5)]
    assert members == [True, True, True, True, False]


def test_tiles_of_a_plane_see_their_part_of_the_map(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tiling, "MIN_TILE_SIDE", 64)
    series = _series(_corrected(cells(192)[None]), largest=128)
    assert series.context_numbers(0) == ()
    tile = series.tiling.tiles[-1]
    assert tile.number > 0
    original = series.problem(0, tile).original
    assert original is not None
    assert original.level is not None
    scale, light = original.level.scale_yx, _light(192)[tile.window]
    assert np.corrcoef(scale.ravel(), 1 / light.ravel())[0, 1] > 0.9


def test_a_stack_is_returned_in_the_units_of_the_image() -> None:
    quick = preset_settings("fast", window_steps=40, window_batch=1024)
    clean = CLEAN[:3]
    noisy = _corrected(clean)
    steps = denoise_steps(noisy, axes="ZYX", settings=quick)
    for step in (run := GeneratorResult(steps)):
        # In steps, too: a preview is shown beside the image.
        assert step.problem.original is None
        assert step.result.plane_yxs.mean() == pytest.approx(noisy.mean(), rel=0.2)
    found = run.result
    planes = found.report.files[0].planes
    assert all(one.shared for one in planes)
    assert all(
        PlaneWarning.MIXED_LEVELS.value in one.quality.warnings for one in planes
    )
    error, noise = np.abs(found.image - clean), np.sqrt(clean / LIGHT)
    assert np.sqrt(np.mean(error**2)) < 0.5 * np.sqrt(np.mean(noise**2))
    assert found.uncertainty is not None
    corners = np.broadcast_to(LIGHT < 0.4, clean.shape)
    for part in (corners, ~corners):
        assert 0.5 < np.mean(error[part] < found.uncertainty[part]) < 0.97
    np.testing.assert_allclose(
        [one.mean_before for one in planes], noisy.mean(axis=(1, 2))
    )


@pytest.mark.parametrize(
    ("change", "alone"), [(deconvolved, True), (interpolated, False)]
)
def test_planes_whose_noise_reaches_too_far_are_alone(
    change: Callable[[Array], Array], alone: bool
) -> None:
    """Their filter is taken back plane by plane."""
    planes = np.stack([change(camera(one + 5, k)) for k, one in enumerate(CLEAN)])
    series = _series(planes)
    found = [series.context_numbers(number) is None for number in range(len(planes))]
    assert found == [alone] * len(planes)
