"""What the widget hands over: a slice, every plane, or the volume as one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtWidgets import QFileDialog

from napari_inr_denoise import DenoiseSettings
from napari_inr_denoise.plugin.controls.file_dialogs import save_settings
from napari_inr_denoise.plugin.layers.metadata_keys import REPORT_KEY
from napari_inr_denoise.plugin.layers.source.scope import SCOPES, STACK, VOLUME
from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from tests.conftest import wait_until

pytestmark = pytest.mark.window


def _offered(widget: InrDenoiseWidget) -> list[bool]:
    return [widget.scope.button(scope).isEnabled() for scope in SCOPES]


def test_the_volume_as_one(viewer: Any, widget: InrDenoiseWidget) -> None:
    source = viewer.layers[0]
    source.data = source.data[:4, :32, :32]
    widget.scope.value = VOLUME
    assert widget.preset.isEnabled()
    widget.run()
    wait_until(lambda: not widget.running)
    result = viewer.layers[-1]
    assert result.data.shape == (4, 32, 32)
    report = result.metadata[REPORT_KEY]
    assert report["settings"]["mode"] == "volume"
    assert [plane["index"] for plane in report["files"][0]["planes"]] == [{}]
    np.testing.assert_allclose(result.scale, source.scale)
    assert report["settings"]["preset"] == widget.settings.preset
    assert widget.status_label.value.endswith(".")


def test_the_volume_is_offered_where_there_is_one(
    viewer: Any, widget: InrDenoiseWidget
) -> None:
    assert _offered(widget) == [True, True, True]
    viewer.add_image(np.ones((4, 24, 24)), axis_labels=("t", "y", "x"), name="movie")
    assert _offered(widget) == [True, True, False]
    widget.scope.value = VOLUME
    widget.run()
    assert not widget.running
    assert "wanted at least two planes along Z" in widget.status_label.value
    widget.run_bar.say("")
    widget.layer.value.data = widget.layer.value.data + 1
    wait_until(lambda: "two planes along Z" in widget.status_label.value)
    viewer.layers["movie"].axis_labels = ("z", "y", "x")
    assert _offered(widget) == [True, True, True]


def test_lazy_data_are_read_plane_by_plane(
    viewer: Any, widget: InrDenoiseWidget
) -> None:
    import dask.array as da

    noisy = viewer.layers[0].data[:3, :32, :32]
    lazy = da.from_array(noisy, chunks=(1, 32, 32))
    widget.layer.value = viewer.add_image(lazy, name="lazy")
    widget.scope.value = STACK
    widget.run()
    wait_until(lambda: not widget.running)
    of_lazy = viewer.layers[-1].data
    widget.layer.value = viewer.add_image(noisy, name="in memory")
    widget.run()
    wait_until(lambda: not widget.running)
    np.testing.assert_array_equal(of_lazy, viewer.layers[-1].data)


def test_settings_are_saved_for_the_command_line(
    widget: InrDenoiseWidget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = (str(tmp_path / "mine"), "")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: chosen)
    widget.seed.value = 7
    widget.scope.value = VOLUME
    widget.menu.ask_and_save()
    path = tmp_path / "mine.json"
    assert str(path) in widget.status_label.value
    saved = DenoiseSettings.from_dict(json.loads(path.read_text()))
    assert saved == widget.settings
    assert (saved.seed, saved.mode) == (7, "volume")
    assert list(tmp_path.iterdir()) == [path]


def test_settings_that_cannot_be_saved_are_said(
    widget: InrDenoiseWidget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = [str(tmp_path / "missing" / "mine.json")]
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (chosen[0], ""))
    widget.menu.ask_and_save()
    assert "could not be saved" in widget.status_label.value
    chosen[0] = ""
    widget.run_bar.say("as before")
    widget.menu.ask_and_save()
    assert widget.status_label.value == "as before"


def test_saved_settings_are_loaded(
    widget: InrDenoiseWidget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = [""]
    monkeypatch.setattr(
        QFileDialog, "getOpenFileName", lambda *_: (chosen[0], "a filter")
    )
    widget.run_bar.say("as before")
    widget.menu.ask_and_load()  # and no file is chosen
    assert widget.status_label.value == "as before"
    path = tmp_path / "mine.json"
    wanted = replace(widget.settings, learning_rate=0.003, seed=9, mode="volume")
    save_settings(wanted, path)
    chosen[0] = str(path)
    widget.menu.ask_and_load()
    assert widget.preset.value == "mine.json"
    assert widget.settings == wanted
    assert str(path) in widget.status_label.value
    path.write_text('{"learning_rate": -1}')
    widget.menu.ask_and_load()
    assert "could not be loaded" in widget.status_label.value
    assert widget.settings == wanted
    widget.preset.value = "fast"
    assert widget.settings.siren.learning_rate != 0.003
