from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from napari_inr_denoise.core.candidates.siren_volume import (
    VolumeFit,
    VolumeProblem,
    volume_steps,
)
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.noise.model import NoiseModel
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.settings import DenoiseSettings, preset_settings

SHAPE = (8, 24, 20)
SIGMA = 6.0
CPU = torch.device("cpu")
SETTINGS = preset_settings(
    "paper", width=32, depth=2, batch_size=256, max_steps=300, learning_rate=2e-3
)


def _truth(shape: tuple[int, int, int] = SHAPE, step_z: float = 1.0) -> Any:
    z, y, x = np.meshgrid(*(np.arange(n, dtype=float) for n in shape), indexing="ij")
    waves = np.sin(x / 3) * np.cos(y / 4) + np.sin(step_z * z / 3 + x / 8)
    return 100 + 25 * waves


def _problem(
    clean: NDArray[np.float64], spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)
) -> VolumeProblem:
    noise = np.random.default_rng(1).normal(0, SIGMA, clean.shape)
    return VolumeProblem(
        (clean + noise)[None].astype(np.float32),
        np.ones(clean.shape, dtype=bool),
        NoiseModel(SIGMA, correlated=False, sigma_neighbours=SIGMA),
        spacing,
    )


def _fitted(problem: VolumeProblem, settings: DenoiseSettings = SETTINGS) -> VolumeFit:
    run = GeneratorResult(volume_steps(problem, settings, CPU))
    assert list(run)
    return run.result


def _rendered(fit: VolumeFit, **keywords: Any) -> NDArray[np.float32]:
    grid = fit.function.grid(**keywords)
    planes = np.stack(list(fit.function.planes(grid)))
    assert planes.shape[:3] == grid.shape_zyx
    return planes[..., 0]


def _rms(values: NDArray[np.floating]) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


@pytest.fixture(scope="module")
def fit() -> VolumeFit:
    return _fitted(_problem(_truth()))


def test_it_stops_at_the_noise_level_and_keeps_the_signal(fit: VolumeFit) -> None:
    assert fit.reason is StopReason.NOISE_LEVEL
    assert fit.residual_rms == pytest.approx(SIGMA, rel=0.05)
    assert _rms(_rendered(fit) - _truth()) < 0.5 * SIGMA


def test_the_part_that_is_judged_stands_for_the_whole(fit: VolumeFit) -> None:
    noisy = _problem(_truth()).values_szyx[0]
    assert _rms(_rendered(fit) - noisy) == pytest.approx(fit.residual_rms, rel=0.05)


def test_the_same_seed_gives_the_same_bytes(fit: VolumeFit) -> None:
    again = _fitted(_problem(_truth()))
    assert np.array_equal(_rendered(fit), _rendered(again))


def test_voxels_that_do_not_count_are_filled_in() -> None:
    problem = _problem(_truth())
    problem.counts_zyx[3:5, 8:12, 8:12] = False
    problem.values_szyx[:, ~problem.counts_zyx] = 1e6
    found = _rendered(_fitted(problem))
    assert _rms((found - _truth())[~problem.counts_zyx]) < 2 * SIGMA


def test_thick_planes_share_less_with_the_next() -> None:
    """Planes three times as far apart as pixels, of something alike in space."""
    clean = _truth(step_z=3.0)
    right, wrong = (
        _rms(_rendered(_fitted(_problem(clean, (step, 1.0, 1.0)))) - clean)
        for step in (3.0, 0.3)
    )
    assert right < wrong


def test_colours_are_fitted_together() -> None:
    one = _problem(_truth())
    values = np.concatenate([one.values_szyx, 300 - one.values_szyx])
    problem = VolumeProblem(values, one.counts_zyx, one.noise, one.spacing_zyx)
    fit = _fitted(problem)
    planes = np.stack(list(fit.function.planes(fit.function.grid())))
    assert planes.shape == (*SHAPE, 2)
    assert _rms(planes[..., 1] - (300 - _truth())) < SIGMA


@pytest.mark.parametrize("shape", [(1, 20, 20), (6, 1, 30), (6, 1, 1)])
def test_thin_volumes_are_fitted_too(shape: tuple[int, int, int]) -> None:
    found = _rendered(_fitted(_problem(_truth(shape))))
    assert np.isfinite(found).all()


def test_a_fit_that_goes_wrong_ends_with_the_best_before() -> None:
    settings = preset_settings(
        "paper", width=16, depth=2, batch_size=64, max_steps=300, learning_rate=1.0
    )
    problem = _problem(_truth())
    problem.values_szyx[:, 4] *= np.float32(1e30)
    run = GeneratorResult(volume_steps(problem, settings, CPU))
    list(run)
    assert run.result.reason in {StopReason.NON_FINITE, StopReason.BUDGET}
    assert np.isfinite(_rendered(run.result)).all()


def test_every_evaluation_is_something_to_keep() -> None:
    steps = volume_steps(_problem(_truth()), SETTINGS, CPU)
    fits = [next(steps) for _ in range(4)]
    steps.close()
    assert [fit.progress for fit in fits] == sorted(fit.progress for fit in fits)
    assert fits[-1].function.sketch(2).shape == (*SHAPE[1:], 1)
    assert np.isfinite(_rendered(fits[-1])).all()


def test_its_own_voxels_are_part_of_every_finer_grid(fit: VolumeFit) -> None:
    """Three pixels for one: the middle one lies where the pixel was."""
    fine = _rendered(fit, zoom=3)
    assert np.allclose(fine[:, 1::3, 1::3], _rendered(fit), atol=1e-3)


def test_a_region_is_a_part_of_the_whole(fit: VolumeFit) -> None:
    part = _rendered(fit, region=((2, 5), (3, 20), (4, 9)))
    assert np.allclose(part, _rendered(fit)[2:5, 3:20, 4:9], atol=1e-3)


def test_new_planes_lie_between_the_old() -> None:
    """Planes that were left out of the fit are closer to the truth than their mean."""
    truth = _truth((15, 24, 20), 0.5)
    problem = _problem(truth[::2], (2.0, 1.0, 1.0))
    fit = _fitted(problem)
    grid = fit.function.grid()
    between = [fit.function.plane(k + 0.5, grid)[..., 0] for k in range(7)]
    noisy = problem.values_szyx[0]
    linear = (noisy[:-1] + noisy[1:]) / 2
    assert _rms(np.stack(between) - truth[1::2]) < _rms(linear - truth[1::2])


def test_voxels_become_as_deep_as_wide(fit: VolumeFit) -> None:
    deep = _fitted(_problem(_truth(), (2.5, 0.5, 0.5)))
    grid = deep.function.grid(isotropic=True)
    assert grid.shape_zyx == (40, 24, 20)
    assert grid.spacing_zyx == pytest.approx((0.5, 0.5, 0.5))
    assert grid.depths[0] == pytest.approx(-0.4)
    assert grid.depths[-1] == pytest.approx(7.4)
    finer = deep.function.grid(isotropic=True, zoom=2, region=((0, 4), (0, 8), (0, 8)))
    assert finer.shape_zyx == (40, 16, 16)
    assert finer.spacing_zyx == pytest.approx((0.25, 0.25, 0.25))
    assert fit.function.grid(isotropic=True).shape_zyx == SHAPE


@pytest.mark.parametrize(
    "wrong",
    [{"zoom": 0}, {"region": ((0, 9), (0, 4), (0, 4))}, {"region": ((2, 2),) * 3}],
)
def test_there_is_nothing_outside_of_a_volume(
    fit: VolumeFit, wrong: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="region, zoom: got"):
        fit.function.grid(**wrong)
