"""Channels of a composite become a composite of results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QFileDialog

from napari_inr_denoise import read_image
from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from tests.conftest import at_work, process_events, wait_until

pytestmark = [pytest.mark.drawn, pytest.mark.window]


@pytest.fixture
def widget(bare_widget: InrDenoiseWidget) -> InrDenoiseWidget:
    """The widget, without the sample that others begin with."""
    return bare_widget


@pytest.fixture
def channels(viewer: Any, widget: InrDenoiseWidget) -> list[Any]:
    """Two channels that add up, the second one selected."""
    assert widget.layer.value is None
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
    # The views take all channels, so that they add up.
    widget.results.show.value = "split"
    for source in channels:
        split = viewer.layers[f"{source.name} [split]"]
        assert str(split.blending) == "additive"
        assert split.colormap.name == source.colormap.name
        assert not viewer.layers[f"{source.name} [denoised]"].visible
    widget.results.show.value = "noisy"
    wait_until(lambda: len(viewer.layers) == 4)
    assert [layer.visible for layer in viewer.layers] == [True, True, False, False]
    widget.results.show.value = "result"
    process_events(0.3)
    assert [layer.visible for layer in viewer.layers] == [False, False, True, True]
    viewer.layers.remove(viewer.layers["magenta [denoised]"])
    assert channels[1].visible


@pytest.mark.usefixtures("endless")
def test_what_would_add_up_with_a_new_result_is_hidden(
    viewer: Any, widget: InrDenoiseWidget, channels: list[Any]
) -> None:
    widget.inputs.channels.setChecked(False)
    for _ in range(2):
        widget.run()
        wait_until(lambda: at_work(widget))
        widget.stop()
        wait_until(lambda: not widget.running)
    shown = [layer.name for layer in viewer.layers if layer.visible]
    assert shown == ["cyan", viewer.layers[-1].name]
    assert len(viewer.layers) == 4
    viewer.layers.selection.active = channels[1]
    widget.inputs.channels.setChecked(True)
    widget.preview()
    wait_until(lambda: at_work(widget))
    widget.stop()
    wait_until(lambda: not widget.running)
    assert widget.results.whole_button.isVisibleTo(widget)
    widget.results.whole_button.click()  # all channels, as is chosen
    assert widget.running
    assert "(1 of 2)" in widget.run_bar.phase_label.value


def test_all_channels_are_saved_in_one_file(
    viewer: Any,
    widget: InrDenoiseWidget,
    channels: list[Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    widget.run()
    wait_until(lambda: not widget.running)
    assert widget.results.note.value.startswith("Channel of cyan + magenta.")
    asked: list[str] = []

    def name(_: object, __: str, proposed: str, *___: object) -> tuple[str, str]:
        asked.append(proposed)
        return str(tmp_path / "both"), "OME-TIFF, 32-bit float (*.ome.tif)"

    monkeypatch.setattr(QFileDialog, "getSaveFileName", name)
    widget.results.save_button.click()
    wait_until(lambda: widget.status_label.value.startswith("Saved "))
    assert asked == ["cyan + magenta [denoised].ome.tif"]
    saved = read_image(tmp_path / "both.ome.tif")
    assert saved.axes == "CYX"
    opened: list[str] = []
    monkeypatch.setattr(
        QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile())
    )
    widget.results.open_button.click()
    widget.results.folder_button.click()
    assert opened == [str(tmp_path / "both.ome.tif"), str(tmp_path)]
    for plane, source in zip(saved.data, channels, strict=True):
        result = viewer.layers[f"{source.name} [denoised]"]
        np.testing.assert_array_equal(plane, result.data)


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
