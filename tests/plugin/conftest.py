"""Quick presets, and the widget docked in a real window."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from napari.qt.threading import WorkerBase

from napari_inr_denoise import DenoiseSettings
from napari_inr_denoise.core import settings as settings_module
from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from tests.conftest import wait_until

try:
    from napari._app_model import get_app_model
except ImportError:  # its name in napari 0.5.3 and 0.5.4
    from napari._app_model import get_app as get_app_model

PLUGIN = "napari-inr-denoise"


def napari_app() -> Any:
    """What holds napari's menus and commands."""
    return get_app_model()


@pytest.fixture(autouse=True)
def _tiny_presets(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tiny: DenoiseSettings,
) -> None:
    """Make every preset quick where there is a window: that is what is tested."""
    if request.node.get_closest_marker("window"):
        for name in settings_module.PRESETS:
            monkeypatch.setitem(settings_module.PRESETS, name, tiny)


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch, tiny: DenoiseSettings) -> None:
    """Make fits go on until they are stopped."""
    long = replace(tiny, max_steps=10**6, learning_rate=1e-8)
    for name in settings_module.PRESETS:
        monkeypatch.setitem(settings_module.PRESETS, name, long)


@pytest.fixture
def widget(viewer: Any) -> Iterator[InrDenoiseWidget]:
    """The widget, docked by its plugin in a viewer with a sample."""
    viewer.open_sample(PLUGIN, "stack")
    _, made = viewer.window.add_plugin_dock_widget(PLUGIN, "INR Denoise")
    wait_until(lambda: len(made.device.choices) > 1)
    yield made
    made.stop()
    wait_until(lambda: not WorkerBase._worker_set)
