"""Tests of offsets that the planes of a stack share."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_inr_denoise import denoise
from napari_inr_denoise.core.ensemble.quality import judge, uncertainty
from napari_inr_denoise.core.noise.defects.fixed_pattern import fixed_pattern
from napari_inr_denoise.core.report.warning import PlaneWarning
from napari_inr_denoise.core.sampling.stack.series import Series
from napari_inr_denoise.core.sampling.stack.stack_noise import StackNoise
from napari_inr_denoise.core.settings import DenoiseSettings, preset_settings
from napari_inr_denoise.image.tiling import Tiling
from tests.core.noise.correlated.test_spectrum import Array, camera, cells, spots

PLANES = 12
OTHER_CELLS = [np.roll(cells(), (8 * k, 5 * k), (0, 1)) for k in range(PLANES)]
SAME_CELLS = [cells()] * PLANES
WHOLE = np.ones(cells().shape, bool)
CORNER = slice(None), slice(64), slice(64)
"""A part of each plane, for fits."""


def _found(planes: Sequence[Array]) -> Array | None:
    """Return what is to be subtracted from planes under photon noise."""
    pattern = fixed_pattern((plane[..., None], WHOLE) for plane in planes)
    return None if pattern is None else pattern.offsets_yxs[..., 0]


def _std(planes: Sequence[Array]) -> float:
    """Return the standard deviation of the offsets that stay."""
    pattern = fixed_pattern((plane[..., None], WHOLE) for plane in planes)
    return 0.0 if pattern is None else pattern.pixel_stds[0]


def _recorded(clean: Sequence[Array], pattern: Array | float = 0.0) -> list[Array]:
    return [camera(plane, seed) + pattern for seed, plane in enumerate(clean)]


def _warm(rng: np.random.Generator) -> Array:
    return np.where(rng.random(WHOLE.shape) < 0.004, 15.0, 0.0)


@pytest.mark.parametrize("clean", [OTHER_CELLS, SAME_CELLS], ids=["moving", "still"])
@pytest.mark.parametrize("axis", [0, 1])
def test_columns_or_rows_that_stay_are_found(
    clean: Sequence[Array], axis: int, rng: np.random.Generator
) -> None:
    lines = np.expand_dims(rng.normal(0, 1.0, WHOLE.shape[axis]), 1 - axis)
    found = _found(_recorded(clean, lines))
    assert found is not None
    assert np.corrcoef(found.ravel(), (lines + 0 * found).ravel())[0, 1] > 0.8


@pytest.mark.parametrize("clean", [OTHER_CELLS, SAME_CELLS], ids=["moving", "still"])
def test_warm_pixels_are_found(
    clean: Sequence[Array], rng: np.random.Generator
) -> None:
    warm = _warm(rng)
    found = _found(_recorded(clean, warm))
    assert found is not None
    assert np.sum((found - warm) ** 2) < 0.4 * np.sum(warm**2)
    assert not found[warm == 0].any()


@pytest.mark.parametrize(
    "clean", [cells(), spots(), np.full((96, 96), 9.0)], ids=["cells", "spots", "flat"]
)
def test_a_sample_that_stays_is_no_pattern(clean: Array) -> None:
    assert _found(_recorded([clean] * PLANES)) is None


def test_the_sharpest_spots_are_no_warm_pixels(rng: np.random.Generator) -> None:
    points = np.zeros(WHOLE.shape)
    points[tuple(rng.integers(6, 90, (2, 40)))] = rng.uniform(20, 400, 40)
    clean = 2 + gaussian_filter(points, 0.6)
    assert _found(_recorded([clean] * PLANES)) is None


@pytest.mark.parametrize("clean", [OTHER_CELLS, SAME_CELLS], ids=["moving", "still"])
def test_offsets_of_all_pixels_are_told(
    clean: Sequence[Array], rng: np.random.Generator
) -> None:
    offsets = rng.normal(0, 1.5, WHOLE.shape)
    planes = _recorded(clean, offsets)
    assert _std(planes) == pytest.approx(1.5, rel=0.2)
    assert not np.any(_found(planes))


def test_warm_pixels_and_lines_are_no_offsets_of_all_pixels(
    rng: np.random.Generator,
) -> None:
    assert _std(_recorded(SAME_CELLS, _warm(rng))) == 0
    assert _std(_recorded(SAME_CELLS, rng.normal(0, 1.0, (1, 96)))) == 0


def test_what_happens_once_is_no_pattern(rng: np.random.Generator) -> None:
    planes = _recorded(OTHER_CELLS)
    planes[3] = planes[3] + 100 * _warm(rng)  # cosmic rays
    planes[5] = planes[5] + rng.normal(0, 5, (1, 96))  # noise of columns in one plane
    assert _found(planes) is None


def test_a_border_does_not_ring() -> None:
    planes = _recorded(SAME_CELLS)
    for plane in planes:
        plane[:, 0] += 300.0
    found = _found(planes)
    assert found is None or not found[:, 1:].any()


def test_few_or_small_planes_have_none(rng: np.random.Generator) -> None:
    planes = _recorded(OTHER_CELLS, rng.normal(0, 3, (1, 96)))
    assert _found(planes[:3]) is None
    assert fixed_pattern((one[:40, :, None], WHOLE[:40]) for one in planes) is None
    assert fixed_pattern([]) is None
    nothing = np.zeros_like(WHOLE)
    assert fixed_pattern((one[..., None], nothing) for one in planes) is None


@pytest.mark.parametrize(("count", "told"), [(1, False), (PLANES, True)])
def test_offsets_of_all_pixels_count_where_planes_share_a_network(
    count: int, told: bool, rng: np.random.Generator
) -> None:
    """For a network that sees one plane they are noise like any other."""
    planes = _recorded(SAME_CELLS, rng.normal(0, 1.5, WHOLE.shape))
    pattern = fixed_pattern((one[..., None], WHOLE) for one in planes)
    assert pattern is not None
    pattern = replace(pattern, pixel_share=0.05)
    tiling = Tiling.of(WHOLE.shape, 0)
    series = Series(
        lambda number, _: (planes[number][..., None], WHOLE),
        *(count, tiling, (1.0, 1.0), 1, StackNoise(pattern)),
    )
    problem = series.problem(0, tiling.tiles[0])
    flat = np.full(problem.plane_yxs.shape, 0.1, np.float32)
    warned = judge(problem, flat, None).warnings
    assert (PlaneWarning.FIXED_PATTERN in warned) == told
    assert (uncertainty(problem, flat, flat).min() > 1.2) == told


def test_the_share_of_the_noise_is_told_for_offsets_alone(
    rng: np.random.Generator,
) -> None:
    """Not for the finest structure that stays in place, which looks like them."""

    def share(still: Array) -> float:
        planes = still + rng.normal(size=(PLANES, *WHOLE.shape))
        found = fixed_pattern((one[..., None], WHOLE) for one in planes)
        return 0.0 if found is None else found.pixel_share

    offsets = rng.normal(size=WHOLE.shape)
    assert share(offsets) == pytest.approx(0.5, abs=0.1)
    assert share(4 * gaussian_filter(offsets, 0.5)) == 0.0


def test_planes_of_offsets_alone_are_denoised_alone(
    rng: np.random.Generator, tiny: DenoiseSettings
) -> None:
    planes = _recorded(SAME_CELLS[:8], rng.normal(0, 20.0, WHOLE.shape))
    noisy = np.stack(planes)[CORNER]
    settings = DenoiseSettings.from_dict(tiny.to_dict() | {"context": 1})
    (file,) = denoise(noisy, axes="TYX", settings=settings).report.files
    assert not any(plane.shared for plane in file.planes)


def test_offsets_that_stand_out_are_noise_like_any_other(
    rng: np.random.Generator,
) -> None:
    """Planes share them, but none tells another what to leave in."""
    offsets = rng.normal(0, 1.5, WHOLE.shape)
    noisy = np.stack(_recorded(SAME_CELLS[:8], offsets))[CORNER]
    settings = preset_settings(
        "fast", window_steps=30, window_width=32, window_batch=1024, device="cpu"
    )
    result = denoise(noisy, axes="TYX", settings=settings)
    left, offsets = result.image - SAME_CELLS[0][CORNER[1:]], offsets[CORNER[1:]]
    shares = (left * offsets).sum(axis=(1, 2)) / np.square(offsets).sum()
    assert shares.max() < 0.16  # 0.2 and more where it is seen in other planes
    for plane in result.report.files[0].planes:
        assert plane.shared
        assert "fixed_pattern" in plane.warnings


@pytest.mark.parametrize("context", [0, 1], ids=["independent", "series"])
def test_it_is_removed_from_each_plane_and_told(
    context: int, tiny: DenoiseSettings, rng: np.random.Generator
) -> None:
    warm = _warm(rng)
    noisy = np.stack(_recorded(SAME_CELLS[:8], warm))[CORNER]
    settings = DenoiseSettings.from_dict(tiny.to_dict() | {"context": context})
    result = denoise(noisy, axes="TYX", settings=settings)
    structured = result.maps["structured"]
    for plane in result.report.files[0].planes:
        assert "structured_noise" in plane.warnings
    for one in structured:
        assert np.corrcoef(one.ravel(), warm[CORNER[1:]].ravel())[0, 1] > 0.8
    np.testing.assert_allclose(
        result.image + result.maps["residual"], noisy, rtol=1e-4, atol=1e-3
    )
