"""Whatever the image: a result within the noise, or a sentence; never a new NaN."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_inr_denoise import DenoiseSettings, denoise, estimate_noise
from napari_inr_denoise.core.compute.optimization.adamw import AdamWOnCpu
from napari_inr_denoise.core.denoise import DenoiseResult, denoise_steps
from napari_inr_denoise.core.report.report import PlaneReport
from tests.core.any_image import QUICK, planes, stacks

SOME = settings(max_examples=40, deadline=None, derandomize=True)


def _denoised(image: Any, **keywords: Any) -> DenoiseResult:
    """Denoise without any warning of numpy's."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return denoise(image, **keywords)


def _plane(result: DenoiseResult) -> PlaneReport:
    (plane,) = result.report.files[0].planes
    return plane


@pytest.mark.parametrize("preset", QUICK)
@SOME
@given(image=planes())
def test_any_plane_comes_back_within_the_noise(preset: str, image: np.ndarray) -> None:
    result = _denoised(image, settings=QUICK[preset])
    finite = np.isfinite(image)
    with np.errstate(all="ignore"):
        before = image.astype(np.float32)
    np.testing.assert_array_equal(result.image[~finite], before[~finite])
    assert np.isfinite(result.image[finite]).all()
    if not finite.any():
        return
    # Nearer to 0 than float32 can tell, all is 0.
    least = float(np.finfo(np.float32).tiny)
    beyond = 3.001 * (_plane(result).sigma or 0.0) + least
    assert result.image[finite].min() >= before[finite].min() - beyond
    assert result.image[finite].max() <= before[finite].max() + beyond
    result.report.to_dict()


@pytest.mark.parametrize(
    ("shape", "mode"), [((8, 16), "plane"), ((4, 16, 16), "volume")]
)
def test_values_near_the_largest_number_stay_finite(
    shape: tuple[int, ...], mode: str
) -> None:
    """Their squares are infinite in the filters."""
    exponents = np.random.default_rng(0).uniform(30, 39, shape)
    image = np.minimum(10**exponents, 3e38)
    chosen = replace(QUICK["auto"], mode=mode)
    assert np.isfinite(_denoised(image, settings=chosen).image).all()


@settings(max_examples=15, deadline=None, derandomize=True)
@given(case=stacks())
def test_any_axes_and_types_come_back_in_their_shape(
    case: tuple[np.ndarray, str],
) -> None:
    image, axes = case
    result = _denoised(image, axes=axes, settings=QUICK["auto"])
    assert result.image.shape == image.shape
    assert np.isfinite(result.image).all()


@SOME
@given(axes=st.text("TCZYXSQ?", max_size=5), ndim=st.integers(0, 6))
def test_axes_that_do_not_fit_give_a_sentence(axes: str, ndim: int) -> None:
    image = np.ones((2,) * ndim)
    fit = len(axes) == ndim == len(set(axes)) and {"Y", "X"} <= set(axes)
    if fit and set(axes) <= set("TCZYXS"):
        denoise_steps(image, axes).close()
        return
    with pytest.raises(ValueError, match=r"^axes: got .*wanted .*\.$"):
        denoise_steps(image, axes)


_IMAGE = np.random.default_rng(0).normal(100, 5, (12, 12))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("axes", wrong) for wrong in (5, b"YX", ["Y", "X"])),
        *(("spacing_um", wrong) for wrong in (0.1, "ab", (None, 1), (np.nan, 1))),
        *(("preset", wrong) for wrong in (None, 3, [])),
        *(("device", wrong) for wrong in (None, 3, "", "meta")),
        *(("settings", wrong) for wrong in ("auto", {}, 5)),
        *(("seed", wrong) for wrong in (1.5, 2**70, True, "1")),
        ("out", [1.0]),
        ("out", np.zeros((12, 12), np.uint8)),
        ("out", np.zeros((12, 12), np.float16)),
        ("out", np.broadcast_to(np.float32(0), (12, 12))),
        ("resume", 5),
        ("image", None),
        ("image", [[1, 2], [3]]),
        ("image", [[1.5, None], [2, 3]]),
        ("image", np.zeros((8, 8), "M8[s]")),
    ],
)
def test_a_wrong_argument_gives_a_sentence(name: str, value: Any) -> None:
    keywords = {"image": _IMAGE} | {name: value}
    with pytest.raises((TypeError, ValueError), match=rf"^{name}: got [\s\S]*wanted"):
        denoise(**keywords)


def test_masked_pixels_are_left_out_and_come_back_as_nan() -> None:
    values = np.rint(_IMAGE).astype(np.uint16)
    values[3, 4] = 60_000
    masked = np.ma.masked_greater(values, 1000)
    result = denoise(masked, settings=QUICK["paper"])
    assert np.argwhere(np.isnan(result.image)).tolist() == [[3, 4]]
    assert result.image[3, 5] < 200
    assert estimate_noise(masked) == estimate_noise(
        np.where(values > 1000, np.nan, values)
    )


def test_numbers_of_numpy_are_numbers() -> None:
    made = DenoiseSettings(seed=np.int64(3), learning_rate=np.float32(0.5))
    assert made == DenoiseSettings(seed=3, learning_rate=0.5)
    assert [type(made.seed), type(made.siren.learning_rate)] == [int, float]


def test_one_extreme_pixel_in_a_tiny_image_is_no_noise() -> None:
    """Every patch holds it, and the level came out as that of the one pixel."""
    image = np.random.default_rng(0).normal(0, 1, (24, 3))
    image[12, 1] = 1e27
    plane = _plane(_denoised(image, settings=QUICK["auto"]))
    assert plane.sigma == pytest.approx(1, rel=0.4)
    assert plane.isolated_pixels == 1


def test_a_pixel_far_brighter_than_all_others_does_not_hide_the_noise() -> None:
    image = np.random.default_rng(0).normal(0, 1, (48, 48))
    image[20, 20] = 1e12
    result = _denoised(image, settings=QUICK["auto"])
    assert _plane(result).reason == "trained"
    assert abs(result.image[20, 20]) < 5


@pytest.mark.parametrize("preset", QUICK)
def test_a_lone_pixel_in_nothing_is_no_noise(preset: str) -> None:
    image = np.zeros((33, 24), np.float32)
    image[5, 6] = 1e-30
    assert _plane(_denoised(image, settings=QUICK[preset])).reason == "no_noise"


def test_values_that_float32_cannot_tell_from_zero_are_zero() -> None:
    image = 1e-150 * np.random.default_rng(0).normal(5, 1, (48, 48))
    result = _denoised(image, settings=QUICK["auto"])
    assert _plane(result).reason == "no_noise"
    assert not result.image.any()


@pytest.mark.parametrize("planes_of_it", [1, 4])
def test_a_fit_that_breaks_down_leaves_the_image(planes_of_it: int) -> None:
    """Every step ends in nothing but NaN."""
    stack = np.random.default_rng(0).normal(0, 1, (planes_of_it, 24, 24))
    wild = QUICK["auto"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AdamWOnCpu, "step", _spoil)
        result = denoise(stack, axes="ZYX", settings=wild)
    reasons = {plane.reason for plane in result.report.files[0].planes}
    assert reasons == {"non_finite"}
    np.testing.assert_array_equal(result.image, stack.astype(np.float32))


@pytest.mark.parametrize("steps", range(1, 13))
def test_any_number_of_steps_is_a_schedule(steps: int) -> None:
    few = replace(QUICK["auto"], window_steps=steps, attention_steps=steps)
    result = _denoised(np.random.default_rng(0).normal(0, 1, (9, 9)), settings=few)
    assert np.isfinite(result.image).all()


def _spoil(optimiser: Any, *_: float) -> None:
    """Take a step that ends in nothing but NaN."""
    for group in optimiser._groups:
        for weight in group.weights:
            weight.data.fill_(float("nan"))
