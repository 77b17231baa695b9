from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_inr_denoise import estimate_noise
from napari_inr_denoise.core.noise import (
    _noise_of_eigenvalues,
    _positions,
    chen_sigma,
)
from napari_inr_denoise.samples import field_of_cells


def _scene(side: int) -> np.ndarray:
    """Draw a smooth scene: Chen's estimate counts sharp edges as noise."""
    y, x = np.mgrid[:side, :side] / side
    return (
        80 + 60 * np.sin(9 * x + 4 * y) + 40 * np.exp(-9 * np.hypot(x - 0.5, y - 0.4))
    )


@pytest.mark.parametrize("sigma", [2.0, 10.0, 30.0])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_sigma_of_known_noise_within_three_percent(sigma: float, seed: int) -> None:
    noise = np.random.default_rng(seed).normal(0, sigma, (256, 256))
    assert estimate_noise(_scene(256) + noise).sigma == pytest.approx(sigma, rel=0.03)


def test_sigma_of_photon_noise_is_its_rms() -> None:
    sample = field_of_cells()
    rms = np.sqrt(np.mean((sample.noisy - sample.truth) ** 2))
    assert estimate_noise(sample.noisy).sigma == pytest.approx(rms, rel=0.1)


def test_rgb_noise_uses_all_samples(rng: np.random.Generator) -> None:
    clean = np.stack([_scene(256)] * 3, axis=-1)
    noisy = clean + rng.normal(0, 7, clean.shape)
    assert estimate_noise(noisy, axes="YXS").sigma == pytest.approx(7, rel=0.03)


def test_a_grey_image_stored_as_rgb_has_its_noise(rng: np.random.Generator) -> None:
    grey = _scene(256) + rng.normal(0, 7, (256, 256))
    rgb = np.stack([grey] * 3, axis=-1)
    assert estimate_noise(rgb, axes="YXS").sigma == pytest.approx(7, rel=0.03)


def test_alpha_does_not_count(rng: np.random.Generator) -> None:
    rgb = np.stack([_scene(96)] * 3, axis=-1) + rng.normal(0, 7, (96, 96, 3))
    rgba = np.concatenate([rgb, np.full((96, 96, 1), 255.0)], axis=-1)
    with_alpha = estimate_noise(rgba, axes="YXS")
    assert with_alpha == estimate_noise(rgb, axes="YXS")


def test_correlated_noise_is_detected_and_not_underestimated(
    rng: np.random.Generator,
) -> None:
    white = rng.normal(0, 1, (258, 258))
    blurred = sum(
        white[i : i + 256, j : j + 256] * (2 - abs(i - 1)) * (2 - abs(j - 1))
        for i in range(3)
        for j in range(3)
    )
    noise = 10 * blurred / blurred.std()
    model = estimate_noise(_scene(256) + noise)
    assert model.correlated
    assert model.sigma_neighbours < 5
    assert model.sigma == pytest.approx(10, rel=0.2)
    assert "correlated" in model.describe()


def test_white_noise_is_not_called_correlated(rng: np.random.Generator) -> None:
    assert not estimate_noise(_scene(128) + rng.normal(0, 9, (128, 128))).correlated


def test_a_constant_image_has_no_noise() -> None:
    model = estimate_noise(np.full((64, 64), 1000.0))
    assert model.sigma == 0
    assert model.describe() == "No noise was found."


@settings(max_examples=25, deadline=None)
@given(scale=st.floats(0.01, 1e4), offset=st.floats(-1e4, 1e4), seed=st.integers(0, 99))
def test_sigma_follows_the_intensity_scale(
    scale: float, offset: float, seed: int
) -> None:
    image = np.random.default_rng(seed).normal(0, 3, (40, 40)) + _scene(40)
    scaled = estimate_noise(scale * image + offset).sigma
    assert scaled == pytest.approx(scale * estimate_noise(image).sigma, rel=1e-5)


def test_invalid_pixels_do_not_count(rng: np.random.Generator) -> None:
    image = _scene(256) + rng.normal(0, 5, (256, 256))
    image[40:44, 10:60] = np.nan
    image[3, 100] = np.inf
    assert estimate_noise(image).sigma == pytest.approx(5, rel=0.05)


@pytest.mark.parametrize("shape", [(1, 400), (400, 1), (12, 12), (9, 30)])
def test_tiny_and_thin_planes_give_a_level(
    shape: tuple[int, int], rng: np.random.Generator
) -> None:
    assert estimate_noise(rng.normal(50, 4, shape)).sigma == pytest.approx(4, rel=0.4)


@pytest.mark.parametrize("shape", [(2, 2), (1, 1), (3, 2)])
def test_a_few_pixels_have_no_known_level(shape: tuple[int, int]) -> None:
    assert np.isnan(estimate_noise(np.ones(shape)).sigma)


def test_the_stack_level_is_the_rms_of_its_planes(rng: np.random.Generator) -> None:
    levels = np.array([2.0, 4.0, 8.0])
    stack = rng.normal(0, 1, (3, 256, 256)) * levels[:, None, None]
    wanted = np.sqrt(np.mean(levels**2))
    assert estimate_noise(stack).sigma == pytest.approx(wanted, rel=0.03)


def test_last_positions_are_included_when_the_stride_misses_them() -> None:
    assert list(_positions(10, 8)) == [0, 2]
    assert list(_positions(11, 8)) == [0, 3]
    assert list(_positions(8, 8)) == [0]


@pytest.mark.parametrize("shape", [(32, 32, 1), (48, 48, 1), (64, 64, 3), (128, 96, 3)])
def test_small_planes_are_not_far_underestimated(shape: tuple[int, ...]) -> None:
    found = [
        chen_sigma(
            np.random.default_rng(k).normal(0, 10, shape), np.ones(shape[:2], bool)
        )
        for k in range(5)
    ]
    assert np.mean(found) == pytest.approx(10, rel=0.08)


def test_the_rule_of_chen_on_eigenvalues_drawn_by_hand() -> None:
    """Mean of the largest prefix with as many above its mean as below."""
    # All: mean 3.2, one above. {1,1,2,2}: mean 1.5, two above and two below.
    assert _noise_of_eigenvalues(np.array([1.0, 1, 2, 2, 10])) == np.sqrt(1.5)
    assert _noise_of_eigenvalues(np.array([4.0, 100])) == np.sqrt(52)
    assert _noise_of_eigenvalues(np.array([4.0])) == 2


def test_too_few_valid_pixels_are_unknown_not_zero() -> None:
    image = np.full((16, 16), np.nan)
    image[::2] = 3.0
    model = estimate_noise(image)
    assert np.isnan(model.sigma)
    assert model.to_dict()["sigma"] is None
    assert "Too few" in model.describe()
