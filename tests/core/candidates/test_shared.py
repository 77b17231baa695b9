from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_inr_denoise.core.candidates import neighbourhood as fit_neighbourhood
from napari_inr_denoise.core.candidates import shared as stack_module
from napari_inr_denoise.core.candidates.shared import SharedNetworks
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.denoise import DenoiseResult, denoise, denoise_steps
from napari_inr_denoise.core.ensemble.prediction import Candidate
from napari_inr_denoise.core.pipeline.plan import Plan
from napari_inr_denoise.core.pipeline.strategies import plane_strategies, run_context
from napari_inr_denoise.core.settings import DenoiseSettings, preset_settings
from napari_inr_denoise.samples import time_lapse

SIDE = 48
COUNT = 5
SIGMA = 8.0
SETTINGS = preset_settings(
    "fast", window_steps=24, window_width=32, window_batch=1024, device="cpu"
)
TRAINED = replace(SETTINGS, window_steps=72)
"""For what a frame alone does not tell."""
QUICK = replace(SETTINGS, window_steps=6, window_width=16, window_batch=256)
"""For what does not depend on how good the result is."""


def _tissue(
    count: int = COUNT, seed: int = 0, thick: float = 3.0
) -> NDArray[np.float64]:
    """Return smooth structure (Z, Y, X) that goes on from plane to plane."""
    random = np.random.default_rng(seed).normal(size=(count + 20, SIDE, SIDE))
    smooth = gaussian_filter(random, (thick, 2.5, 2.5))[10:-10]
    return np.asarray(100 + 30 * smooth / smooth.std())


def _noisy(clean: NDArray[np.float64], seed: int = 1) -> NDArray[np.float64]:
    return clean + np.random.default_rng(seed).normal(0, SIGMA, clean.shape)


def _rms(image: NDArray[np.floating]) -> float:
    return float(np.sqrt(np.mean(np.square(image))))


def _run(
    image: NDArray[np.floating], axes: str = "ZYX", settings: DenoiseSettings = SETTINGS
) -> DenoiseResult:
    return denoise(image, axes=axes, settings=settings)


@pytest.fixture(scope="module")
def clean() -> NDArray[np.float64]:
    return _tissue()


@pytest.fixture(scope="module")
def together(clean: NDArray[np.float64]) -> DenoiseResult:
    return _run(_noisy(clean))


def _own(settings: DenoiseSettings = SETTINGS) -> DenoiseSettings:
    return replace(settings, context=0)


def test_planes_that_go_on_are_better_together(
    clean: NDArray[np.float64], together: DenoiseResult
) -> None:
    alone = _run(_noisy(clean), settings=_own())
    assert _rms(together.image - clean) < 0.98 * _rms(alone.image - clean)


def test_every_plane_is_reported_in_order(together: DenoiseResult) -> None:
    planes = together.report.files[0].planes
    assert [plane.index for plane in planes] == [{"Z": k} for k in range(COUNT)]
    assert all(plane.reason == "trained" for plane in planes)
    assert len({plane.gain for plane in planes}) == 1
    assert together.uncertainty is not None
    assert np.isfinite(together.uncertainty).all()


def test_brightness_stays_plane_by_plane(clean: NDArray[np.float64]) -> None:
    """As where a sample bleaches."""
    fading = clean * np.linspace(1.0, 0.5, COUNT)[:, None, None]
    noisy = _noisy(fading)
    after = _run(noisy, "TYX", QUICK).image
    change = after.mean(axis=(1, 2)) - noisy.mean(axis=(1, 2))
    assert np.abs(change).max() < 0.5


def test_every_place_keeps_its_brightness(together: DenoiseResult) -> None:
    """Or what lies still would flicker from plane to plane."""
    noisy = _noisy(_tissue())
    change = gaussian_filter(together.image - noisy, (0, 8, 8))
    by_chance = SIGMA / (2 * np.sqrt(np.pi) * 8)
    assert _rms(change) < 0.7 * by_chance
    assert np.abs(change.mean(axis=(1, 2))).max() < 1e-3


def test_unrelated_planes_are_as_they_are_alone() -> None:
    noisy = _noisy(np.stack([_tissue(1, seed)[0] for seed in range(3)]))
    found, own = (_run(noisy, settings=one).image for one in (QUICK, _own(QUICK)))
    assert np.array_equal(found, own)


def test_a_plane_of_another_kind_is_denoised_by_itself() -> None:
    clean = _tissue(6)
    noisy = _noisy(clean)
    noisy[3] = _noisy(5 * _tissue(1, 9)[0], seed=7) * 4
    result = _run(noisy)
    image, (file,) = result.image, result.report.files
    own = _run(noisy[3], "YX").image
    assert np.array_equal(image[3], own)
    assert _rms(image[2] - clean[2]) < 0.7 * SIGMA
    assert [plane.index["Z"] for plane in file.planes if not plane.shared] == [3]
    (note,) = file.notes
    assert note.endswith("content differs: Z=3.")


def test_planes_without_noise_or_values_come_back_as_they_were(
    clean: NDArray[np.float64],
) -> None:
    noisy = _noisy(clean)
    noisy[2] = 7.0
    noisy[4] = np.nan
    result = _run(noisy, settings=QUICK)
    assert (result.image[2] == 7.0).all()
    assert np.isnan(result.image[4]).all()
    reasons = [plane.reason for plane in result.report.files[0].planes]
    assert reasons[2] == "no_noise"
    assert reasons[4] == "too_few_pixels"


def test_channels_and_time_points_are_series_of_their_own(
    clean: NDArray[np.float64],
) -> None:
    few = clean[:3]
    both = np.stack([_noisy(few), 3 * _noisy(few[::-1], 2)], axis=1)
    image = _run(both, "ZCYX", QUICK).image
    for channel in range(2):
        alone = _run(both[:, channel], settings=QUICK).image
        assert np.allclose(image[:, channel], alone, rtol=1e-5, atol=1e-3)


def test_progress_rises_to_one(clean: NDArray[np.float64]) -> None:
    steps = list(denoise_steps(_noisy(clean), "ZYX", QUICK))
    progress = [step.progress for step in steps]
    assert progress == sorted(progress)
    assert progress[-1] == 1.0
    finished = [step.plane_number for step in steps if step.fit is None]
    assert sorted(set(finished)) == list(range(COUNT))
    assert finished == sorted(finished)


def test_a_stop_while_the_network_is_trained_keeps_what_was_seen(
    clean: NDArray[np.float64],
) -> None:
    noisy = _noisy(clean)
    steps = denoise_steps(noisy, "ZYX", SETTINGS)
    step = next(step for step in steps if step.fit and step.fit.step > 20)
    steps.close()
    kept = step.stopped()
    (plane,) = kept.report.files[0].planes
    assert plane.reason == "stopped"
    others = np.arange(COUNT) != plane.index["Z"]
    assert np.array_equal(kept.image[others], noisy[others].astype(np.float32))


def test_a_caller_may_stop_while_a_plane_is_rendered(
    clean: NDArray[np.float64], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fit_neighbourhood, "_RENDER_BATCH", 500)
    predictions = SharedNetworks.predictions

    def slow(*args: Any) -> Generator[None, None, list[Candidate]]:
        for _ in (run := GeneratorResult(predictions(*args))):
            time.sleep(0.05)
            yield
        return run.result

    monkeypatch.setattr(SharedNetworks, "predictions", slow)
    noisy = _noisy(clean)
    steps = denoise_steps(noisy, "ZYX", QUICK)
    finished = (step for step in steps if step.fit is None and step.plane_number == 1)
    first, again = next(finished), next(finished)
    assert again is first  # between two parts of the third plane
    kept = again.stopped()
    steps.close()
    assert [plane.index["Z"] for plane in kept.report.files[0].planes] == [0, 1]
    assert np.array_equal(kept.image[2:], noisy[2:].astype(np.float32))


def test_planes_side_by_side_are_as_they_are_one_by_one(
    clean: NDArray[np.float64], monkeypatch: pytest.MonkeyPatch
) -> None:
    results = []
    for at_once in (1, 3):
        monkeypatch.setattr(Plan, "concurrent_tiles", lambda *_, n=at_once: n)
        results.append(_run(_noisy(clean), settings=QUICK))
    one, other = results
    assert one.image.tobytes() == other.image.tobytes()
    assert one.uncertainty is not None
    assert other.uncertainty is not None
    assert one.uncertainty.tobytes() == other.uncertainty.tobytes()
    assert one.report.files[0].planes == other.report.files[0].planes


def test_planes_are_done_one_by_one_once_memory_ran_out(
    clean: NDArray[np.float64], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    failed: list[Exception] = []
    map_ordered = plane_strategies.map_ordered
    predictions = SharedNetworks.predictions

    def noting(jobs: Any, lanes: int) -> Any:
        asked.append(lanes)
        return map_ordered(jobs, lanes)

    def short(*args: Any) -> Any:
        if not failed:
            failed.append(MemoryError("no more"))
            raise failed[0]
        return predictions(*args)

    monkeypatch.setattr(Plan, "concurrent_tiles", lambda *_: 2)
    monkeypatch.setattr(plane_strategies, "map_ordered", noting)
    monkeypatch.setattr(SharedNetworks, "predictions", short)
    (file,) = _run(_noisy(clean), settings=QUICK).report.files
    assert asked == [2, 1]
    assert len(file.planes) == COUNT
    assert file.notes[0].startswith("Memory ran out")


def test_a_stop_while_a_part_is_trained_on_writes_no_part(
    clean: NDArray[np.float64], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stack_module, "CROP", 32)
    noisy = _noisy(clean)
    for least in (0, 1):  # before any training, and in it
        steps = denoise_steps(noisy, "ZYX", QUICK)
        kept = next(
            step for step in steps if step.fit and step.fit.step >= least
        ).stopped()
        steps.close()
        assert np.array_equal(kept.image, noisy.astype(np.float32))
        assert kept.report.files[0].planes == ()


def test_parts_of_large_planes_are_enough_to_train_on(
    clean: NDArray[np.float64], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stack_module, "CROP", 32)
    image = _run(_noisy(clean)).image
    assert _rms(image - clean) < 0.5 * SIGMA


def test_two_planes_and_the_published_method_share_nothing() -> None:
    assert not stack_module.shares_networks(SETTINGS, 2)
    assert not stack_module.shares_networks(preset_settings("paper"), 50)
    assert stack_module.shares_networks(SETTINGS, 3)


def test_beads_that_move_leave_no_ghosts() -> None:
    """Where a bead was one frame before, nothing of it is left."""
    lapse = time_lapse(frames=6, side=64, seed=3)
    together, alone = (
        _run(lapse.noisy, "TYX", settings).image for settings in (SETTINGS, _own())
    )
    gone = lapse.truth[:-1] - lapse.truth[1:]
    left = gone > np.quantile(gone, 0.98)
    ghost = (together - lapse.truth)[1:][left].mean() / gone[left].mean()
    ghost_alone = (alone - lapse.truth)[1:][left].mean() / gone[left].mean()
    assert ghost < max(ghost_alone, 0.0) + 0.05
    assert _rms(together - lapse.truth) < 1.02 * _rms(alone - lapse.truth)


@pytest.fixture
def trained_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the runs of a test share their networks: they train on the same planes."""
    train, kept = stack_module.train_shared, []

    def once(*args: Any, **named: Any) -> Any:
        if not kept:
            kept.append((yield from train(*args, **named)))
        return kept[0]

    monkeypatch.setattr(run_context, "train_shared", once)


def _disk(row: int, column: int) -> NDArray[np.bool_]:
    y, x = np.mgrid[:SIDE, :SIDE]
    return np.asarray((y - row) ** 2 + (x - column) ** 2 <= 3**2)


@pytest.mark.usefixtures("trained_once")
def test_a_sudden_change_stays_in_its_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk is bright, and another one dark, in frame 2 of a still movie."""
    movie = np.repeat(_tissue(1), COUNT, axis=0)
    changes = {40.0: _disk(22, 26), -40.0: _disk(36, 10)}
    for height, disk in changes.items():
        movie[2, disk] += height
    noisy = _noisy(movie)
    with_test = _run(noisy, "TYX", TRAINED).image
    monkeypatch.setattr(stack_module, "sudden_change", lambda *_: None)
    without = _run(noisy, "TYX", TRAINED).image
    for disk in changes.values():
        error, error_without = (
            np.abs((image - movie)[:, disk].mean(axis=1))
            for image in (with_test, without)
        )
        assert error[2] < 0.9 * error_without[2]
        assert error[[1, 3]].sum() < 0.9 * error_without[[1, 3]].sum()
    assert _rms(with_test - movie) < 1.005 * _rms(without - movie)


@pytest.mark.usefixtures("trained_once")
def test_a_still_movie_loses_nothing_to_the_test(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    movie = np.repeat(_tissue(1), COUNT, axis=0)
    with_test = _run(_noisy(movie), "TYX").image
    monkeypatch.setattr(stack_module, "sudden_change", lambda *_: None)
    without = _run(_noisy(movie), "TYX").image
    assert _rms(with_test - movie) < 1.01 * _rms(without - movie)


@pytest.mark.parametrize(("number", "value"), [(2, 0.0), (COUNT, 100.0)])
def test_a_blank_plane_costs_the_others_nothing(
    clean: NDArray[np.float64], together: DenoiseResult, number: int, value: float
) -> None:
    blank = np.full((1, SIDE, SIDE), value)
    noisy = _noisy(clean)
    image = _run(np.concatenate([noisy[:number], blank, noisy[number:]])).image
    assert np.array_equal(image[number], blank[0])
    others = np.delete(image, number, axis=0)
    if number == COUNT:
        assert _rms(others - clean) < 1.006 * _rms(together.image - clean)
    for one, plane, shared in zip(others, clean, together.image, strict=True):
        assert _rms(one - plane) < 1.03 * _rms(shared - plane)
