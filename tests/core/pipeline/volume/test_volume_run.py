"""The mode "volume" from the public call: one fit, one record, for each volume."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.denoise import DenoiseResult, denoise, denoise_steps
from napari_inr_denoise.core.settings import preset_settings

SHAPE = (6, 24, 20)
SIGMA = 6.0
SETTINGS = preset_settings(
    "paper",
    mode="volume",
    width=32,
    depth=2,
    batch_size=256,
    max_steps=300,
    learning_rate=2e-3,
    device="cpu",
)
QUICK = replace(SETTINGS, max_steps=60)
"""For what does not depend on how good the result is."""


def _truth(shape: tuple[int, ...] = SHAPE) -> NDArray[np.float64]:
    z, y, x = np.meshgrid(*(np.arange(n, dtype=float) for n in shape), indexing="ij")
    waves = np.sin(x / 3) * np.cos(y / 4) + np.sin(z / 3 + x / 8)
    return np.asarray(100 + 25 * waves)


def _noisy(clean: NDArray[np.float64], seed: int = 1) -> NDArray[np.float64]:
    return clean + np.random.default_rng(seed).normal(0, SIGMA, clean.shape)


def _quick(image: NDArray[Any], axes: str = "ZYX", **keywords: Any) -> DenoiseResult:
    return denoise(image, axes=axes, settings=QUICK, **keywords)


@pytest.fixture(scope="module")
def found() -> DenoiseResult:
    return denoise(_noisy(_truth()), axes="ZYX", settings=SETTINGS)


def test_a_volume_is_fitted_as_one_and_has_one_record(found: DenoiseResult) -> None:
    assert found.image.shape == SHAPE
    assert np.sqrt(np.mean((found.image - _truth()) ** 2)) < 0.5 * SIGMA
    (record,) = found.report.files[0].planes
    assert record.index == {}
    assert record.reason == "noise_level"
    assert record.candidates == {"siren": 1.0}
    noisy = _noisy(_truth())
    assert record.sum_before == pytest.approx(noisy.sum(), rel=1e-6)
    assert record.sum_after == pytest.approx(found.image.sum(dtype=float), rel=1e-5)


def test_the_function_gives_the_image_and_any_other_grid(found: DenoiseResult) -> None:
    (function,) = found.volumes
    assert np.allclose(
        np.stack(list(function.planes(function.grid())))[..., 0], found.image, atol=1e-3
    )
    finer = function.grid(zoom=2, region=((0, 2), (0, 4), (0, 6)))
    assert np.stack(list(function.planes(finer))).shape == (2, 8, 12, 1)


def test_any_plane_can_be_seen_while_the_volume_is_fitted() -> None:
    noisy = _noisy(_truth())
    last = len(noisy) - 1
    seen = [
        step.so_far({"Z": last})[[0, last]].copy()
        for step in denoise_steps(noisy, "ZYX", SETTINGS)
        if step.fit is not None and 0 < step.progress < 1
    ]
    assert len(seen) > 1
    for first, shown in seen[:-1]:
        assert np.array_equal(first, noisy[0].astype(np.float32))  # as it was
        assert not np.allclose(shown, noisy[last], atol=0.1)


def test_channels_and_time_points_are_volumes_of_their_own() -> None:
    both = np.stack([_noisy(_truth()), 3 * _noisy(_truth()[::-1], 2)], axis=1)
    result = _quick(both, "ZCYX")
    records = result.report.files[0].planes
    assert [record.index for record in records] == [{"C": 0}, {"C": 1}]
    assert len(result.volumes) == 2
    assert np.allclose(result.image[:, 1], _quick(both[:, 1]).image, atol=1e-2)


def test_spacing_along_z_is_respected() -> None:
    thick = _quick(_noisy(_truth()), spacing_um=(3.0, 1.0, 1.0)).image
    assert not np.allclose(thick, _quick(_noisy(_truth())).image)


def test_values_that_are_missing_stay_missing() -> None:
    noisy = _noisy(_truth())
    noisy[2, 3:5, 7] = np.nan
    image = _quick(noisy).image
    assert np.array_equal(np.isnan(image), np.isnan(noisy))


def test_a_volume_without_noise_comes_back_as_it_was() -> None:
    result = _quick(np.full(SHAPE, 7.0))
    assert (result.image == 7.0).all()
    (record,) = result.report.files[0].planes
    assert record.reason == "no_noise"
    assert result.volumes == ()


def test_a_stop_keeps_the_best_so_far_and_the_same_call_goes_on() -> None:
    both = np.stack([_noisy(_truth()), _noisy(_truth()[::-1], 2)])
    run = GeneratorResult(denoise_steps(both, "TZYX", SETTINGS))
    steps = iter(run)
    step = next(s for s in steps if len(s.finished) == 1 and s.fit and s.fit.step > 50)
    kept = step.stopped()
    kept_image = kept.image.copy()
    for _ in steps:  # the run itself goes on, to compare with
        pass
    assert np.array_equal(kept.image, kept_image)
    first, second = kept.report.files[0].planes
    assert (first.reason, second.reason) == ("noise_level", "stopped")
    assert np.isfinite(kept.image).all()
    assert not np.array_equal(kept.image[1], both[1].astype(np.float32))
    whole = run.result
    again = denoise(both, axes="TZYX", settings=SETTINGS, resume=kept)
    assert np.array_equal(again.image, whole.image)
    assert [one.index for one in again.report.files[0].planes] == [{"T": 0}, {"T": 1}]


def test_progress_rises_to_one() -> None:
    both = np.stack([_noisy(_truth()), _noisy(_truth()[::-1], 2)])
    progress = [step.progress for step in denoise_steps(both, "TZYX", QUICK)]
    assert progress == sorted(progress)
    assert progress[-1] == 1.0


@pytest.mark.parametrize(
    ("axes", "shape"), [("TYX", (4, 16, 16)), ("ZYX", (1, 16, 16)), ("YX", (16, 16))]
)
def test_what_has_no_volume_is_refused(axes: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="mode: got 'volume'"):
        _quick(np.ones(shape), axes)


def test_a_volume_that_needs_too_much_memory_is_refused(
    rng: np.random.Generator,
) -> None:
    # Noise, for an image that is constant would be read to its end before.
    huge = np.broadcast_to(rng.random((2000, 2000), np.float32), (2000, 2000, 2000))
    small = replace(SETTINGS, memory_gb=1.0)
    with pytest.raises(ValueError, match="memory_gb"):
        denoise(huge, axes="ZYX", settings=small)
