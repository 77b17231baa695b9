"""Planes whose noise a filter has correlated: the filter is taken back."""

from __future__ import annotations

import numpy as np
import pytest

from napari_inr_denoise.core.noise.correlated.spectrum import measure_spectrum
from napari_inr_denoise.core.noise.measure import measure_plane
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.noise.white.flat_spectrum import (
    blind_spot_fails,
    flat_spectrum,
)
from napari_inr_denoise.core.noise.white.white_plane import WhitePlane, divided
from tests.phantoms import (
    Array,
    camera,
    deconvolved,
    interpolated,
    sharpened,
    tissue,
    with_blurred_noise,
)

SIDE = 128


def _clean() -> Array:
    return 60 * tissue(SIDE) + 5


def _problem(plane: Array) -> NoisyPlane:
    plane_yxs = plane if plane.ndim == 3 else plane[..., None]
    return measure_plane(plane_yxs, np.ones(plane.shape[:2], bool))


def _flat(plane: Array) -> WhitePlane:
    found = flat_spectrum(_problem(plane))
    assert found is not None
    return found


def _correlations(noise: Array) -> list[float]:
    """Return the correlations of pixels one to four apart, along rows and columns."""
    pairs = [(one[:-lag], one[lag:]) for lag in range(1, 5) for one in (noise, noise.T)]
    return [float(np.corrcoef(a.ravel(), b.ravel())[0, 1]) for a, b in pairs]


def test_noise_is_white_after_the_filter_was_taken_back() -> None:
    clean, noisy = deconvolved(_clean()), deconvolved(camera(_clean()))
    assert max(_correlations(noisy - clean)) > 0.3
    flat = _flat(noisy)
    assert flat.problem.plane_yxs.shape == (SIDE, SIDE, 1)
    assert not flat.problem.noise.correlated
    noise = flat.problem.plane_yxs - _flattened(flat, clean)
    np.testing.assert_allclose(_correlations(noise[..., 0]), 0, atol=0.12)
    assert flat.problem.noise.sigma == pytest.approx(noise.std(), rel=0.1)
    assert flat.problem.plane_yxs.mean() == pytest.approx(noisy.mean(), rel=0.01)


def _flattened(flat: WhitePlane, plane: Array) -> Array:
    assert flat.amplitude_yxs is not None
    return divided(plane[..., None], flat.amplitude_yxs)


def test_the_filter_is_applied_to_the_result_again() -> None:
    noisy = deconvolved(camera(_clean()))
    flat = _flat(noisy)
    back = flat.restored(_flattened(flat, noisy))[..., 0]
    np.testing.assert_allclose(back, noisy, atol=1e-3)
    # What was added to make the noise white is mostly gone.
    added = flat.restored(flat.problem.plane_yxs)[..., 0] - noisy
    assert added.std() < 0.3 * _problem(noisy).noise.sigma


def test_errors_grow_by_the_amplitudes() -> None:
    """That of all frequencies grows by their root mean square, and by what is told."""
    flat = _flat(deconvolved(camera(_clean())))
    amplitude = flat.amplitude_yxs
    assert amplitude is not None
    noisy = flat.problem.plane_yxs
    found = flat.restored_error(2.0, noisy)
    error = np.hypot(2.0, np.sqrt(flat.told) * flat.problem.noise.sigma)
    assert found == pytest.approx(error * np.sqrt(np.mean(amplitude**2)), rel=1e-6)
    assert flat.restored_error(None, flat.problem.plane_yxs) is None
    found = flat.restored_std(np.full_like(noisy, 2.0), noisy)
    error = np.hypot(2.0, np.sqrt(flat.told * flat.problem.variance(noisy)))
    growth = np.sqrt(np.mean(amplitude**2))
    np.testing.assert_allclose(found, growth * error, rtol=1e-5)


def test_samples_have_spectra_of_their_own() -> None:
    limits = (0.3, 0.4)
    noisy = np.stack([deconvolved(camera(_clean(), 1), one) for one in limits], -1)
    amplitude = _flat(noisy).amplitude_yxs
    assert amplitude is not None
    at = round(0.35 * 2 * SIDE)
    assert amplitude[at, 0, 1] > 1.5 * amplitude[at, 0, 0]


def test_nothing_is_random() -> None:
    noisy = deconvolved(camera(_clean()))
    first, second = (_flat(noisy).problem.plane_yxs for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    "plane",
    [interpolated(camera(_clean())), with_blurred_noise(_clean(), 1.0)],
    ids=["moved", "blurred"],
)
def test_the_noise_of_moved_and_blurred_planes_becomes_white(plane: Array) -> None:
    assert not blind_spot_fails(_problem(plane))
    flat = _flat(plane)
    noise = flat.problem.plane_yxs[..., 0]
    spectrum = measure_spectrum(noise, np.ones(noise.shape, bool))
    assert spectrum is not None
    assert not spectrum.correlated
    assert abs(spectrum.correlation(0, 1)) < 0.1


def test_white_noise_stays_as_it_is() -> None:
    problem = _problem(camera(_clean()))
    assert not blind_spot_fails(problem)
    assert flat_spectrum(problem) is None


def test_noise_of_a_sharpened_plane_becomes_white_and_needs_no_blind_spot() -> None:
    """The pixels around tell the opposite of a pixel's noise."""
    clean, noisy = sharpened(_clean()), sharpened(camera(_clean()))
    assert blind_spot_fails(_problem(noisy))
    flat = _flat(noisy)
    noise = flat.problem.plane_yxs - _flattened(flat, clean)
    np.testing.assert_allclose(_correlations(noise[..., 0]), 0, atol=0.12)
