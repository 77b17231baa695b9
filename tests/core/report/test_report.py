from __future__ import annotations

import json

from napari_inr_denoise.core.report.report import DenoiseReport, FileReport, PlaneReport
from napari_inr_denoise.core.settings import DenoiseSettings


def _file() -> FileReport:
    plane = PlaneReport.from_dict(
        {
            "index": {"Z": 2},
            "sigma": 1.5,
            "levels": [1.0, 2.0],
            "correlated": False,
            "isolated_pixels": 3,
            "residual_rms": 1.4,
            "steps": 60,
            "reason": "trained",
            "mean_before": 10.0,
            "mean_after": 10.1,
            "candidates": {"neighbourhood": 1.0},
            "intensity_bias": ((5.0, 0.1), (9.0, -0.2)),
        }
    )
    return FileReport(
        source="a.tif",
        output="a.inr.ome.tif",
        shape=(3, 8, 8),
        axes="ZYX",
        planes=(plane,),
        notes=("A note.",),
    )


def test_a_file_survives_the_way_through_json() -> None:
    values = json.loads(json.dumps(_file().to_dict()))
    assert FileReport.from_dict(values) == _file()
    failed = FileReport("b.tif", status="failed", error="No such file.")
    values = json.loads(json.dumps(failed.to_dict()))
    assert FileReport.from_dict(values) == failed


def test_a_run_is_its_version_settings_and_files() -> None:
    report = DenoiseReport("1.0", DenoiseSettings(), (_file(),)).to_dict()
    assert list(report) == ["version", "settings", "files"]
    assert report["files"] == [_file().to_dict()]
