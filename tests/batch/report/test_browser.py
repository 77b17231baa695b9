"""The page in a real browser, where Qt's own is installed (PyQt6-WebEngine)."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_inr_denoise import DenoiseSettings
from napari_inr_denoise.batch.report.page import page
from napari_inr_denoise.batch.report.thumbnails import AxesImage, thumbnails
from napari_inr_denoise.core.report.report import DenoiseReport
from tests.batch.example_report import FILE, PLANE

pytestmark = [
    pytest.mark.window,
    pytest.mark.skipif(
        find_spec("PyQt6") is None or find_spec("PyQt6.QtWebEngineWidgets") is None,
        reason="PyQt6-WebEngine is not installed",
    ),
]
SCRIPT = Path(__file__).with_name("browser.py")


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """A page on three files with pictures."""
    noisy = np.random.default_rng(0).normal(100, 10, (96, 96))
    shown = AxesImage(noisy, "YX"), AxesImage(noisy * 0 + 100, "YX")
    files = [
        replace(
            FILE,
            source=f"in/{name}.tif",
            planes=(replace(PLANE, quality=replace(PLANE.quality, held_out_error=e)),),
        )
        for name, e in (("middle", 2.0), ("large", 10.0), ("small", 1.0))
    ]
    pictures = [thumbnails(*shown, file) for file in files]
    path = tmp_path / "report.html"
    whole = DenoiseReport("1.0", DenoiseSettings(), tuple(files))
    path.write_text(page(whole, pictures, tmp_path), encoding="utf-8")
    return path


def _seen(path: Path, width: int) -> dict[str, Any]:
    command = [sys.executable, str(SCRIPT), str(path), str(width)]
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=True
    )
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def test_a_table_is_sorted_by_its_numbers(report: Path) -> None:
    found = _seen(report, 1300)
    assert found["before"] == ["middle.tif", "large.tif", "small.tif"]
    assert found["ascending"] == ["small.tif", "middle.tif", "large.tif"]
    assert found["descending"] == ["large.tif", "middle.tif", "small.tif"]
    assert found["cards"] == "table-row"
    assert found["wide"] <= 1300


def test_it_can_be_read_on_a_phone(report: Path) -> None:
    found = _seen(report, 390)
    assert found["wide"] <= 390
    assert found["cards"] == "grid"
