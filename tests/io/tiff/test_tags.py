from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_inr_denoise import read_image, write_image
from napari_inr_denoise.io.record import ImageRecord, Quantity
from napari_inr_denoise.io.tiff import tags

STACK = np.arange(3 * 5 * 6, dtype=np.uint16).reshape(3, 5, 6)
PRINTED = {"resolution": (5, 4), "resolutionunit": "INCH"}


def _read(path: Path, metadata: dict[str, Any], **options: Any) -> ImageRecord:
    tifffile.imwrite(
        path, STACK, photometric="minisblack", metadata=metadata, **options
    )
    record = read_image(path)
    write_image(path.with_suffix(".ome.tif"), record)
    found = read_image(path.with_suffix(".ome.tif"))
    assert (found.stated, found.attributes) == (record.stated, record.attributes)
    return record


@pytest.mark.parametrize(
    ("metadata", "sizes"),
    [
        ({"unit": "um", "spacing": 0.5}, {"Z": 0.5, "Y": 0.25, "X": 0.2}),
        ({"unit": "nm", "zunit": "um", "spacing": 2}, {"Z": 2, "Y": 25e-5, "X": 2e-4}),
        (
            {"PhysicalSizeZ": 300, "PhysicalSizeZUnit": "nm", "PhysicalSizeX": 0.1},
            {"Z": 0.3, "X": 0.1},
        ),
        ({"spacing": 0.5}, {}),  # of no unit
        ({"spacing": "wide", "unit": "um"}, {"Y": 0.25, "X": 0.2}),
    ],
)
def test_sizes_among_the_keywords_of_tifffile(
    tmp_path: Path, metadata: dict[str, Any], sizes: dict[str, float]
) -> None:
    record = _read(tmp_path / "a.tif", {"axes": "ZYX", **metadata}, **PRINTED)
    assert record.spacing_um == pytest.approx(sizes)
    printed = any("inches" in note for note in record.notes)
    assert printed == (not {"Y", "X"} <= set(sizes))


@pytest.mark.parametrize(
    "metadata",
    [
        {"finterval": 250, "tunit": "ms"},
        {"TimeIncrement": 250, "TimeIncrementUnit": "ms"},
    ],
)
def test_time_steps_among_the_keywords_of_tifffile(
    tmp_path: Path, metadata: dict[str, Any]
) -> None:
    record = _read(tmp_path / "a.tif", {"axes": "TYX", **metadata})
    assert record.stated["T"] == Quantity(250, "ms")


def test_other_keywords_and_the_text_beside_them_are_kept(tmp_path: Path) -> None:
    own = {"sample": "kidney", "Channel": {"Name": ["a", "b", "c"]}}
    metadata = {"axes": "CYX", **own}
    record = _read(tmp_path / "a.tif", metadata, description="my text")
    assert record.channel_names == ("a", "b", "c")
    assert record.attributes == {
        "TIFF": {"ImageDescription": "my text"},
        "tifffile": own,
    }


def test_an_image_with_white_as_zero_looks_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    plane = STACK[0].astype(np.uint8)
    tifffile.imwrite(path, plane, photometric="miniswhite", metadata=None)
    record = read_image(path)
    np.testing.assert_array_equal(record.data, plane)
    assert "0 is white" in record.notes[0]
    write_image(tmp_path / "b.ome.tif", record)
    (table,) = read_image(tmp_path / "b.ome.tif").luts
    assert (table[0], table[255]) == (255, 0)


@pytest.mark.parametrize("same", [True, False])
def test_texts_of_planes_are_kept_where_they_differ(tmp_path: Path, same: bool) -> None:
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as writer:
        for number, plane in enumerate(STACK):
            writer.write(
                plane,
                photometric="minisblack",
                metadata=None,
                contiguous=False,
                description="scan" if same else f"time {number}",
            )
    record = read_image(path)
    texts = record.attributes["TIFF"]
    assert texts["ImageDescription"] == ("scan" if same else "time 0")
    told = [{}, {"ImageDescription": "time 1"}, {"ImageDescription": "time 2"}]
    assert texts.get("planes") == (None if same else told)
    write_image(tmp_path / "b.ome.tif", record)
    assert read_image(tmp_path / "b.ome.tif").attributes == record.attributes


def test_too_many_texts_of_planes_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tags, "_MAX_CHARACTERS", 20)
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as writer:
        for number, plane in enumerate(STACK):
            text = {"description": f"time {number}", "metadata": None}
            writer.write(plane, photometric="minisblack", contiguous=False, **text)
    record = read_image(path)
    assert "planes" not in record.attributes["TIFF"]
    assert record.notes[-1] == "Texts of single planes were too many to be kept."


def test_texts_that_are_too_many_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as writer:
        for number in range(9):
            text = {"description": f"time {number}", "metadata": None}
            writer.write(STACK[0], photometric="minisblack", contiguous=False, **text)
    own, read = tags._texts, []
    monkeypatch.setattr(tags, "_MAX_CHARACTERS", 200)
    monkeypatch.setattr(tags, "_texts", lambda page: read.append(page) or own(page))
    record = read_image(path)
    assert record.notes[-1] == "Texts of single planes were too many to be kept."
    assert len(read) < 9


def test_numbers_that_are_not_finite_are_text(tmp_path: Path) -> None:
    stated = {"gain": float("nan"), "ends": [float("inf"), 1.5]}
    record = _read(tmp_path / "a.tif", stated)
    kept = {"gain": "NaN", "ends": ["Infinity", 1.5]}
    assert record.attributes == {"tifffile": kept}


def test_an_orientation_is_said_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tag = (274, 3, 1, 6, True)
    tifffile.imwrite(path, STACK[0], metadata=None, extratags=[tag])
    record = read_image(path)
    np.testing.assert_array_equal(record.data, STACK[0])
    assert "turned or flipped (Orientation 6)" in record.notes[-1]
    assert record.attributes["TIFF"]["Orientation"] == 6
