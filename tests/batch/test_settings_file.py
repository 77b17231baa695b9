from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from napari_inr_denoise import DenoiseSettings
from napari_inr_denoise.batch.settings_file import read_settings
from napari_inr_denoise.core.settings import preset_settings


@pytest.mark.parametrize("preset", ["auto", "fast", "best", "paper", None])
@pytest.mark.parametrize(
    "change", [{}, {"neighbourhood": {"steps": 7}}, {"window_steps": 7}]
)
def test_missing_settings_are_those_of_the_preset(
    tmp_path: Path, preset: str | None, change: dict[str, Any]
) -> None:
    named = {} if preset is None else {"preset": preset}
    (tmp_path / "a.json").write_text(json.dumps({**named, **change, "context": 0}))
    flat = {"window_steps": 7} if change else {}
    wanted = preset_settings(preset or "paper", context=0, seed=4, **flat)
    assert read_settings(tmp_path / "a.json", {"seed": 4}) == wanted


def test_a_whole_file_gives_what_was_saved(tmp_path: Path) -> None:
    saved = DenoiseSettings(preset="best", window_steps=3, ridge_rounds=1)
    (tmp_path / "a.json").write_text(json.dumps(saved.to_dict()))
    assert read_settings(tmp_path / "a.json", {}) == saved
