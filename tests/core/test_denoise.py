from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from napari_inr_denoise import DenoiseSettings, denoise, estimate_noise
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.denoise import DenoiseResult, denoise_steps
from napari_inr_denoise.core.settings import preset_settings
from napari_inr_denoise.samples import field_of_cells, small_stack

FILE_KEYS = [
    *("source", "output", "status", "error", "shape", "axes", "dtype", "seconds"),
    *("device", "peak_memory_mb", "planes", "notes", "series", "incomplete"),
]
PLANE_KEYS = [
    *("index", "sigma", "gain", "read_noise", "offset", "clipped_low"),
    *("clipped_high", "correlated", "correlation_distance", "isolated_pixels"),
    *("candidates", "verdict", "intensity_bias", "shared", "warnings", "levels"),
    *("grain", "fill_share", "noise_level_step", "stop_rules"),
    *(
        "residual_rms",
        "held_out_error",
        "steps",
        "reason",
        "mean_before",
        "mean_after",
        "sum_before",
        "sum_after",
        "whiteness",
    ),
]


@pytest.fixture
def noisy(rng: np.random.Generator) -> np.ndarray:
    y, x = np.mgrid[:40, :40] / 40
    return 200 + 80 * np.sin(6 * x + 3 * y) + rng.normal(0, 20, (40, 40))


def _reasons(result: DenoiseResult) -> list[str]:
    return [plane.reason for plane in result.report.files[0].planes]


def test_the_sample_gains_at_least_five_db() -> None:
    """The whole published method, on the sample with known truth."""
    sample = field_of_cells(side=128)
    result = denoise(sample.noisy, preset="paper", device="cpu")
    (plane,) = result.report.files[0].planes
    before = np.mean((sample.noisy - sample.truth) ** 2)
    after = np.mean((result.image - sample.truth) ** 2)
    assert 10 * np.log10(before / after) >= 5
    assert plane.reason == "noise_level"
    level = estimate_noise(sample.noisy).sigma_chen  # what the paper stops at
    assert 0.95 <= (plane.residual_rms / level) ** 2 <= 1
    assert plane.mean_after == pytest.approx(plane.mean_before, rel=0.005)


@pytest.mark.parametrize(
    "dtype",
    [
        "u1",
        "i1",
        "u2",
        "i2",
        "u4",
        "i4",
        "u8",
        "i8",
        "f2",
        "f4",
        "f8",
        ">u2",
        ">f4",
        "g",
    ],
)
def test_every_real_type_comes_back_as_float32_on_its_scale(
    dtype: str, tiny: DenoiseSettings, rng: np.random.Generator
) -> None:
    y, x = np.mgrid[:24, :24] / 24
    values = 60 + 40 * np.sin(5 * x + 2 * y) + rng.normal(0, 6, (24, 24))
    image = np.rint(values).astype(dtype)
    result = denoise(image, settings=tiny)
    assert result.image.dtype == np.float32
    assert result.image.shape == image.shape
    assert result.image.mean() == pytest.approx(values.mean(), rel=0.1)
    assert result.report.files[0].dtype == str(np.dtype(dtype))


def test_bool_is_taken_as_zero_and_one(
    tiny: DenoiseSettings, rng: np.random.Generator
) -> None:
    image = rng.random((24, 24)) < 0.4
    result = denoise(image, settings=tiny)
    assert result.image.mean() == pytest.approx(image.mean(), abs=0.1)


def test_read_only_transposed_and_strided_arrays(
    noisy: np.ndarray, tiny: DenoiseSettings
) -> None:
    noisy.setflags(write=False)
    before = noisy.copy()
    plain = denoise(noisy[::2, ::-1].copy(), settings=tiny)
    strided = denoise(noisy[::2, ::-1], settings=tiny)
    assert plain.image.tobytes() == strided.image.tobytes()
    assert denoise(noisy.T, settings=tiny).image.shape == (40, 40)
    np.testing.assert_array_equal(noisy, before)


def test_negative_values_are_kept(noisy: np.ndarray, tiny: DenoiseSettings) -> None:
    shifted = denoise(noisy - 1000, settings=tiny)
    plain = denoise(noisy, settings=tiny)
    np.testing.assert_allclose(shifted.image + 1000, plain.image, atol=2)


def test_hot_pixels_neither_defeat_the_stop_nor_spoil_the_rest() -> None:
    sample = field_of_cells(side=64)
    noisy = sample.noisy.copy()
    noisy[5, 5], noisy[30, 40], noisy[50, 10] = 4000, 4000, 0
    settings = preset_settings("paper", width=96, batch_size=512, device="cpu")
    clean = denoise(sample.noisy, settings=settings)
    result = denoise(noisy, settings=settings)
    (plane,) = result.report.files[0].planes
    assert plane.reason == "noise_level"
    assert plane.isolated_pixels == 3
    errors = [np.sqrt(np.mean((r.image - sample.truth) ** 2)) for r in (clean, result)]
    assert errors[1] < 1.1 * errors[0]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_pixels_that_are_not_finite_come_back_as_they_were(
    bad: float, noisy: np.ndarray, tiny: DenoiseSettings
) -> None:
    noisy[3, 4:9] = bad
    result = denoise(noisy, settings=tiny)
    np.testing.assert_array_equal(result.image[3, 4:9], noisy[3, 4:9])
    assert np.isfinite(np.delete(result.image, 3, axis=0)).all()
    assert _reasons(result) != ["non_finite"]


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (np.full((32, 32), np.nan), "too_few_pixels"),
        (np.full((32, 32), 7.0), "no_noise"),
        (np.zeros((32, 32), np.uint16), "no_noise"),
        (np.array([[5]]), "too_few_pixels"),
        (np.where(np.indices((32, 32)).sum(0) % 2, np.nan, 3.0), "too_few_pixels"),
        (np.arange(6.0).reshape(2, 3), "too_few_pixels"),
        (np.linspace(0, 1000, 4096).reshape(64, 64), "no_noise"),
    ],
)
def test_nothing_to_fit_comes_back_as_it_was(
    image: np.ndarray, reason: str, tiny: DenoiseSettings
) -> None:
    result = denoise(image, settings=tiny)
    np.testing.assert_array_equal(result.image, image.astype(np.float32))
    assert _reasons(result) == [reason]
    result.report.to_dict()


@pytest.mark.parametrize("shape", [(1, 200), (200, 1), (3, 50), (9, 9)])
def test_thin_and_tiny_planes(
    shape: tuple[int, int], tiny: DenoiseSettings, rng: np.random.Generator
) -> None:
    result = denoise(rng.normal(100, 5, shape), settings=tiny)
    assert result.image.shape == shape
    assert np.isfinite(result.image).all()


@pytest.mark.parametrize(
    ("image", "error", "words"),
    [
        (np.zeros((0, 5)), ValueError, "got an empty array"),
        (np.zeros((5, 5), complex), TypeError, "got complex numbers"),
        (np.array([["a", "b"]]), TypeError, "got values of type"),
        (np.full((5, 5), 1e300), ValueError, "float32"),
        (np.zeros(5), ValueError, "got 1 dimensions"),
        (np.float64(3), ValueError, "got 0 dimensions"),
    ],
)
def test_bad_input_raises_a_sentence_before_the_first_step(
    image: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        denoise_steps(image)


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"axes": "ZYX"}, "one letter per dimension"),
        ({"axes": "QX"}, "axes: got 'QX'"),
        ({"axes": "YY"}, "axes: got 'YY'"),
        ({"preset": "finest"}, "preset: got 'finest'"),
        ({"device": "tpu"}, "device: got 'tpu', wanted auto or one"),
        ({"device": "cuda:9"}, "device: got 'cuda:9'"),
        ({"seed": -1}, "seed: got -1"),
        ({"spacing_um": (0.1,)}, "spacing_um: got"),
        ({"spacing_um": (0.1, -1)}, "spacing_um: got"),
    ],
)
def test_a_wrong_argument_says_what_was_got_and_wanted(
    keywords: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        denoise(np.zeros((8, 8)), **keywords)


def test_axes_in_any_order_give_the_same_planes(
    tiny: DenoiseSettings, rng: np.random.Generator
) -> None:
    stack = rng.normal(100, 10, (2, 24, 20)) + np.arange(20) * 5
    plain = denoise(stack, axes="ZYX", settings=tiny)
    moved = denoise(stack.transpose(1, 2, 0), axes="YXZ", settings=tiny)
    np.testing.assert_array_equal(moved.image.transpose(2, 0, 1), plain.image)
    indices = [plane.index for plane in plain.report.files[0].planes]
    assert indices == [{"Z": 0}, {"Z": 1}]


def test_axes_default_to_the_last_of_tczyx(tiny: DenoiseSettings) -> None:
    result = denoise(np.zeros((2, 3, 4, 8, 8)), settings=tiny)
    assert result.report.files[0].axes == "TCZYX"
    assert len(result.report.files[0].planes) == 24


def test_rgb_is_fitted_jointly_and_alpha_is_kept(
    noisy: np.ndarray, tiny: DenoiseSettings, rng: np.random.Generator
) -> None:
    alpha = np.linspace(0, 255, 1600).reshape(40, 40)
    rgba = np.stack([noisy, noisy * 0.5, noisy * 2, alpha], axis=-1)
    rgba[..., :3] += rng.normal(0, 10, (40, 40, 3))
    result = denoise(rgba, axes="YXS", settings=tiny)
    assert len(result.report.files[0].planes) == 1
    np.testing.assert_array_equal(result.image[..., 3], alpha.astype(np.float32))
    assert not np.allclose(result.image[..., 0], rgba[..., 0])


def test_the_same_seed_gives_the_same_bytes(
    noisy: np.ndarray, tiny: DenoiseSettings
) -> None:
    first, second = (denoise(noisy, settings=tiny).image for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_only_ratios_of_the_spacing_matter(
    noisy: np.ndarray, tiny: DenoiseSettings
) -> None:
    square = denoise(noisy, settings=tiny).image
    scaled = denoise(noisy, settings=tiny, spacing_um=(0.5, 0.5)).image
    flat = denoise(noisy, settings=tiny, spacing_um=(2.0, 0.5)).image
    np.testing.assert_allclose(scaled, square, rtol=1e-4)
    assert not np.allclose(flat, square, rtol=1e-3)


def test_correlated_noise_is_said(tiny: DenoiseSettings) -> None:
    white = np.random.default_rng(0).normal(0, 30, (130, 130))
    smooth = (white[1:, 1:] + white[:-1, 1:] + white[1:, :-1] + white[:-1, :-1]) / 2
    smooth = (smooth[1:, 1:] + smooth[:-1, 1:] + smooth[1:, :-1] + smooth[:-1, :-1]) / 2
    (plane,) = denoise(500 + smooth, settings=tiny).report.files[0].planes
    assert plane.correlated
    assert plane.sigma == pytest.approx(smooth.std(), rel=0.25)


def test_the_result_can_be_seen_while_it_is_made(tiny: DenoiseSettings) -> None:
    stack = small_stack().noisy[:2, :40, :40]
    expected = denoise(stack, settings=tiny).image
    run = GeneratorResult(denoise_steps(stack, settings=tiny))
    updates, finished = 0, set[int]()
    for step in run:
        image = step.so_far()
        if step.fit is not None and not step.learning:
            updates += 1
            number = step.plane.index["Z"]
            assert np.array_equal(image[number], step.result.plane_yxs[..., 0])
            left = [k for k in range(number + 1, len(stack)) if k not in finished]
            assert np.array_equal(image[left], stack[left].astype(np.float32))
        elif step.fit is None:
            finished.add(step.plane.index["Z"])
    assert updates > 2
    assert run.result.image is image
    assert np.array_equal(image, expected)


def test_a_caller_who_stops_keeps_finished_planes_and_the_best_so_far(
    tiny: DenoiseSettings,
) -> None:
    stack = small_stack(planes=3, side=32).noisy
    steps = denoise_steps(stack, settings=replace(tiny, max_steps=20))
    step = next(s for s in steps if s.plane_number == 1 and s.fit and s.fit.step)
    steps.close()
    result = step.stopped()
    whole = denoise(stack, settings=replace(tiny, max_steps=20))
    np.testing.assert_array_equal(result.image[0], whole.image[0])
    assert not np.allclose(result.image[1], stack[1])
    np.testing.assert_array_equal(result.image[2], stack[2].astype(np.float32))
    assert _reasons(result)[1:] == ["stopped"]
    assert 1 / 3 <= step.progress < 2 / 3


@pytest.mark.parametrize("planes", [1, 3])
def test_nothing_waits_for_the_garbage_collector(
    tiny: DenoiseSettings, planes: int
) -> None:
    """Large images and their results would, for as long as it does not come."""
    image = small_stack(planes=planes, side=32).noisy
    gone = weakref.ref(image)
    gc.disable()
    try:
        result = denoise(image, settings=tiny)
        made = weakref.ref(result.image)
        del image, result
        assert gone() is None
        assert made() is None
    finally:
        gc.enable()


def test_the_report_has_the_promised_keys(
    noisy: np.ndarray, tiny: DenoiseSettings
) -> None:
    report = denoise(noisy, settings=tiny).report.to_dict()
    assert set(report) == {"version", "settings", "files"}
    (file,) = report["files"]
    assert sorted(file) == sorted(FILE_KEYS)
    assert sorted(file["planes"][0]) == sorted(PLANE_KEYS)
    assert DenoiseSettings.from_dict(report["settings"]) == tiny


def test_a_call_without_previews_gives_the_same_bytes(
    rng: np.random.Generator,
) -> None:
    """Also for planes that share a network; the steps show the noisy plane then."""
    settings = preset_settings(
        "fast", window_steps=30, window_width=16, window_batch=512, device="cpu"
    )
    stack = rng.normal(100, 5, (3, 40, 40)).astype(np.float32)
    for image in (stack[0], stack):
        run = GeneratorResult(denoise_steps(image, settings=settings))
        changed = [
            not np.array_equal(step.result.plane_yxs, step.problem.plane_yxs)
            for step in run
            if step.fit is not None and step.fit.step
        ]
        assert any(changed)
        quick = GeneratorResult(denoise_steps(image, settings=settings, previews=False))
        for step in quick:
            if step.fit is not None:
                shown = step.result.plane_yxs
                assert np.array_equal(shown, step.problem.plane_yxs.astype(np.float32))
        assert np.array_equal(quick.result.image, run.result.image)
