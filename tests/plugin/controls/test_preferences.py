"""The page in napari's Preferences, and what the widgets take from it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import napari.settings
import pytest
from npe2 import PluginManifest

from napari_inr_denoise.core.settings import PRESETS, DenoiseSettings
from napari_inr_denoise.plugin.commands import shown_widget
from napari_inr_denoise.plugin.controls import preferences
from napari_inr_denoise.plugin.controls.preferences import PLUGIN, preferred_settings
from tests.conftest import wait_until

BUILT_IN = DenoiseSettings(preset="auto")
get_plugin_settings = getattr(napari.settings, "get_plugin_settings", None)
has_page = pytest.mark.skipif(
    get_plugin_settings is None,
    reason="napari before 0.9 has no page for plugins in its Preferences",
)


def _store(monkeypatch: pytest.MonkeyPatch, **stored: Any) -> None:
    monkeypatch.setattr(preferences, "_stored", lambda: stored)


def test_without_a_page_they_are_built_in(monkeypatch: pytest.MonkeyPatch) -> None:
    _store(monkeypatch)
    assert preferred_settings() == BUILT_IN


def test_what_is_stored_is_preferred(monkeypatch: pytest.MonkeyPatch) -> None:
    _store(monkeypatch, preset="fast", device="cpu", seed=7, memory_gb=4)
    assert preferred_settings() == DenoiseSettings(
        preset="fast", device="cpu", seed=7, memory_gb=4
    )


@pytest.mark.parametrize(
    "bad",
    [
        {"preset": "finest"},
        {"preset": None},
        {"preset": ["fast"]},
        {"device": "abacus"},
        {"seed": -1},
        {"seed": "7"},
        {"seed": 2**31},
        {"seed": 1.5},
        {"memory_gb": 0},
        {"memory_gb": float("nan")},
        {"memory_gb": "much"},
        {"width": 7},
    ],
)
def test_what_cannot_be_used_is_passed_over_and_the_rest_holds(
    monkeypatch: pytest.MonkeyPatch, bad: dict[str, Any]
) -> None:
    good = {"preset": "fast", "device": "cpu", "seed": 7, "memory_gb": 4.0}
    _store(monkeypatch, **(good | bad))
    preferred = preferred_settings()
    for name, value in good.items():
        expected = getattr(BUILT_IN, name) if name in bad else value
        assert getattr(preferred, name) == expected
    assert preferred.siren == BUILT_IN.siren


def test_the_page_offers_what_there_is() -> None:
    page = PluginManifest.from_distribution(PLUGIN).contributions.configurations
    entries = page["defaults"].properties
    assert {name: entry.default for name, entry in entries.items()} == {
        name: getattr(BUILT_IN, name) for name in preferences._NAMES
    }
    assert entries["preset"].enum == list(PRESETS)
    assert tuple(entries["device"].enum) == preferences.DEVICES
    assert entries["seed"].maximum == preferences.MAXIMUM_SEED
    bounds = DenoiseSettings.__dataclass_fields__["memory_gb"].metadata
    assert entries["memory_gb"].minimum == bounds["minimum"]
    assert entries["memory_gb"].maximum == bounds["maximum"]


@has_page
@pytest.mark.parametrize(
    ("text", "preset"),
    [
        ("defaults: {preset: fast, seed: 3}", "fast"),
        ("defaults: {preset: finest, seed: minus, memory_gb: -1}", "auto"),
        ("defaults: 3", "auto"),
        ("][", "auto"),
        ("", "auto"),
    ],
)
def test_a_stored_file_never_breaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, preset: str
) -> None:
    (tmp_path / f"{PLUGIN}.yaml").write_text(text)
    # As if napari were started with this folder.
    monkeypatch.setattr(napari.settings, "_CFG_PATH", str(tmp_path / "settings.yaml"))
    monkeypatch.setattr(napari.settings, "_PLUGIN_SETTINGS", {})
    assert preferred_settings().preset == preset


@has_page
@pytest.mark.window
def test_the_widget_starts_with_what_is_entered_in_the_page(viewer: Any) -> None:
    page = get_plugin_settings(PLUGIN).defaults
    try:
        page.update({"preset": "fast", "device": "cpu", "seed": 7, "memory_gb": 4})
        widget = shown_widget(viewer)
        assert widget.device.value == "cpu"  # also before the devices are known
        wait_until(lambda: len(widget.device.choices) > 1)
        settings = widget.settings
    finally:
        page.reset()
    assert widget.preset.value == "fast"
    assert (settings.seed, settings.device, settings.memory_gb) == (7, "cpu", 4)
    assert widget.settings.memory_gb == BUILT_IN.memory_gb


@pytest.mark.window
def test_a_device_that_is_not_there_gives_way(
    viewer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _store(monkeypatch, preset="fast", device="mps" if sys.platform != "darwin" else "")
    _, panel = viewer.window.add_plugin_dock_widget(PLUGIN, "INR Denoise")
    folder = panel.folder
    wait_until(lambda: len(folder.device.choices) > 1)
    assert folder.device.value == "auto"
    assert folder.preset.value == "fast"


@pytest.mark.window
def test_the_first_of_several_cards_is_the_preferred(viewer: Any) -> None:
    _, panel = viewer.window.add_plugin_dock_widget(PLUGIN, "INR Denoise")
    choice = panel.folder.device
    wait_until(lambda: len(choice.choices) > 1)
    choice._devices = [("auto", "auto"), ("one", "cuda:0"), ("two", "cuda:1")]
    choice.reset_choices()
    choice.prefer("cuda")
    assert choice.value == "cuda:0"
    choice.prefer("cuda:1")
    assert choice.value == "cuda:1"
    choice.prefer("cud")
    assert choice.value == "cuda:1"
