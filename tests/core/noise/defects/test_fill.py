"""Tests of the detection of constant fill."""

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_inr_denoise import denoise
from napari_inr_denoise.core.noise.defects.fill import constant_fill
from napari_inr_denoise.core.settings import DenoiseSettings
from tests.core.noise.correlated.test_spectrum import camera, cells

WHOLE = np.ones((96, 96), bool)


def _found(plane: NDArray[np.floating], valid: NDArray[np.bool_] = WHOLE) -> NDArray:
    return constant_fill(plane[..., None], valid)


def _deskewed() -> NDArray[np.bool_]:
    rows, columns = np.indices(WHOLE.shape)
    return columns < 30 + rows // 4


@pytest.mark.parametrize(
    "fill", [np.arange(96)[None].repeat(96, 0) < 10, _deskewed(), ~_deskewed()]
)
@pytest.mark.parametrize("value", [0.0, 7.0, 500.0])
def test_padding_of_any_form_and_value_is_fill(
    fill: NDArray[np.bool_], value: float
) -> None:
    plane = np.where(fill, value, np.rint(camera(cells())) + 10)
    np.testing.assert_array_equal(_found(plane), fill)


def test_saturated_pixels_are_no_fill() -> None:
    assert not _found(np.minimum(np.rint(camera(cells())), 20)).any()


def test_few_photons_on_a_dark_background_are_no_fill(
    rng: np.random.Generator,
) -> None:
    assert not _found(rng.poisson(0.02, WHOLE.shape).astype(float)).any()


def test_what_is_invalid_is_no_fill() -> None:
    plane = np.where(_deskewed(), 0.0, camera(cells()))
    assert not _found(plane, ~_deskewed()).any()


def test_fill_comes_back_as_it_was_and_costs_the_rest_nothing(
    tiny: DenoiseSettings,
) -> None:
    clean, fill = cells() + 10, _deskewed()
    noisy = camera(clean)
    padded = denoise(np.where(fill, 0.0, noisy), axes="YX", settings=tiny)
    missing = denoise(np.where(fill, np.nan, noisy), axes="YX", settings=tiny)
    assert (padded.image[fill] == 0).all()
    np.testing.assert_array_equal(padded.image[~fill], missing.image[~fill])


def test_the_share_of_fill_is_told(tiny: DenoiseSettings) -> None:
    fill = _deskewed()
    noisy = np.where(fill, 0.0, camera(cells() + 10))
    (plane,) = denoise(noisy, axes="YX", settings=tiny).report.files[0].planes
    assert "fill_ignored" in plane.warnings
    assert plane.fill_share == pytest.approx(fill.mean())
    none = np.where(fill, np.nan, noisy)
    (plane,) = denoise(none, axes="YX", settings=tiny).report.files[0].planes
    assert "fill_ignored" not in plane.warnings
    assert plane.fill_share == 0


def test_a_blank_plane_costs_the_others_nothing(tiny: DenoiseSettings) -> None:
    clean = np.stack([cells(64, seed) for seed in (3, 3, 3, 3)])
    noisy = np.stack([camera(one, seed) for seed, one in enumerate(clean)])
    with_blank = np.concatenate([noisy, np.zeros_like(noisy[:1])])
    alone, beside = (
        denoise(stack, axes="ZYX", settings=tiny) for stack in (noisy, with_blank)
    )
    assert (beside.image[-1] == 0).all()
    sigmas = [[p.sigma for p in one.report.files[0].planes] for one in (alone, beside)]
    np.testing.assert_allclose(sigmas[1][:4], sigmas[0], rtol=0.02)


def test_dim_pixels_without_photons_beside_fill_are_measured() -> None:
    random = np.random.default_rng(0)
    rows, columns = np.indices((96, 96))
    fill = rows > 0.6 * columns + 30
    photons = np.where(columns < 60, 8.0, 0.4)
    plane = np.where(fill, 0.0, random.poisson(photons))
    found = constant_fill(plane[..., None], np.ones_like(fill))
    # Every pixel of the slanted fill, and hardly one of the many zeros beside it.
    assert found[fill].all()
    assert found[~fill].mean() < 0.03
