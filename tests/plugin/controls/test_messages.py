from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from napari_inr_denoise import DenoiseSettings
from napari_inr_denoise.core.denoise import denoise_steps
from napari_inr_denoise.core.report.report import (
    DenoiseReport,
    FileReport,
    PlaneReport,
)
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.settings import preset_settings
from napari_inr_denoise.plugin.controls import messages
from tests.batch.example_report import PLANE


def test_a_run_in_words(tiny: DenoiseSettings, rng: np.random.Generator) -> None:
    stack = rng.normal(100, 10, (2, 24, 24)) + 80 * np.sin(np.arange(24))
    steps = denoise_steps(stack, settings=tiny)
    first = next(steps)
    later = next(steps)
    assert messages.noise_message(first.problem).startswith("sigma ")
    assert messages.residual_ratio(later) > 0
    assert (
        messages.phase_message(later) == "Plane 1 of 2: training, step 10 of at most 40"
    )
    stopped = messages.ending_message(later.stopped(), 2)
    assert stopped.startswith("Stopped: 0 of 2 planes finished")
    assert messages.ending_message(later.stopped(), 1).startswith("Stopped: ")


def test_a_finished_stack_in_words(tiny: DenoiseSettings) -> None:
    steps = denoise_steps(np.zeros((2, 24, 24)), settings=tiny)
    last = list(steps)[-1]
    text = messages.ending_message(last.stopped(), 2)
    assert text == "All 2 planes: No noise found: the image is unchanged."
    assert math.isnan(messages.residual_ratio(last))
    chips = messages.result_chips(last.stopped().report, 2)
    assert [chip.shown for chip in chips if chip.kind == "warning"] == [
        "\u26a0 No noise"
    ]


def test_a_stack_that_is_learned_together_in_words(rng: np.random.Generator) -> None:
    settings = preset_settings("fast", window_steps=30, window_width=8, device="cpu")
    wave = 80 * np.sin(np.arange(32) / 4) * np.cos(np.arange(32) / 5)[:, None]
    steps = list(denoise_steps(rng.normal(100, 5, (3, 32, 32)) + wave, None, settings))
    assert messages.phase_message(steps[0]) == "Training on 3 planes, step 0"
    (trained, *_) = (one for one in steps if one.fit is not None and one.fit.step)
    told = messages.phase_message(trained, still=True)
    assert told == "Predicting and filtering..."
    assert messages.phase_message(steps[-1]) == "Combining and filtering..."


def test_errors_in_words() -> None:
    memory = messages.error_message(RuntimeError("CUDA out of memory. Tried\nmore"))
    assert memory.startswith("Out of memory: CUDA out of memory. Tried Choose the CPU")
    assert messages.error_message(MemoryError()).startswith("Out of memory")
    assert messages.error_message(KeyError("a")) == "Failed: 'a'"


def test_a_single_plane_says_whether_it_is_as_bright_as_before(
    rng: np.random.Generator, tiny: DenoiseSettings
) -> None:
    steps = denoise_steps(rng.normal(100, 5, (24, 24)), None, tiny)
    result = list(steps)[-1].stopped()
    (plane,) = result.report.files[0].planes
    told = messages.mean_message(replace(plane, mean_before=1e3, mean_after=1001.0))
    assert told == "Mean 1000 \u2192 1001 (+0.1 %)"
    assert messages.mean_message(replace(plane, mean_before=None)) == ""
    hardly = messages.mean_message(replace(plane, mean_before=1e3, mean_after=999.9))
    assert hardly.endswith(" (+0.0 %)")
    chips = messages.result_chips(result.report, 1)
    assert messages.mean_message(plane) in [chip.tip for chip in chips]


def test_a_result_that_was_stopped_says_so_first(
    rng: np.random.Generator, tiny: DenoiseSettings
) -> None:
    steps = denoise_steps(rng.normal(100, 5, (3, 24, 24)), None, tiny)
    result = next(steps).stopped()
    assert messages.is_partial(result.report, 3)
    first = messages.result_chips(result.report, 3)[0]
    assert first.kind == "warning"
    # The message and the chip give the same number.
    assert first.text == "Stopped early: 0 of 3 planes"
    assert messages.ending_message(result, 3).startswith("Stopped: 0 of 3 planes")


def test_a_training_that_converged_is_no_warning(tiny: DenoiseSettings) -> None:
    noisy = np.random.default_rng(0).normal(9, 1, (2, 24, 24))
    result = list(denoise_steps(noisy, settings=tiny))[-1].stopped()
    (file,) = result.report.files
    reasons = StopReason.HELD_OUT_FLAT, StopReason.TRAINED
    planes = tuple(
        replace(plane, reason=reason.value)
        for plane, reason in zip(file.planes, reasons, strict=True)
    )
    report = replace(result.report, files=(replace(file, planes=planes),))
    words = {reason.label.capitalize() for reason in reasons}
    assert not words & {chip.text for chip in messages.result_chips(report, 2)}
    done = replace(result, report=report)
    assert messages.ending_message(done, 2) == "2 planes finished."


def test_the_time_tells_where_the_published_stop_rule_differs() -> None:
    def time_tip(*planes: PlaneReport) -> str:
        file = FileReport("a.tif", seconds=3.0, planes=planes)
        report = DenoiseReport("1.0", DenoiseSettings(), (file,))
        chips = messages.result_chips(report, len(planes))
        (tip,) = (chip.tip for chip in chips if chip.tip.startswith("Time"))
        return tip

    agreeing = replace(PLANE, steps=200, noise_level_step=190, stop_rules="agree")
    earlier = replace(agreeing, noise_level_step=35, stop_rules="published_earlier")
    later = replace(agreeing, noise_level_step=None, stop_rules="published_later")
    assert "published" not in time_tip(agreeing)
    assert f"the quality {DenoiseSettings().preset.capitalize()}." in time_tip(agreeing)
    assert "after 35 of 200 steps" in time_tip(earlier)
    assert "would have gone on" in time_tip(later)
    told = time_tip(agreeing, earlier, earlier, later)
    assert "2 of 4 planes: The published stop rule would have ended" in told
    assert "1 of 4 planes: The published stop rule would have gone on" in told
    assert "after 35 of 200 steps" in "\n".join(messages.plane_lines(earlier))


def test_the_name_of_a_composite_says_once_what_its_channels_share() -> None:
    def name(*names: str) -> str:
        channels: Any = [
            SimpleNamespace(layer=SimpleNamespace(name=f"{one} [denoised]"))
            for one in names
        ]
        return messages.composite_name(channels)

    assert name("nuclei", "actin") == "nuclei + actin"
    assert name("a b channel 0", "a b channel 1") == "a b channel 0 + 1"
    assert name("cells", "cells red") == "cells + cells red"
    assert name("cells", "cells") == "cells + cells"
