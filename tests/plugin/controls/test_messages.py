from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_inr_denoise import DenoiseSettings
from napari_inr_denoise.core.denoise import denoise_steps
from napari_inr_denoise.core.settings import preset_settings
from napari_inr_denoise.plugin.controls import messages


def test_a_run_in_words(tiny: DenoiseSettings, rng: np.random.Generator) -> None:
    stack = rng.normal(100, 10, (2, 24, 24)) + 80 * np.sin(np.arange(24))
    steps = denoise_steps(stack, settings=tiny)
    first = next(steps)
    later = next(steps)
    assert messages.noise_message(first.problem).startswith("level ")
    assert "x the noise level" in messages.residual_message(later)
    assert messages.step_message(later).startswith("plane 1 of 2, 10 (")
    stopped = messages.ending_message(later.stopped(), 2)
    assert stopped.startswith("Stopped by the user: 0 of 2 planes are finished")
    assert messages.ending_message(later.stopped(), 1).startswith(
        "Stopped by the user;"
    )


def test_a_finished_stack_in_words(tiny: DenoiseSettings) -> None:
    steps = denoise_steps(np.zeros((2, 24, 24)), settings=tiny)
    last = list(steps)[-1]
    text = messages.ending_message(last.stopped(), 2)
    assert text == "All 2 planes: No noise was found; the image is returned as it was."
    assert messages.residual_message(last) == "0"
    assert messages.step_message(last) == "plane 2 of 2, 0"


def test_a_stack_that_is_learned_together_in_words(rng: np.random.Generator) -> None:
    settings = preset_settings("fast", window_steps=30, window_width=8, device="cpu")
    wave = 80 * np.sin(np.arange(32) / 4) * np.cos(np.arange(32) / 5)[:, None]
    steps = list(denoise_steps(rng.normal(100, 5, (3, 32, 32)) + wave, None, settings))
    assert messages.step_message(steps[0]).startswith("learning from all 3 planes, 0 (")
    assert messages.step_message(steps[-1]) == "plane 3 of 3, 60"


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
    told = messages.intensity_message(
        replace(plane, mean_before=1e5, mean_after=99.94321)
    )
    assert told == "Mean intensity 1e+05 before, 99.943 after."
    assert messages.ending_message(result, 1).endswith(
        messages.intensity_message(plane)
    )
    assert messages.intensity_message(replace(plane, mean_before=None)) == ""
