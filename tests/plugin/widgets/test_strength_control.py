"""The slider between less and more denoising, and the array behind it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_inr_denoise.core.ensemble.strength import image_at_strength
from napari_inr_denoise.plugin.controls.file_dialogs import save_settings
from napari_inr_denoise.plugin.layers.metadata_keys import REPORT_KEY
from napari_inr_denoise.plugin.layers.source.scope import SLICE, STACK
from napari_inr_denoise.plugin.results.at_strength import AtStrength
from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from tests.conftest import process_events, wait_until

pytestmark = pytest.mark.window


def _run(widget: InrDenoiseWidget, scope: str = STACK) -> None:
    widget.scope.value = scope
    widget.run()
    wait_until(lambda: not widget.running)


@pytest.fixture
def after_stack(viewer: Any, widget: InrDenoiseWidget) -> InrDenoiseWidget:
    """The widget after a run over a short stack."""
    viewer.layers[0].data = viewer.layers[0].data[:3, :32, :30]
    _run(widget)
    return widget


def _move(widget: InrDenoiseWidget, strength: float) -> None:
    widget.strength.value = strength
    process_events(0.2)


def _expected(widget: InrDenoiseWidget, strength: float) -> np.ndarray:
    finished = widget.after_run.offered
    assert finished is not None
    source, result = finished.source, finished.result
    return image_at_strength(
        source.image(), result.image, result.uncertainty, source.axes, strength
    )


def test_the_layer_follows_the_slider(
    viewer: Any, after_stack: InrDenoiseWidget
) -> None:
    layer = viewer.layers["noisy stack [denoised]"]
    fitted, limits = layer.data, list(layer.contrast_limits)
    assert not after_stack.results.keep_button.isVisibleTo(after_stack)
    for strength in (-1.0, 0.5):
        _move(after_stack, strength)
        assert isinstance(layer.data, AtStrength)
        assert np.allclose(np.asarray(layer.data), _expected(after_stack, strength))
        assert layer.metadata[REPORT_KEY]["settings"]["strength"] == strength
        assert "set to" in layer.metadata[REPORT_KEY]["files"][0]["notes"][-1]
        assert list(layer.contrast_limits) == limits
        assert after_stack.settings.strength == 0  # the next run is not concerned
    _move(after_stack, 0.0)
    assert layer.data is fitted
    assert layer.metadata[REPORT_KEY]["files"][0]["notes"] == []
    assert not after_stack.results.keep_button.isVisibleTo(after_stack)


def test_any_part_is_that_of_the_whole(after_stack: InrDenoiseWidget) -> None:
    finished = after_stack.after_run.offered
    assert finished is not None
    data = AtStrength(finished.source, finished.result, 0.7)
    whole = np.asarray(data)
    assert (data.shape, data.ndim, data.size) == (whole.shape, 3, whole.size)
    for part in (
        (1,),
        (slice(0, 2), slice(3, 9), 4),
        (..., slice(20, 3, -2)),
        (slice(None), 7, slice(None)),
        (-1, slice(2, 2)),
    ):
        assert np.array_equal(data[part], whole[part])
    with pytest.raises(IndexError):
        data[3]


def test_keep_leaves_a_plain_array(viewer: Any, after_stack: InrDenoiseWidget) -> None:
    layer = viewer.layers["noisy stack [denoised]"]
    _move(after_stack, 0.4)
    after_stack.results.keep_button.click()
    wait_until(lambda: isinstance(layer.data, np.ndarray))
    assert np.allclose(layer.data, _expected(after_stack, 0.4))
    assert "Strength 0.4 applied to all planes" in after_stack.status_label.value
    _move(after_stack, -0.2)  # and can still be changed
    assert np.allclose(np.asarray(layer.data), _expected(after_stack, -0.2))


def test_a_run_is_shown_at_the_strength_of_the_settings(
    viewer: Any, widget: InrDenoiseWidget, tmp_path: Path
) -> None:
    saved = tmp_path / "mine.json"
    save_settings(replace(widget.settings, strength=-1.0), saved)
    widget.load(saved)
    _run(widget, SLICE)
    shown = viewer.layers[-1]
    noisy = viewer.layers[0].data[viewer.dims.current_step[0]]
    assert np.allclose(np.asarray(shown.data)[0], noisy, atol=1e-2)
    assert widget.strength.value == -1
    widget.preset.value = "fast"
    _run(widget, SLICE)  # the last result stays as it was shown
    assert widget.strength.value == 0
    assert np.allclose(np.asarray(shown.data)[0], noisy, atol=1e-2)


def test_colours_stay_whole_numbers(viewer: Any, bare_widget: InrDenoiseWidget) -> None:
    image = np.random.default_rng(0).integers(60, 200, (24, 28, 3)).astype(np.uint8)
    viewer.add_image(image, name="colours", rgb=True)
    _run(bare_widget, SLICE)
    _move(bare_widget, 0.5)
    layer = viewer.layers["colours [denoised]"]
    assert np.asarray(layer.data).dtype == np.uint8
    assert layer.data.shape == image.shape
    _move(bare_widget, -1.0)
    assert np.array_equal(np.asarray(layer.data), image)


def test_a_layer_that_is_gone_is_no_harm(
    viewer: Any, after_stack: InrDenoiseWidget
) -> None:
    viewer.layers.remove("noisy stack [denoised]")
    _move(after_stack, 0.4)
    assert not after_stack.results.keep_button.isVisibleTo(after_stack)
    assert [layer.name for layer in viewer.layers] == ["noisy stack"]


def test_before_and_after_are_compared_at_the_strength_that_is_shown(
    after_stack: InrDenoiseWidget,
) -> None:
    _move(after_stack, 0.6)
    after_stack.results.show.value = "split"
    split = after_stack.after_run.show.layer
    split.data.divide = 0.0
    assert np.allclose(np.asarray(split.data), _expected(after_stack, 0.6))
    _move(after_stack, -0.4)
    split.data.divide = 0.0
    assert np.allclose(np.asarray(split.data), _expected(after_stack, -0.4))
