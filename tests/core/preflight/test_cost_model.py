from __future__ import annotations

from dataclasses import replace

import pytest

from napari_inr_denoise.core.candidates.schedule import schedule
from napari_inr_denoise.core.candidates.shared import MORE_STEPS, shared_augmentations
from napari_inr_denoise.core.candidates.training import shown_steps
from napari_inr_denoise.core.compute.error_curve import usual_steps
from napari_inr_denoise.core.preflight.cost_model import Workload
from napari_inr_denoise.core.preflight.timing import OtherPace, Pace
from napari_inr_denoise.core.sampling.stack.parts import CROP
from napari_inr_denoise.core.settings import DenoiseSettings, preset_settings

SETTINGS = preset_settings(
    "fast", window_steps=40, window_width=32, window_batch=1024, device="cpu"
)
AUGMENTATIONS = shared_augmentations(SETTINGS)
OTHER, NOTHING = OtherPace(noise=4e-6, filters=6e-6), OtherPace()
TIMES = {"neighbourhood": Pace(1.0, 0.001), "attention": Pace(10.0, 0.01)}


def _load(settings: DenoiseSettings = SETTINGS, **changes: int) -> Workload:
    whole = Workload(10, 10**6, 10**6, False, False, settings)
    return replace(whole, **changes)


def test_planes_alone_take_their_times() -> None:
    one, ten = (_load(planes=count).seconds(TIMES, OTHER) for count in (1, 10))
    assert ten == pytest.approx(10 * one)
    _, steps = schedule(10**6, 40, SETTINGS)
    rendered = (len(shown_steps(steps)) + SETTINGS.n_augmentations) * 1e6 * 0.001
    assert _load(planes=1).seconds(
        {"neighbourhood": TIMES["neighbourhood"]}, OTHER
    ) == pytest.approx(steps + rendered + 10)


def test_planes_together_are_trained_once() -> None:
    only = {"neighbourhood": TIMES["neighbourhood"]}
    ten, twenty = (
        _load(planes=count, together=True).seconds(only, NOTHING) for count in (10, 20)
    )
    assert twenty - ten == pytest.approx(10 * AUGMENTATIONS * 1e6 * 0.001)
    training = ten - 10 * AUGMENTATIONS * 1e6 * 0.001
    assert training >= MORE_STEPS * SETTINGS.neighbourhood.steps


def test_tiles_share_and_their_overlap_is_rendered_twice() -> None:
    plain, overlapping = (
        _load(planes=1, tiled=True, rendered=size).seconds(TIMES, NOTHING)
        for size in (10**6, 2 * 10**6)
    )
    assert overlapping - plain == pytest.approx(AUGMENTATIONS * 1e6 * 0.011)


def test_the_published_method_is_counted_to_the_end_of_its_budget() -> None:
    settings = preset_settings("paper", max_steps=100, judge_every=25)
    found = _load(settings, planes=1).seconds({"siren": Pace(1.0, 1e-6)}, NOTHING)
    assert found == pytest.approx(100 + (4 + 4) * 1.0)


def test_parts_that_share_are_counted() -> None:
    assert _load().parts == 1
    assert _load(together=True).parts == 10
    assert _load(planes=100, together=True).parts == 24
    assert _load(planes=1, tiled=True, rendered=4 * 512**2).parts == 4


def test_of_networks_at_once_the_longer_counts_and_ends_alone() -> None:
    paces = {"neighbourhood": Pace(1.0, 0.0, 0.5), "attention": Pace(1.0, 0.0, 0.6)}
    settings = preset_settings("auto", window_steps=100, attention_steps=300)
    load = _load(settings, planes=1)
    assert load.seconds(paces, NOTHING) == pytest.approx(100 + 300)
    concurrent = replace(load, at_once=True)
    assert concurrent.seconds(paces, NOTHING) == pytest.approx(100 + 200 * 0.6)
    unknown = {name: replace(pace, alone=None) for name, pace in paces.items()}
    assert concurrent.seconds(unknown, NOTHING) == pytest.approx(300)
    only = {"attention": paces["attention"]}
    assert concurrent.seconds(only, NOTHING) == pytest.approx(300)


def test_a_training_may_end_early() -> None:
    settings = preset_settings("fast", window_steps=400)
    load = _load(settings, planes=1)
    low, middle, high = (
        load.seconds({"neighbourhood": Pace(1.0, 0.0)}, NOTHING, share)
        for share in (0.0, 0.5, 1.0)
    )
    assert (low, middle, high) == (100, 250, 400)


def test_without_more_the_expected_end_counts() -> None:
    load = _load(preset_settings("fast", window_steps=300), planes=1)
    pace = {"neighbourhood": Pace(1.0, 0.0)}
    assert load.seconds(pace, NOTHING, None) == usual_steps(300)
    assert load.steps(pace) == (100, 300)
    easy = {"neighbourhood": Pace(1.0, 0.0, is_easy=True)}
    assert load.seconds(easy, NOTHING, None) == 100
    assert load.seconds(easy, NOTHING) == 300


@pytest.mark.parametrize("together", [False, True])
def test_correlated_noise_is_trained_on_to_its_own_limit(together: bool) -> None:
    settings = preset_settings("auto", window_steps=1000)
    load = _load(settings, planes=3, together=together)
    trainings = 1 if together else 3
    pace = {"neighbourhood": Pace(1.0, 0.0)}
    assert load.seconds(pace, NOTHING) > 1000 * trainings - 1
    correlated = replace(load, correlated=True)
    assert correlated.steps(pace) == (200, 200)
    for share in (0.0, None, 1.0):
        assert correlated.seconds(pace, NOTHING, share) == 200 * trainings


def test_predictions_that_are_shown_are_filtered() -> None:
    one = {"neighbourhood": TIMES["neighbourhood"]}
    plain, shown = (
        _load(planes=1).seconds(one, other)
        for other in (OTHER, replace(OTHER, shown=1e-6))
    )
    _, steps = schedule(10**6, 40, SETTINGS)
    assert shown - plain == pytest.approx(len(shown_steps(steps)))


@pytest.mark.parametrize("together", [False, True])
def test_without_previews_none_are_counted(together: bool) -> None:
    one = {"neighbourhood": Pace(0.0, 1e-3)}
    load = _load(planes=1, together=together)
    other = OtherPace(shown=1e-4, first_shown=1e-2)
    for share in (0.0, 1.0):
        extra = load.seconds(one, other, share)
        extra -= replace(load, previews=False).seconds(one, other, share)
        pixels = load.pixels if not together else min(load.pixels, CROP**2)
        steps = load.steps(one)[int(share)]
        count = sum(step < steps for step in shown_steps(round(load.steps(one)[1])))
        assert count
        assert extra == pytest.approx(pixels * (count * 1.1e-3 + 1e-2))


def test_the_noise_of_planes_together_is_not_measured_one_by_one() -> None:
    one = {"neighbourhood": TIMES["neighbourhood"]}
    for together, counted in ((False, 10 * 1e6 * 1e-5), (True, 0.0)):
        load = _load(together=together)
        measured = load.seconds(one, OtherPace(noise=1e-5))
        assert measured - load.seconds(one, NOTHING) == pytest.approx(counted)
