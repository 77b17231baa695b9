"""Planes and tiles fitted at once, each by networks of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_inr_denoise.core.compute import concurrency as at_once
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.denoise import denoise, denoise_steps
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.pipeline import plan as plan_module
from napari_inr_denoise.core.pipeline.output.result import DenoiseResult, DenoiseStep
from napari_inr_denoise.core.pipeline.plan import Plan
from napari_inr_denoise.core.pipeline.strategies import independent_tiles as module
from napari_inr_denoise.core.pipeline.strategies import plane_strategies
from napari_inr_denoise.core.settings import DenoiseSettings, preset_settings
from napari_inr_denoise.image import tiling
from napari_inr_denoise.image.source import ImageSource
from napari_inr_denoise.image.tiling import Tiling
from tests.core.torch_threads import four_threads

FAST = preset_settings(
    "fast",
    window_steps=12,
    window_width=16,
    window_batch=512,
    n_augmentations=2,
    device="cpu",
)
PAPER = preset_settings(
    "paper", width=16, depth=2, batch_size=256, max_steps=12, device="cpu"
)
_SIDE = 100
"""Side of the square with as many pixels as a tile may have."""
_TWO, _FOUR = (120, 87), (120, 120)
"""Shapes of planes of two and of four tiles."""


_threads = pytest.fixture(autouse=True)(four_threads)


def _channels(count: int = 3, shape: tuple[int, int] = (40, 40)) -> NDArray[np.float32]:
    random = np.random.default_rng(0)
    y, x = np.mgrid[: shape[0], : shape[1]]
    clean = [100 + 30 * np.sin(x / (4 + k)) * np.cos(y / 5) for k in range(count)]
    return (clean + random.normal(0, 8, (count, *shape))).astype(np.float32)


def _in_small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiling, "MIN_TILE_SIDE", _SIDE)
    monkeypatch.setattr(tiling, "_OVERLAP", 64)
    monkeypatch.setattr(plan_module, "tile_side", lambda *_: _SIDE)
    assert Tiling.of(_TWO, _SIDE).count == 2
    assert Tiling.of(_FOUR, _SIDE).count == 4


def _at_once(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Plan, "concurrent_fits", lambda *_: count)


def _run(
    image: NDArray[np.float32], axes: str = "CYX", settings: DenoiseSettings = FAST
) -> DenoiseResult:
    return denoise(image, axes, settings=settings)


@pytest.mark.parametrize(
    "settings",
    [FAST, PAPER, replace(FAST, strength=0.5)],
    ids=["fast", "paper", "half"],
)
def test_channels_at_once_are_as_they_are_one_by_one(
    monkeypatch: pytest.MonkeyPatch, settings: DenoiseSettings
) -> None:
    image = _channels()
    image[1] = 7.0  # without noise: denoised at once
    _at_once(1, monkeypatch)
    alone = _run(image, settings=settings)
    for count in (2, 3):
        _at_once(count, monkeypatch)
        found = _run(image, settings=settings)
        assert found.image.tobytes() == alone.image.tobytes()
        assert found.report.files[0].planes == alone.report.files[0].planes
        for one, other in ((found, alone), (alone, found)):
            assert (one.uncertainty is None) == (other.uncertainty is None)
        if found.uncertainty is not None and alone.uncertainty is not None:
            assert found.uncertainty.tobytes() == alone.uncertainty.tobytes()


def test_tiles_at_once_are_as_they_are_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    image = _channels(2, _TWO)
    _in_small_tiles(monkeypatch)
    images = []
    for count in (1, 3):  # three: the last of a plane with the first of the next
        _at_once(count, monkeypatch)
        images.append(_run(image, settings=PAPER).image)
    assert images[0].tobytes() == images[1].tobytes()


def test_planes_of_several_series_go_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[dict[str, int]]] = []
    fitted = module.fit_independently

    def noting(tiles: Any, *others: Any, **named: Any) -> Any:
        asked.append([one.plane.index for one in tiles])
        return fitted(tiles, *others, **named)

    monkeypatch.setattr(plane_strategies, "fit_independently", noting)
    _at_once(3, monkeypatch)
    _run(_channels(4).reshape(2, 2, 40, 40), "TCYX")
    order = [{"T": t, "C": c} for c in range(2) for t in range(2)]
    assert asked == [order[:3], order[3:]]


def test_unrelated_planes_of_a_stack_go_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []
    fitted = module.fit_independently

    def noting(tiles: Any, *others: Any, **named: Any) -> Any:
        asked.append(len(tiles))
        return fitted(tiles, *others, **named)

    monkeypatch.setattr(plane_strategies, "fit_independently", noting)
    _at_once(2, monkeypatch)
    planes = [
        np.roll(plane, 13 * k, 0)[:: 1 - 2 * (k % 2)]
        for k, plane in enumerate(_channels(4))
    ]
    random = np.random.default_rng(5)
    planes = [random.permutation(plane.ravel()).reshape(40, 40) for plane in planes]
    found = _run(np.stack(planes), "ZYX")
    assert asked == [2, 2]
    assert not any(plane.shared for plane in found.report.files[0].planes)


@pytest.mark.parametrize("settings", [FAST, PAPER], ids=["fast", "paper"])
def test_progress_rises_to_one_while_some_are_at_work(
    monkeypatch: pytest.MonkeyPatch, settings: DenoiseSettings
) -> None:
    _at_once(2, monkeypatch)
    steps = list(denoise_steps(_channels(5), "CYX", settings))
    progress = [step.progress for step in steps]
    assert progress == pytest.approx(sorted(progress))
    assert progress[-1] == 1.0
    finished = [step.plane.index["C"] for step in steps if step.fit is None]
    assert sorted(finished) == list(range(5))
    counted = [step.plane_number for step in steps if step.fit is None]
    assert counted == list(range(5))


def _replayed(actual: Any, count_of: Callable[[NoisyPlane], int]) -> Any:
    """Return a stand-in for `steps_in_white_noise` with so many steps for a plane."""

    def replayed(problem: Any, settings: Any, device: Any, **others: Any) -> Any:
        run = GeneratorResult(actual(problem, settings, device, **others))
        steps = list(run)
        length = count_of(problem)
        for number in range(length):
            yield replace(steps[0], progress=number / length)
        return run.result

    return replayed


def _in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a GPU, where the order of the steps is known."""
    monkeypatch.setattr(
        module,
        "fit_concurrently",
        lambda fits, device: at_once._in_turns(fits, [nullcontext] * len(fits), device),
    )


def _bright(count: int) -> NDArray[np.float32]:
    """Return planes around 150, 250 and so on."""
    return (
        _channels(count) + 50 + 100 * np.arange(count, dtype=np.float32)[:, None, None]
    )


def test_who_is_done_before_the_first_is_kept_by_a_stop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _in_turns(monkeypatch)
    _at_once(3, monkeypatch)
    lengths = {1: 9, 2: 3, 3: 6}
    replayed = _replayed(
        module.steps_in_white_noise,
        lambda one: lengths[int(one.plane_yxs.mean() // 100)],
    )
    monkeypatch.setattr(module, "steps_in_white_noise", replayed)
    image = _bright(3)
    seen: list[DenoiseStep] = []
    steps = denoise_steps(image, "CYX", FAST)
    for step in steps:
        seen.append(step)
        if step.fit is None:
            break
    assert {one.plane.index["C"] for one in seen[:-1]} == {0}
    assert seen[-1].plane.index["C"] == 1
    following = next(steps)
    assert following.plane.index["C"] == 0
    kept = following.stopped()
    steps.close()
    records = kept.report.files[0].planes
    assert [(one.index["C"], one.reason == "stopped") for one in records] == [
        (0, True),
        (1, False),
    ]
    assert np.array_equal(kept.image[2], image[2])
    whole = denoise(image, "CYX", settings=FAST, resume=kept).image
    assert np.array_equal(whole[1], kept.image[1])


def test_tiles_of_a_plane_are_drawn_in_their_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _in_turns(monkeypatch)
    _at_once(4, monkeypatch)
    _in_small_tiles(monkeypatch)
    lengths = iter((9, 3, 6, 1))
    replayed = _replayed(module.steps_in_white_noise, lambda _: next(lengths))
    monkeypatch.setattr(module, "steps_in_white_noise", replayed)
    image = _channels(1, _FOUR)[0] + 50
    steps = list(denoise_steps(image, "YX", PAPER))
    drawn = [step.tile_number for step in steps if step.fit is None]
    assert drawn == [0, 1, 2, 3]
    progress = [step.progress for step in steps]
    assert progress == pytest.approx(sorted(progress))


def test_one_by_one_once_memory_ran_out(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    failed: list[MemoryError] = []
    fitted, steps_of = module.fit_independently, module.steps_in_white_noise

    def noting(tiles: Any, *others: Any, **named: Any) -> Any:
        asked.append(len(tiles))
        return fitted(tiles, *others, **named)

    def short(*of: Any, **named: Any) -> Any:
        if not failed:
            failed.append(MemoryError("no more"))
            raise failed[0]
        return steps_of(*of, **named)

    monkeypatch.setattr(plane_strategies, "fit_independently", noting)
    monkeypatch.setattr(module, "steps_in_white_noise", short)
    _at_once(3, monkeypatch)
    (file,) = _run(_channels(3)).report.files
    assert asked[0] == 3
    assert set(asked[1:]) == {1}
    assert [plane.index["C"] for plane in file.planes] == [0, 1, 2]
    told = "Memory ran out (cpu): the run continued with one plane or tile at a time."
    assert file.notes == (told,)


def test_who_is_done_is_kept_where_another_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _at_once(2, monkeypatch)
    over, real, failed = threading.Event(), module.steps_in_white_noise, []
    image = _bright(3)

    def steps(problem: Any, *others: Any, **named: Any) -> Any:
        first = problem.plane_yxs.mean() < 200
        if first and not failed:
            over.wait(60)
            time.sleep(0.3)  # the other is noted by then
            failed.append(1)
            raise MemoryError("no more")
        asked.append(int(problem.plane_yxs.mean() // 100))
        found = yield from real(problem, *others, **named)
        over.set()
        return found

    asked: list[int] = []
    monkeypatch.setattr(module, "steps_in_white_noise", steps)
    result = _run(image)
    assert asked == [2, 1, 3]
    assert [one.index["C"] for one in result.report.files[0].planes] == [0, 1, 2]
    monkeypatch.setattr(module, "steps_in_white_noise", real)
    assert np.array_equal(result.image, _run(image).image)


def test_tiles_of_two_planes_are_not_mixed(monkeypatch: pytest.MonkeyPatch) -> None:
    _in_small_tiles(monkeypatch)
    image = _channels(3, _TWO) + np.array([50, 150, 250], np.float32)[:, None, None]
    _at_once(1, monkeypatch)
    alone = _run(image, settings=PAPER)
    _in_turns(monkeypatch)
    _at_once(3, monkeypatch)  # the last tile of a plane, and two of the next
    lengths = {1: 1, 2: 9, 3: 1}
    replayed = _replayed(
        module.steps_in_white_noise,
        lambda one: lengths[int(one.plane_yxs.mean() // 100)],
    )
    monkeypatch.setattr(module, "steps_in_white_noise", replayed)
    found = _run(image, settings=PAPER)
    assert found.image.tobytes() == alone.image.tobytes()
    assert found.report.files[0].planes == alone.report.files[0].planes


def test_what_was_read_before_a_damaged_plane_is_denoised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _at_once(3, monkeypatch)
    read = ImageSource.read

    def damaged(source: Any, plane: Any, window: Any) -> Any:
        if plane.index["C"] == 2:
            raise OSError("damaged")
        return read(source, plane, window)

    monkeypatch.setattr(ImageSource, "read", damaged)
    finished = []
    steps = (len(step.finished) for step in denoise_steps(_channels(3), "CYX", FAST))
    with pytest.raises(OSError, match="damaged"):
        finished.extend(steps)
    assert finished[-1] == 2


def test_tiles_that_differ_in_noise_share_no_networks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _in_small_tiles(monkeypatch)
    clean = np.full(_TWO, 100.0)
    noise = np.random.default_rng(1).standard_normal(_TWO)
    column = np.indices(_TWO)[1]
    for levels, count in ((np.where(column < 44, 16.0, 2.0), 2), (8.0, 0)):
        found = _run((clean + levels * noise).astype(np.float32), "YX")
        (plane,) = found.report.files[0].planes
        assert len(plane.noise.levels) == count
        assert ("mixed_levels" in plane.quality.warnings) == (count > 0)
        error = np.abs(found.image - clean)
        assert error[:, 54:].mean() < 3
