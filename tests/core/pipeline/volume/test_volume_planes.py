"""Volumes by shared networks, a function, and filters in 3D: the mode "volume"."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.denoise import DenoiseResult, denoise, denoise_steps
from napari_inr_denoise.core.pipeline.plan import Plan, Strategy
from napari_inr_denoise.core.settings import preset_settings

SHAPE = (6, 40, 32)
PHOTONS = 4.0
SETTINGS = preset_settings(
    "fast",
    mode="volume",
    device="cpu",
    siren=replace(
        preset_settings("paper").siren,
        width=32,
        depth=2,
        batch_size=512,
        max_steps=80,
    ),
    neighbourhood=replace(
        preset_settings("fast").neighbourhood, steps=40, width=48, batch_size=1024
    ),
)
QUICK = replace(
    SETTINGS,
    siren=replace(SETTINGS.siren, max_steps=30),
    neighbourhood=replace(SETTINGS.neighbourhood, steps=12, width=16),
)
"""For what does not depend on how good the result is."""


def _truth(shape: tuple[int, ...] = SHAPE, along_z: float = 3.0) -> NDArray[np.float64]:
    """Return cells and puncta; `along_z` is their blur along Z, in planes."""
    rng = np.random.default_rng(3)
    smooth = gaussian_filter(rng.normal(size=shape), (along_z, 4, 4))
    points = np.zeros(shape)
    for _ in range(60):
        points[tuple(rng.integers(0, shape))] = 1.0
    points = gaussian_filter(points, (0.8, 1.2, 1.2))
    cells = smooth > 0.5 * smooth.std()
    return PHOTONS * (1 + 2 * cells + 3 * points / points.max())


def _noisy(clean: NDArray[np.float64], seed: int = 1) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return (rng.poisson(clean) + rng.normal(0, 0.5, clean.shape)).astype(np.float32)


def _error(image: NDArray[Any], clean: NDArray[Any]) -> float:
    return float(np.sqrt(np.mean((image - clean) ** 2)))


def _run(image: NDArray[Any], axes: str = "ZYX", **changes: Any) -> DenoiseResult:
    return denoise(image, axes=axes, settings=replace(SETTINGS, **changes))


@pytest.fixture(scope="module")
def found() -> DenoiseResult:
    return _run(_noisy(_truth()))


def test_a_volume_is_better_than_its_planes_as_a_stack(found: DenoiseResult) -> None:
    clean = _truth()
    stack = _run(_noisy(clean), mode="plane")
    assert _error(found.image, clean) < 0.99 * _error(stack.image, clean)


def test_a_volume_that_does_not_continue_is_no_worse_than_a_stack() -> None:
    clean = _truth(along_z=1.0)
    stack, volume = (_run(_noisy(clean), mode=mode) for mode in ("plane", "volume"))
    assert _error(volume.image, clean) < 1.002 * _error(stack.image, clean)


def test_a_volume_has_one_record_that_names_what_was_used(found: DenoiseResult) -> None:
    (record,) = found.report.files[0].planes
    assert record.index == {}
    assert record.candidates["neighbourhood"] > 0.5
    assert sum(record.candidates.values()) == pytest.approx(1.0, abs=1e-3)
    assert record.sum_after == pytest.approx(found.image.sum(dtype=float), rel=1e-5)
    true = _error(found.image, _truth())
    assert record.quality.held_out_error == pytest.approx(true, rel=0.4)


def test_the_told_error_is_honest(found: DenoiseResult) -> None:
    error = np.abs(found.image - _truth())
    told = found.maps["uncertainty"]
    assert 0.5 < np.mean(error < told) < 0.95
    assert np.mean(error < 2 * told) > 0.8


def test_the_function_has_the_result_at_the_voxels(found: DenoiseResult) -> None:
    (function,) = found.volumes
    planes = np.stack(list(function.planes(function.grid())))[..., 0]
    assert np.allclose(planes, found.image, atol=1e-4)
    finer = function.grid(isotropic=True, zoom=3, region=((1, 4), (5, 20), (8, 16)))
    between = np.stack(list(function.planes(finer)))[..., 0]
    # The centre of every third new pixel is that of a voxel.
    assert between.shape == (9, 45, 24)
    assert np.allclose(
        between[1::3, 1::3, 1::3], found.image[1:4, 5:20, 8:16], atol=1e-2
    )


def test_a_plane_of_another_noise_does_not_spoil_the_others() -> None:
    clean = _truth()
    noisy = _noisy(clean)
    noisy[3] += np.random.default_rng(4).normal(0, 20, SHAPE[1:]).astype(np.float32)
    image = _run(noisy).image
    others = [0, 1, 2, 4, 5]
    assert _error(image[others], clean[others]) < 0.5 * _error(
        noisy[others], clean[others]
    )
    assert _error(image[3], clean[3]) < 0.5 * _error(noisy[3], clean[3])


def test_two_planes_and_no_noise_are_volumes_too() -> None:
    clean = _truth()[:2]
    assert _error(_run(_noisy(clean)).image, clean) < 0.6 * _error(_noisy(clean), clean)
    flat = _run(np.full(SHAPE, 7.0))
    assert (flat.image == 7.0).all()
    assert flat.report.files[0].planes[0].reason == "no_noise"


def test_progress_rises_and_any_plane_is_shown_and_kept_at_a_stop() -> None:
    """And a seed gives the same bytes, whether somebody looks or not."""
    noisy = _noisy(_truth())
    steps = denoise_steps(noisy, "ZYX", QUICK)
    progress, shown, kept = [], [], None
    for step in (run := GeneratorResult(steps)):
        progress.append(step.progress)
        if len(progress) % 10 == 0:
            shown.append(step.so_far({"Z": 0})[0].copy())
        if kept is None and step.progress > 0.8:
            kept = step.stopped()
    assert progress == sorted(progress)
    assert progress[-1] == pytest.approx(1.0)
    assert _error(shown[-1], _truth()[0]) < 0.6 * _error(noisy[0], _truth()[0])
    assert kept is not None
    assert kept.report.files[0].planes[0].reason == "stopped"
    assert _error(kept.image, _truth()) < 0.6 * _error(noisy, _truth())
    again = denoise(noisy, axes="ZYX", settings=QUICK)
    assert again.image.tobytes() == run.result.image.tobytes()


def test_large_planes_are_cut_into_tiles_that_fit_into_memory() -> None:
    settings = preset_settings("fast", mode="volume", memory_gb=2.0, device="cpu")
    plan = Plan.of("ZYX", (20, 1500, 1500), settings)
    assert plan.strategy is Strategy.VOLUME
    assert plan.tiling.count > 1
    published = preset_settings("paper", mode="volume", device="cpu")
    assert Plan.of("ZYX", (20, 1500, 1500), published).tiling.count == 1
