"""Reports of results that are opened again, also of a channel and of a lost report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_inr_denoise import write_image
from napari_inr_denoise.io.record import ImageRecord
from napari_inr_denoise.plugin.layers.files.provenance import (
    layers_provenance,
    made_by,
    provenance_metadata,
)
from napari_inr_denoise.plugin.layers.metadata_keys import REPORT_KEY, SHOWS_KEY
from napari_inr_denoise.plugin.reader import read_layers


def _file(**changes: Any) -> dict[str, Any]:
    planes = [
        {"index": {"C": c, "Z": z}, "sigma": 10.0 * c + z}
        for c in range(2)
        for z in range(3)
    ]
    file = {"axes": "CZYX", "shape": [2, 3, 4, 5], "output": "out/a.inr.ome.tif"}
    return {**file, "planes": planes, **changes}


def test_a_channel_has_its_own_planes() -> None:
    made = {"identity": {"version": "1", "settings": {"seed": 3}}, "file": _file()}
    report = provenance_metadata(made, 1)[REPORT_KEY]
    assert (report["version"], report["settings"]) == ("1", {"seed": 3})
    (file,) = report["files"]
    assert (file["axes"], file["shape"]) == ("ZYX", [3, 4, 5])
    assert [(p["index"], p["sigma"]) for p in file["planes"]] == [
        ({"Z": 0}, 10.0),
        ({"Z": 1}, 11.0),
        ({"Z": 2}, 12.0),
    ]
    assert provenance_metadata(made)[REPORT_KEY]["files"] == [_file()]


def test_layers_that_became_channels_have_their_own_reports() -> None:
    layers = [{REPORT_KEY: {"version": "1"}}, {SHOWS_KEY: "residual"}, {}]
    made = layers_provenance(layers)
    assert made is not None
    assert [provenance_metadata(made, k) for k in range(4)] == [*layers, {}]
    assert layers_provenance([{}, {}]) is None
    assert layers_provenance([{"other": 1}]) is None


@pytest.mark.parametrize(
    "made",
    [
        {"report": 3},
        {"report": {"files": [{"axes": "CYX", "planes": [3]}]}},
        {"channels": 3},
        {"identity": 3, "file": 3},
        {"file": {}},
        {},
    ],
)
def test_what_is_no_report_is_none(made: dict[str, Any]) -> None:
    assert provenance_metadata(made, 0) == {}


@pytest.fixture
def resaved(tmp_path: Path) -> Path:
    """A result that another program saved again, and the report.json beside it."""
    path = tmp_path / "a.inr.ome.tif"
    write_image(path, ImageRecord(np.zeros((2, 3, 4, 5), np.float32), "CZYX"))
    report = {"version": "1", "settings": {}, "files": [_file(output="out/b"), _file()]}
    path.with_name("report.json").write_text(json.dumps(report))
    return path


def test_a_report_that_was_lost_is_found_beside_the_file(resaved: Path) -> None:
    layers = read_layers(resaved)
    for k, (_, keywords, _) in enumerate(layers):
        metadata = keywords["metadata"]
        (file,) = metadata[REPORT_KEY]["files"]
        assert [plane["sigma"] for plane in file["planes"]] == [
            10.0 * k + z for z in range(3)
        ]
        assert "from report.json beside it" in metadata["notes"][-1]


def test_a_report_of_another_image_is_not_taken(resaved: Path) -> None:
    assert made_by(resaved, (2, 3, 4, 5))
    assert not made_by(resaved, (3, 4, 5))
    resaved.with_name("report.json").write_text("{")
    assert not made_by(resaved, (2, 3, 4, 5))
    assert not made_by(resaved.with_name("c.inr.ome.tif"), (2, 3, 4, 5))
    assert not made_by(resaved.with_name("a.ome.tif"), (2, 3, 4, 5))
