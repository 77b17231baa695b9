from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_inr_denoise.core.candidates.registry import candidate_model
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.pipeline.plan import Plan
from napari_inr_denoise.core.preflight import measured_run as module
from napari_inr_denoise.core.preflight import timing
from napari_inr_denoise.core.preflight.estimate import preflight, preflight_steps
from napari_inr_denoise.core.preflight.timing import Measuring, OtherPace, Pace, _share
from napari_inr_denoise.core.sampling.stack.series import SeriesTile
from napari_inr_denoise.core.settings import DenoiseSettings, preset_settings
from napari_inr_denoise.image.source import MaskedImage

SETTINGS = preset_settings(
    "fast", window_steps=40, window_width=32, window_batch=1024, device="cpu"
)
AUTO = replace(SETTINGS, candidates="neighbourhood+attention", attention_steps=30)
TIMES = {"neighbourhood": Pace(1.0, 0.001), "attention": Pace(10.0, 0.01)}


def _tissue(count: int = 6, side: int = 48) -> NDArray[np.float64]:
    random = np.random.default_rng(0)
    smooth = gaussian_filter(random.normal(size=(count + 20, side, side)), 2.5)[10:-10]
    clean = 100 + 30 * smooth / smooth.std()
    return np.asarray(clean + random.normal(0, 8.0, clean.shape))


def _asked_at_once(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list of how many at once will be measured, while nothing is."""
    asked: list[int] = []

    def known(*asked_for: object) -> Measuring[dict[str, Pace]]:
        asked.append(int(str(asked_for[-1])))
        yield
        return TIMES

    monkeypatch.setattr(module, "network_paces", known)
    monkeypatch.setattr(module, "other_pace", lambda *_: OtherPace())
    return asked


def test_what_will_happen_is_told() -> None:
    plan = preflight(_tissue(), "ZYX", SETTINGS)
    assert plan.planes == 6
    assert plan.together
    assert not plan.at_most
    assert plan.seconds > 0
    words = plan.words()
    assert words.startswith("6 planes of 48x48, trained jointly: about ")
    assert "GB on CPU" in words


def test_a_step_is_measured_on_as_many_planes_as_share_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []

    def none_at_all(_: object, parts: int, *__: object) -> Measuring[dict[str, Pace]]:
        asked.append(parts)
        yield
        return {name: Pace(0.0, 0.0) for name in TIMES}

    monkeypatch.setattr(module, "network_paces", none_at_all)
    monkeypatch.setattr(module, "other_pace", lambda *_: OtherPace())
    alone = preflight(_tissue(1)[0], "YX", SETTINGS)
    together = preflight(_tissue(), "ZYX", SETTINGS)
    assert asked == [1, 6]
    assert alone.seconds == 0
    assert together.seconds > 0  # planes are compared before


def test_unrelated_planes_are_counted_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _asked_at_once(monkeypatch)
    planes = np.stack([_tissue(1)[0], _tissue(4)[3][::-1], _tissue(2)[1].T])
    shuffled = [np.roll(plane, 17 * k, axis=0) for k, plane in enumerate(planes)]
    assert not preflight(np.stack(shuffled), "ZYX", SETTINGS).together


def test_large_planes_are_told_with_their_tiles(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _asked_at_once(monkeypatch)
    small = replace(AUTO, memory_gb=0.5)
    plan = preflight(np.tile(_tissue(1)[0], (8, 8)), "YX", small)
    assert plan.tiling.count > 1
    assert f"in {plan.tiling.count} tiles" in plan.words()
    assert plan.memory_gb < 2


@pytest.mark.parametrize(
    "settings", [SETTINGS, replace(AUTO, attention_width=8, attention_steps=15)]
)
def test_the_order_of_the_time_is_right(settings: DenoiseSettings) -> None:
    """Within a factor of ten even of something tiny on a busy machine."""
    import time

    from napari_inr_denoise.core.denoise import denoise

    image = _tissue(3, 32)
    plan = preflight(image, "ZYX", settings)
    started = time.perf_counter()
    denoise(image, "ZYX", settings=settings)
    taken = time.perf_counter() - started
    assert 0.1 < plan.seconds / taken < 10


def test_a_volume_and_the_published_method_may_end_before() -> None:
    tiny = preset_settings(
        "paper", width=16, depth=2, batch_size=64, max_steps=50, device="cpu"
    )
    assert preflight(_tissue(1)[0], "YX", tiny).at_most
    plan = preflight(_tissue(), "ZYX", replace(tiny, mode="volume"))
    assert plan.at_most
    assert not plan.together
    assert "at most" in plan.words()


def test_a_volume_takes_longer_than_its_planes_as_a_stack() -> None:
    noisy = _tissue(4, 32) + np.random.default_rng(3).normal(0, 3, (4, 32, 32))
    tiny = replace(SETTINGS, siren=replace(SETTINGS.siren, width=16, depth=2))
    volume = preflight(noisy, "ZYX", replace(tiny, mode="volume"))
    stack = preflight(noisy, "ZYX", tiny)
    assert not volume.at_most
    assert volume.range_s[0] < volume.seconds < volume.range_s[1]
    assert volume.memory_gb > 0.9
    assert volume.together == stack.together


def test_nothing_is_expected_of_an_image_without_noise() -> None:
    plan = preflight(np.full((40, 40), 3.0), "YX", SETTINGS)
    assert plan.seconds == 0


def test_previews_are_counted_where_somebody_looks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _asked_at_once(monkeypatch)
    image = _tissue(1)[0]
    for _ in (shown := GeneratorResult(preflight_steps(image, "YX", SETTINGS))):
        pass
    plain = preflight(image, "YX", SETTINGS)
    assert plain.steps == shown.result.steps
    extra = shown.result.range_s[1] - plain.range_s[1]
    predicted = sum(
        len(candidate_model(name).cost(image.size, SETTINGS).shown) * pace.pixel
        for name, pace in TIMES.items()
    )
    assert extra == pytest.approx(image.size * predicted)


def test_planes_that_are_denoised_at_once_are_measured_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = _asked_at_once(monkeypatch)
    monkeypatch.setattr(Plan, "concurrent_tiles", lambda *_: 4)
    stack = _tissue()
    alone = preflight(stack[0], "YX", SETTINGS, streamed=True)
    together = preflight(stack, "ZYX", SETTINGS, streamed=True)
    assert asked == [1, 4]
    assert together.memory_gb - alone.memory_gb == pytest.approx(3 * 450e-9 * 48**2)


@pytest.mark.parametrize(("axes", "wanted"), [("CYX", 6), ("ZYX", 6), ("YX", 1)])
def test_planes_that_are_fitted_at_once_are_measured_at_once(
    monkeypatch: pytest.MonkeyPatch, axes: str, wanted: int
) -> None:
    asked = _asked_at_once(monkeypatch)
    monkeypatch.setattr(Plan, "concurrent_fits", lambda *_: 8)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 8)
    random = np.random.default_rng(0)  # no two planes alike
    image = random.permuted(_tissue().reshape(6, -1), axis=1).reshape(6, 48, 48)
    plan = preflight(image if "Z" in axes or "C" in axes else image[0], axes, SETTINGS)
    assert not plan.together
    assert asked == [wanted]


def test_what_is_done_at_once_is_shared_out() -> None:
    assert _share([Pace(2.0, 0.2), Pace(4.0, 0.4)]) == Pace(1.5, pytest.approx(0.15))
    assert _share([Pace(2.0, 0.2)]) == Pace(2.0, 0.2)


@pytest.mark.parametrize(("noise", "easy"), [(0.3, True), (30.0, False)])
def test_an_easy_image_is_expected_to_end_early(
    monkeypatch: pytest.MonkeyPatch, noise: float, easy: bool
) -> None:
    # A busy machine must come to the first evaluation, too.
    monkeypatch.setattr(timing, "_TRIAL_SECONDS", 60.0)
    y, x = np.mgrid[:96, :96] / 20
    clean = 120 + 60 * np.sin(x + y) * np.cos(y)
    image = clean + np.random.default_rng(0).normal(0, noise, clean.shape)
    settings = replace(SETTINGS, window_steps=400)
    plan = preflight(image, "YX", settings)
    low, high = plan.range_s
    assert low < high
    assert (plan.seconds == low) is easy


def test_a_result_that_is_kept_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    _asked_at_once(monkeypatch)
    image = np.broadcast_to(_tissue(1), (6, 48, 48))
    kept, streamed = (
        preflight(image, "ZYX", SETTINGS, streamed=flag).memory_gb
        for flag in (False, True)
    )
    assert kept - streamed == pytest.approx(20e-9 * image.size)


def test_a_step_is_measured_on_as_many_pixels_as_the_mask_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sizes: list[int] = []

    def none_at_all(member: SeriesTile, *_: object) -> Measuring[dict[str, Pace]]:
        sizes.append(member.problem.fitted_yx.size)
        yield
        return {name: Pace(0.0, 0.0) for name in TIMES}

    monkeypatch.setattr(module, "network_paces", none_at_all)
    monkeypatch.setattr(module, "other_pace", lambda *_: OtherPace())
    image, mask = _tissue(1, 300)[0], np.zeros((300, 300), np.uint8)
    for share, side in ((1.0, 256), (0.25, 150), (0.0, 128)):
        mask[: round(300 * share)] = 1 if share else 0
        preflight(MaskedImage(image, mask), "YX", SETTINGS)
        assert sizes[-1] == side**2
        mask[:] = 0
    with pytest.raises(ValueError, match="mask: got"):
        preflight(MaskedImage(image, mask[1:]), "YX", SETTINGS)


def test_a_wrong_image_is_refused_as_by_denoise() -> None:
    with pytest.raises(ValueError, match="axes"):
        preflight(np.ones((4, 4, 4)), "YX")


def test_regions_of_other_noise_are_counted_as_fits(
    monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    _asked_at_once(monkeypatch)
    plane = 100 + rng.normal(0, 2.0, (96, 96))
    one = preflight(plane, "YX", SETTINGS)
    plane[:, 48:] += rng.normal(0, 20.0, (96, 48))
    two = preflight(plane, "YX", SETTINGS)
    assert two.seconds == pytest.approx(2 * one.seconds)
