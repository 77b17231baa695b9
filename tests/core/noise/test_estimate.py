from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter, uniform_filter

from napari_inr_denoise import estimate_noise
from napari_inr_denoise.core.noise.estimate import examine_plane
from napari_inr_denoise.samples import field_of_cells


def _scene(side: int) -> np.ndarray:
    """Draw a smooth scene: Chen's estimate counts sharp edges as noise."""
    y, x = np.mgrid[:side, :side] / side
    return (
        80 + 60 * np.sin(9 * x + 4 * y) + 40 * np.exp(-9 * np.hypot(x - 0.5, y - 0.4))
    )


@pytest.mark.parametrize(("sigma", "seed"), [(2.0, 0), (10.0, 1), (30.0, 0)])
def test_chens_level_of_known_noise_within_three_percent(
    sigma: float, seed: int
) -> None:
    noise = np.random.default_rng(seed).normal(0, sigma, (256, 256))
    model = estimate_noise(_scene(256) + noise)
    assert model.sigma_chen == pytest.approx(sigma, rel=0.03)
    assert model.sigma == pytest.approx(sigma, rel=0.03 if sigma > 2 else 0.1)


def test_sigma_of_photon_noise_is_its_rms() -> None:
    sample = field_of_cells()
    rms = np.sqrt(np.mean((sample.noisy - sample.truth) ** 2))
    assert estimate_noise(sample.noisy).sigma == pytest.approx(rms, rel=0.1)


def test_rgb_noise_uses_all_samples(rng: np.random.Generator) -> None:
    clean = np.stack([_scene(160)] * 3, axis=-1)
    noisy = clean + rng.normal(0, 7, clean.shape)
    assert estimate_noise(noisy, axes="YXS").sigma == pytest.approx(7, rel=0.03)


def test_a_grey_image_stored_as_rgb_has_its_noise(rng: np.random.Generator) -> None:
    grey = _scene(160) + rng.normal(0, 7, (160, 160))
    rgb = np.stack([grey] * 3, axis=-1)
    assert estimate_noise(rgb, axes="YXS").sigma == pytest.approx(7, rel=0.03)


def test_alpha_does_not_count(rng: np.random.Generator) -> None:
    rgb = np.stack([_scene(64)] * 3, axis=-1) + rng.normal(0, 7, (64, 64, 3))
    rgba = np.concatenate([rgb, np.full((64, 64, 1), 255.0)], axis=-1)
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
    assert model.describe() == "Noise: none found."


@settings(max_examples=12, deadline=None)
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
    stack = rng.normal(0, 1, (3, 128, 128)) * levels[:, None, None]
    wanted = np.sqrt(np.mean(levels**2))
    assert estimate_noise(stack).sigma == pytest.approx(wanted, rel=0.03)


def test_too_few_valid_pixels_are_unknown_not_zero() -> None:
    image = np.full((16, 16), np.nan)
    image[::2] = 3.0
    model = estimate_noise(image)
    assert np.isnan(model.sigma)
    assert model.to_dict()["sigma"] is None
    assert "too few" in model.describe()


def _camera(
    gain: float,
    read_noise: float,
    pedestal: float,
    photons: float = 30.0,
    seed: int = 0,
) -> tuple[np.ndarray, float]:
    """Draw cells on a dark ground, and return the RMS of the noise."""
    y, x = np.mgrid[:256, :256] / 256
    light = sum(
        np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * 0.08**2))
        for row, column in ((0.3, 0.3), (0.4, 0.75), (0.75, 0.5))
    )
    light = photons * light / light.mean()
    rng = np.random.default_rng(seed)
    noisy = pedestal + gain * rng.poisson(light) + rng.normal(0, read_noise, (256, 256))
    return noisy, float(np.sqrt(gain**2 * photons + read_noise**2))


@pytest.mark.parametrize(
    ("gain", "read_noise", "pedestal"),
    [
        (1.0, 3.0, 0.0),
        (5.0, 20.0, 0.0),
        (0.01, 0.02, 0.0),
        (5.0, 10.0, 100.0),
        (0.5, 1.0, 10.0),
    ],
)
def test_the_camera_is_read_from_one_image(
    gain: float, read_noise: float, pedestal: float
) -> None:
    noisy, rms = _camera(gain, read_noise, pedestal)
    model = estimate_noise(noisy)
    # Also on the flanks of bright cells, where the light changes by as much from pixel
    # to pixel as the noise does.
    assert model.sigma == pytest.approx(rms, rel=0.1)
    assert model.gain == pytest.approx(gain, rel=0.1)
    assert model.read_noise == pytest.approx(read_noise, rel=0.25)
    assert model.offset == pytest.approx(pedestal, abs=read_noise)
    assert model.sigma_chen == pytest.approx(rms, rel=0.1)
    assert model.stabilised_sigma == pytest.approx(1, abs=0.1)
    assert not model.correlated
    assert model.correlation_distance == 1
    assert "photon + read noise" in model.words()


def test_noise_that_does_not_grow_has_no_gain_to_speak_of(
    rng: np.random.Generator,
) -> None:
    plane = (_scene(256) + rng.normal(0, 10, (256, 256)))[..., None]
    model, (curve,) = examine_plane(plane, np.ones((256, 256), bool))
    assert model.sigma == pytest.approx(10, rel=0.05)
    assert model.gain * np.ptp(_scene(256)) < 0.1 * model.sigma**2
    np.testing.assert_allclose(curve.variance(_scene(256)), 100, rtol=0.25)
    assert model.clipped_low == model.clipped_high == 0


def test_each_sample_has_its_own_curve(rng: np.random.Generator) -> None:
    planes = [_camera(gain, 0.5, 0.0)[0] for gain in (1.0, 4.0)]
    planes.append(rng.normal(30, 2, (256, 256)))
    model, curves = examine_plane(np.stack(planes, -1), np.ones((256, 256), bool))
    assert [curve.gain for curve in curves[:2]] == pytest.approx([1, 4], rel=0.1)
    variance = np.sqrt(curves[2].variance(np.array([30.0])))
    assert variance == pytest.approx(2, rel=0.1)
    assert model.gain == pytest.approx(np.mean([curve.gain for curve in curves]))


def test_an_unused_sample_is_no_error(rng: np.random.Generator) -> None:
    """A green and magenta image leaves nothing in some colours."""
    rgb = np.zeros((128, 128, 3))
    rgb[..., 1] = _scene(128) + rng.normal(0, 5, (128, 128))
    model, curves = examine_plane(rgb, np.ones((128, 128), bool))
    assert np.isfinite(model.sigma)
    assert len(curves) == 3


def test_blurred_noise_is_flagged_with_its_distance(rng: np.random.Generator) -> None:
    white = rng.normal(0, 1, (258, 258))
    for _ in range(2):
        white = white[1:, 1:] + white[:-1, 1:] + white[1:, :-1] + white[:-1, :-1]
    noise = 10 * white / white.std()
    model, _ = examine_plane(
        (_scene(256) + noise)[..., None], np.ones((256, 256), bool)
    )
    assert model.correlated
    assert model.correlation_distance >= 2
    assert model.sigma == pytest.approx(10, rel=0.2)


def test_saturated_and_cut_off_pixels_are_counted() -> None:
    noisy, _ = _camera(5.0, 10.0, 100.0)
    whole = np.rint(noisy)
    unclipped = estimate_noise(whole)
    assert (unclipped.clipped_low, unclipped.clipped_high) == (0, 0)
    low, high = np.quantile(whole, [0.05, 0.98])
    model = estimate_noise(np.clip(whole, low, high))
    assert model.clipped_high == pytest.approx(0.02, rel=0.1)
    assert model.clipped_low == pytest.approx(0.05, rel=0.15)
    assert "2 % saturated" in model.words()
    assert "clipped at minimum" in model.words()


def test_the_values_of_invalid_pixels_do_not_matter() -> None:
    noisy, rms = _camera(5.0, 10.0, 100.0)
    valid = np.ones(noisy.shape, bool)
    valid[40:60, 90:120] = False
    valid[::19, ::11] = False
    models = [
        examine_plane(np.where(valid, noisy, bad)[..., None], valid)[0]
        for bad in (0.0, 1e6)
    ]
    assert models[0] == models[1]
    assert models[0].sigma_chen == pytest.approx(rms, rel=0.1)


def test_scattered_valid_pixels_are_no_error(rng: np.random.Generator) -> None:
    """Whole patches of 2x2 are there, but none of those that a curve is made of."""
    image = np.where(rng.random((96, 96)) < 0.3, rng.normal(50, 4, (96, 96)), np.nan)
    assert estimate_noise(image).sigma == pytest.approx(4, rel=0.2)


@pytest.mark.parametrize(("sigma", "heaped"), [(2.0, False), (8.0, True)])
def test_a_value_that_is_merely_frequent_is_no_heap(
    sigma: float, heaped: bool, rng: np.random.Generator
) -> None:
    """Cut off one sigma below the mean: 1.3 times as many as beside it, or 5 times."""
    image = np.rint(rng.normal(100, sigma, (128, 128))).clip(100 - sigma, None)
    assert (estimate_noise(image).clipped_low > 0) == heaped


@pytest.mark.parametrize("unit", [0.01, 1.0, 100.0])
def test_the_distance_is_the_same_in_any_unit(
    rng: np.random.Generator, unit: float
) -> None:
    plane = uniform_filter(rng.normal(0, 10, (192, 192)), 2, mode="wrap")
    assert estimate_noise(plane * unit).correlation_distance == 2


def test_a_small_white_plane_is_measured_at_full_density(
    rng: np.random.Generator,
) -> None:
    clean = np.linspace(20, 200, 64)[None].repeat(64, axis=0)
    model = estimate_noise(rng.poisson(clean))
    assert model.gain == pytest.approx(1.0, rel=0.4)
    assert model.stabilised_sigma == pytest.approx(1.0, rel=0.1)


def test_a_mask_is_not_cut_off(rng: np.random.Generator) -> None:
    noisy = rng.normal(100, 9, (64, 64))
    mask = np.where(noisy > 108, 255.0, np.where(noisy > 104, 128.0, 0.0))
    model = estimate_noise(mask)
    assert (model.clipped_low, model.clipped_high) == (0.0, 0.0)


@pytest.mark.parametrize("limit", [25.0, 40.0])
def test_saturation_bends_the_end_of_the_curve_only(limit: float) -> None:
    rng = np.random.default_rng(4)
    clean = 4 + 60 * np.abs(gaussian_filter(rng.normal(size=(128, 128)), 6)) * 8
    noisy = rng.poisson(clean) + rng.normal(0, 1.5, clean.shape)
    cut = np.minimum(np.round(noisy), limit)
    _, (curve,) = examine_plane(cut[..., None], np.ones(clean.shape, bool))
    # Mean and variance of what is recorded, over the intensity.
    draws = rng.poisson(np.linspace(10, 60, 40), (20000, 40))
    shown = np.minimum(np.round(draws + rng.normal(0, 1.5, draws.shape)), limit)
    expected, intensity = shown.var(axis=0), shown.mean(axis=0)
    np.testing.assert_allclose(curve.variance(intensity), expected, rtol=0.2, atol=1)
