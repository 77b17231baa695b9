"""Tests of the factors that planes of a stack were multiplied by."""

import numpy as np
import pytest

from napari_inr_denoise.core.sampling.stack.parts import Values
from napari_inr_denoise.core.sampling.stack.plane_factors import PlaneFactors
from napari_inr_denoise.core.sampling.stack.shared_noise import SharedNoise
from tests.phantoms import Array, cells

LIGHT = np.array([1.0, 0.3, 1.0, 0.3, 1.0])
CLEAN = 10 + np.stack([np.roll(cells(), number, 1) for number in range(len(LIGHT))])


def _found(planes: Array) -> tuple[PlaneFactors, list[list[Values]]]:
    every = np.ones(planes.shape[1:], bool)
    parts = [[(plane[..., None], every)] for plane in planes]
    noise = SharedNoise.of([one for part in parts for one in part])
    return PlaneFactors.of(noise, parts), parts


@pytest.mark.parametrize("pedestal", [0.0, 200.0, -20.0])
def test_what_photon_noise_was_multiplied_by_is_found(pedestal: float) -> None:
    """With a pedestal as well that the multiplication left as it was."""
    light = LIGHT[:, None, None]
    noisy = np.random.default_rng(0).poisson(CLEAN * light) / light
    factors, parts = _found(noisy + pedestal)
    assert not factors.alike
    assert factors.fixed == pytest.approx(pedestal, abs=8)
    found = np.array([factors.factor(part) for part in parts])
    np.testing.assert_allclose(found[1] / found[0], LIGHT[0] / LIGHT[1], rtol=0.15)
    np.testing.assert_allclose(found, factors.measured, rtol=0.05)
    assert all(factors.is_near(factor) for factor in found)


def test_noise_that_ignores_light_is_divided_by_its_level() -> None:
    """For example of planes that were averaged from more or fewer frames."""
    levels = np.array([2.0, 6.0, 2.0, 6.0, 2.0])
    noise = np.random.default_rng(0).normal(0, 1, CLEAN.shape)
    factors, parts = _found(1000 + CLEAN + levels[:, None, None] * noise)
    assert factors.fixed == pytest.approx(1000 + np.median(CLEAN), abs=10)
    found = np.array([factors.factor(part) for part in parts])
    np.testing.assert_allclose(found[1] / found[0], 3, rtol=0.1)


def test_planes_that_differ_in_offset_are_shifted() -> None:
    """As by a detector that drifts; the light, and so the noise, is the same."""
    offsets = np.array([0.0, 12.0, -6.0, 9.0, -10.0])
    noisy = np.random.default_rng(0).poisson(CLEAN) + 100 + offsets[:, None, None]
    factors, parts = _found(noisy)
    assert not factors.alike
    found = np.array([factors.factor(part) for part in parts])
    np.testing.assert_allclose(found, factors.measured, rtol=1e-12)
    shifts = factors.fixed * (1 - found)
    np.testing.assert_allclose(shifts - shifts[0], offsets, atol=1)
    assert all(factors.is_near(factor) for factor in found)
    model = factors.noise.model
    assert model.sigma == pytest.approx(np.sqrt(CLEAN.mean()), rel=0.08)
    louder = [(100 + 3 * (values - 100), every) for values, every in parts[0]]
    assert np.isnan(factors.factor(louder))


def test_planes_of_one_noise_have_no_factors() -> None:
    factors, parts = _found(np.random.default_rng(0).poisson(CLEAN).astype(float))
    assert factors.alike
    assert [factors.factor(part) for part in parts] == [1.0] * len(parts)
    assert factors.is_near(3.0)
    assert not factors.is_near(20.0)


def test_a_plane_without_noise_has_no_factor() -> None:
    noisy = np.random.default_rng(0).poisson(CLEAN).astype(float)
    factors, parts = _found(noisy)
    ((values, every),) = parts[0]
    factor = factors.factor([(np.full_like(values, 7.0), every)])
    assert np.isnan(factor)
    assert not factors.is_near(factor)


def test_color_planes_have_one_factor_for_all_samples() -> None:
    light = LIGHT[:, None, None, None]
    color = CLEAN[..., None] * [1.0, 0.7, 0.4]
    noisy = np.random.default_rng(0).poisson(color * light) / light
    every = np.ones(noisy.shape[1:3], bool)
    parts = [[(plane, every)] for plane in noisy]
    noise = SharedNoise.of([one for part in parts for one in part])
    factors = PlaneFactors.of(noise, parts)
    found = [factors.factor(part) for part in parts[:2]]
    assert found[1] / found[0] == pytest.approx(LIGHT[0] / LIGHT[1], rel=0.15)


@pytest.mark.parametrize("seed", range(3))
def test_few_photons_do_not_pass_for_factors(seed: int) -> None:
    """0.03 to 0.2 photons around the cells, in planes that fade."""
    brightness = np.geomspace(2, 0.3, 6)[:, None, None]
    clean = brightness * 0.05 * np.stack([cells()] * 6)
    factors, parts = _found(np.random.default_rng(seed).poisson(clean).astype(float))
    found = np.array([factors.factor(part) for part in parts])
    assert (np.isnan(found) | (found == 1)).all()


@pytest.mark.parametrize("side", [16, 24, 32])
def test_small_planes_have_no_factors(side: int) -> None:
    clean = CLEAN[:, :side, :side]
    factors, parts = _found(np.random.default_rng(0).poisson(clean).astype(float))
    assert factors.alike
    assert np.isnan(factors.factor(parts[0])) or factors.factor(parts[0]) == 1
