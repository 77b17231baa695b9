"""Channels of a composite become a composite of results."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from tests.conftest import process_events, wait_until

pytestmark = pytest.mark.window


@pytest.fixture
def channels(viewer: Any, widget: InrDenoiseWidget) -> list[Any]:
    """Two channels that add up, the second one selected."""
    assert widget.layer.value is not None
    viewer.layers.clear()
    noisy = np.random.default_rng(0).poisson(50, (2, 32, 32)).astype(np.float32)
    return [
        viewer.add_image(plane, name=name, colormap=name, blending="additive")
        for plane, name in zip(noisy, ("cyan", "magenta"), strict=True)
    ]


def test_all_channels_are_denoised_and_the_sources_hidden(
    viewer: Any, widget: InrDenoiseWidget, channels: list[Any]
) -> None:
    assert widget.inputs.channels.isVisibleTo(widget)
    assert widget.run_bar.start_button.text() == "Denoise 2 layers"
    channels[0].contrast_limits = (20, 80)
    widget.run()
    wait_until(lambda: not widget.running)
    for source in channels:
        result = viewer.layers[f"{source.name} [denoised]"]
        assert str(result.blending) == "additive"
        assert result.colormap.name == source.colormap.name
        assert result.contrast_limits == source.contrast_limits
        assert result.visible
        assert not source.visible
    # The other channel goes on to be seen beside a split view.
    widget.results.show.value = "split"
    result = viewer.layers["magenta [denoised]"]
    assert not result.visible
    assert str(widget.after_run.show.layer.blending) == "additive"
    widget.results.show.value = "result"
    process_events(0.3)
    assert result.visible
    viewer.layers.remove(result)
    assert channels[1].visible


def test_one_channel_alone(
    viewer: Any, widget: InrDenoiseWidget, channels: list[Any]
) -> None:
    widget.inputs.channels.setChecked(False)
    assert widget.run_bar.start_button.text() == "Denoise"
    widget.run()
    wait_until(lambda: not widget.running)
    assert len(viewer.layers) == 3
    assert channels[0].visible


@pytest.mark.usefixtures("endless", "channels")
def test_a_source_is_shown_again_if_there_is_no_result(
    viewer: Any, widget: InrDenoiseWidget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "napari_inr_denoise.plugin.widgets.run_controller.show_error", lambda _: None
    )
    viewer.layers[0].data = np.full((32, 32), 1e300)
    widget.inputs.channels.setChecked(False)
    viewer.layers.selection.active = viewer.layers[0]
    widget.run()
    wait_until(lambda: not widget.running)
    assert viewer.layers[0].visible
    assert len(viewer.layers) == 2
