"""Images that are read, denoised and written part by part."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.denoise import denoise, denoise_steps
from napari_inr_denoise.core.pipeline.plan import Plan
from napari_inr_denoise.core.pipeline.strategies import (
    independent_tiles as fit_independently,
)
from napari_inr_denoise.core.settings import DenoiseSettings, preset_settings
from napari_inr_denoise.image.tiling import Tiling

SIGMA = 8.0
SETTINGS = preset_settings(
    "fast",
    window_steps=40,
    window_width=32,
    window_batch=1024,
    window_radius=3,
    device="cpu",
)
TILED = replace(SETTINGS, memory_gb=0.5)
QUICK = replace(SETTINGS, window_steps=6, window_width=16)
QUICK_TILED = replace(TILED, window_steps=6)
"""For what does not depend on how good the result is."""


class Recorder:
    """An array that is read part by part, and remembers the largest part."""

    def __init__(self, array: NDArray[Any]) -> None:
        self._array = array
        self.shape, self.dtype, self.ndim = array.shape, array.dtype, array.ndim
        self.largest = 0

    def __getitem__(self, selection: Any) -> NDArray[Any]:
        block = self._array[selection]
        self.largest = max(self.largest, block.size)
        return block


def _field(height: int, width: int, seed: int = 0) -> NDArray[np.float64]:
    """Return smooth structure on a background that rises from left to right."""
    random = np.random.default_rng(seed).normal(size=(height, width))
    smooth = gaussian_filter(random, 4.0)
    return 200 + 30 * smooth / smooth.std() + np.linspace(0, 400, width)


def _noisy(clean: NDArray[np.float64], seed: int = 1) -> NDArray[np.float64]:
    return clean + np.random.default_rng(seed).normal(0, SIGMA, clean.shape)


@pytest.fixture(scope="module")
def clean() -> NDArray[np.float64]:
    return _field(344, 400)


@pytest.fixture(scope="module")
def tiled(clean: NDArray[np.float64]) -> Any:
    return denoise(_noisy(clean), settings=TILED)


@pytest.fixture(scope="module")
def strip() -> NDArray[np.float64]:
    """A noisy plane of two tiles."""
    noisy = _noisy(_field(240, 480))
    assert Plan.of("YX", noisy.shape, QUICK_TILED).tiling.count == 2
    return noisy


@pytest.fixture(scope="module")
def quickly_tiled(strip: NDArray[np.float64]) -> Any:
    return denoise(strip, settings=QUICK_TILED)


def test_a_plane_that_needs_more_memory_is_cut_into_tiles(
    clean: NDArray[np.float64], tiled: Any
) -> None:
    steps = denoise_steps(_noisy(clean), settings=TILED)
    assert next(steps).tile_count > 1
    steps.close()
    error = np.sqrt(np.mean((tiled.image - clean) ** 2))
    assert error < 0.45 * SIGMA
    assert tiled.uncertainty is not None
    assert np.isfinite(tiled.uncertainty).all()


def test_there_is_no_seam(clean: NDArray[np.float64], tiled: Any) -> None:
    """Beside a border no column is off from those on its other side."""
    tiling = Tiling.of(clean.shape, 0)
    for axis, spans in ((0, tiling.columns), (1, tiling.rows)):
        profile = (tiled.image - clean).mean(axis=axis)
        for one, other in itertools.pairwise(spans):
            for border in (other.start, (other.start + one.stop) // 2, one.stop):
                before, after = profile[border - 8 : border], profile[border:][:8]
                assert abs(before.mean() - after.mean()) < 0.1 * SIGMA


def test_a_plane_of_tiles_has_one_record(
    clean: NDArray[np.float64], tiled: Any
) -> None:
    (plane,) = tiled.report.files[0].planes
    assert plane.sigma == pytest.approx(SIGMA, rel=0.1)
    assert plane.reason in ("trained", "held_out_flat")
    noisy = _noisy(clean)
    assert plane.mean_before == pytest.approx(noisy.mean(), rel=1e-6)
    assert plane.sum_before == pytest.approx(noisy.sum(), rel=1e-6)
    assert plane.mean_after == pytest.approx(tiled.image.mean(), rel=1e-5)
    assert plane.sum_after == pytest.approx(tiled.image.sum(dtype=float), rel=1e-5)
    assert plane.held_out_error is not None
    assert plane.held_out_error < 0.5 * SIGMA


def test_pixels_without_a_value_stay_in_tiles_too(strip: NDArray[np.float64]) -> None:
    noisy = strip.copy()
    noisy[40:200, 250] = np.nan
    noisy[7, 7] = np.inf
    result = denoise(noisy, settings=QUICK_TILED)
    assert result.report.files[0].planes[0].reason == "trained"
    lost = ~np.isfinite(noisy)
    assert np.array_equal(result.image[lost], noisy[lost], equal_nan=True)
    assert np.isfinite(result.image[~lost]).all()


def test_axes_may_be_in_any_order_in_tiles_too(
    strip: NDArray[np.float64], quickly_tiled: Any
) -> None:
    result = denoise(strip.T, axes="XY", settings=QUICK_TILED)
    assert np.array_equal(result.image.T, quickly_tiled.image)


def test_a_lazy_image_is_read_and_written_part_by_part(
    clean: NDArray[np.float64], tiled: Any
) -> None:
    image = Recorder(_noisy(clean))
    out = np.zeros(clean.shape, dtype=np.float32)
    result = denoise(image, settings=TILED, out=out)
    assert result.image is out
    assert result.uncertainty is None
    assert np.array_equal(out, tiled.image)
    assert image.largest < 0.7 * clean.size


@pytest.fixture(scope="module")
def stack() -> NDArray[np.float64]:
    return _noisy(np.stack([_field(40, 40)] * 4))


@pytest.fixture(scope="module")
def whole(stack: NDArray[np.float64]) -> Any:
    return denoise(stack, axes="ZYX", settings=QUICK)


def test_a_stack_is_never_read_whole(stack: NDArray[np.float64], whole: Any) -> None:
    image = Recorder(stack)
    result = denoise(image, axes="ZYX", settings=QUICK)
    assert image.largest == 40 * 40
    assert np.array_equal(result.image, whole.image)


def test_a_value_that_float32_cannot_hold_is_told_where_it_is_read() -> None:
    image = np.full((30, 30), 1e300)
    with pytest.raises(ValueError, match="float32"):
        denoise(Recorder(image), settings=SETTINGS)


def test_an_output_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"out: got shape \(3, 3\)"):
        denoise_steps(np.zeros((4, 4)), out=np.zeros((3, 3), dtype=np.float32))


@pytest.mark.parametrize("context", [0, 1])
def test_the_same_call_goes_on_after_a_stop(
    stack: NDArray[np.float64], whole: Any, context: int
) -> None:
    settings = replace(QUICK, context=context)
    if settings != QUICK:
        whole = denoise(stack, axes="ZYX", settings=settings)
    steps = denoise_steps(stack, "ZYX", settings)
    third = (step for step in steps if step.fit is None and step.plane_number == 2)
    kept = next(third).stopped()
    steps.close()
    run = GeneratorResult(denoise_steps(stack, "ZYX", settings, resume=kept))
    seen = {step.plane_number for step in run if not step.fit}
    assert min(seen) >= 2
    assert np.array_equal(run.result.image, whole.image)
    assert run.result.uncertainty is not None
    assert np.array_equal(run.result.uncertainty, whole.uncertainty)
    planes = run.result.report.files[0].planes
    assert planes == whole.report.files[0].planes


def test_nothing_is_left_to_do_after_a_whole_run(
    stack: NDArray[np.float64], whole: Any
) -> None:
    again = GeneratorResult(denoise_steps(stack, "ZYX", QUICK, resume=whole))
    assert list(again) == []
    assert np.array_equal(again.result.image, whole.image)


def test_a_plane_at_its_best_so_far_is_done_again(stack: NDArray[np.float64]) -> None:
    settings = replace(QUICK, context=0)
    steps = denoise_steps(stack, "ZYX", settings)
    step = next(step for step in steps if step.fit and step.plane_number > 0)
    kept = step.stopped()
    steps.close()
    (left,) = [one for one in kept.report.files[0].planes if one.reason == "stopped"]
    assert left.index == step.plane.index
    going_on = denoise_steps(stack, "ZYX", settings, resume=kept)
    assert next(going_on).plane.index == left.index
    going_on.close()


@pytest.mark.parametrize(
    "changed", [{"seed": 3}, {"window_steps": 7}], ids=["seed", "steps"]
)
def test_a_result_of_other_settings_is_no_start(
    stack: NDArray[np.float64], changed: dict[str, int]
) -> None:
    kept = denoise(stack[0], settings=QUICK)
    with pytest.raises(ValueError, match="resume: got a result"):
        denoise_steps(stack[0], settings=replace(QUICK, **changed), resume=kept)
    with pytest.raises(ValueError, match="resume: got a result"):
        denoise_steps(stack, settings=QUICK, resume=kept)


def _failing(times: int, error: Exception) -> Any:
    """Return a stand-in for `steps_in_white_noise` that runs out of memory at first."""
    seen: list[DenoiseSettings] = []
    real = fit_independently.steps_in_white_noise

    def steps(
        problem: Any, settings: DenoiseSettings, device: torch.device, **others: Any
    ) -> Any:
        seen.append(settings)
        if len(seen) <= times:
            raise error
        return real(problem, settings, device, **others)

    return steps, seen


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory."),
        MemoryError(),
        RuntimeError("[enforce fail] DefaultCPUAllocator: not enough memory"),
        RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"),
    ],
)
def test_less_is_done_at_once_when_memory_runs_out(
    stack: NDArray[np.float64], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    steps, seen = _failing(1, error)
    monkeypatch.setattr(fit_independently, "steps_in_white_noise", steps)
    monkeypatch.setattr(Plan, "concurrent_fits", lambda *_: 1)
    result = denoise(stack[:2], axes="ZYX", settings=QUICK)
    assert [one.neighbourhood.batch_size for one in seen] == [1024, 256, 256]
    (file,) = result.report.files
    assert file.notes == (
        "Memory ran out (cpu): the run continued with batches of a "
        "quarter of the size.",
    )
    assert len(file.planes) == 2
    assert result.report.settings == QUICK


def test_memory_that_stays_short_is_an_error(
    stack: NDArray[np.float64], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps, seen = _failing(9, MemoryError("no more"))
    monkeypatch.setattr(fit_independently, "steps_in_white_noise", steps)
    with pytest.raises(MemoryError):
        denoise(stack[0], settings=QUICK)
    assert len(seen) == 2


def test_another_error_is_not_tried_again(
    stack: NDArray[np.float64], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps, seen = _failing(1, RuntimeError("something else"))
    monkeypatch.setattr(fit_independently, "steps_in_white_noise", steps)
    with pytest.raises(RuntimeError, match="something else"):
        denoise(stack[0], settings=QUICK)
    assert len(seen) == 1


def _as_dask(array: NDArray[Any], _: Path) -> Any:
    return pytest.importorskip("dask.array").from_array(array, chunks=(1, 30, 40))


def _as_zarr(array: NDArray[Any], folder: Path) -> Any:
    zarr = pytest.importorskip("zarr")
    stored = zarr.create_array(
        folder / "a.zarr", shape=array.shape, dtype=array.dtype, chunks=(1, 30, 40)
    )
    stored[...] = array
    return stored


def test_dask_is_read_part_by_part(
    stack: NDArray[np.float64], whole: Any, tmp_path: Path
) -> None:
    found = denoise(_as_dask(stack, tmp_path), axes="ZYX", settings=QUICK)
    assert np.array_equal(found.image, whole.image)


def test_zarr_is_read_and_written_part_by_part(
    stack: NDArray[np.float64], whole: Any, tmp_path: Path
) -> None:
    image = _as_zarr(stack, tmp_path / "in")
    out = _as_zarr(np.zeros_like(stack, dtype=np.float32), tmp_path / "out")
    result = denoise(image, axes="ZYX", settings=QUICK, out=out)
    assert result.image is out
    assert np.array_equal(out[...], whole.image)
