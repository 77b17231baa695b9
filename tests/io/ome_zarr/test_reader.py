"""Zarrs of other programs: plain arrays, several images, plates, named axes."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from numpy.typing import NDArray

from napari_inr_denoise import read_image, write_image

VALUES: NDArray[np.uint8] = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)


def _image(axes: list[Any]) -> dict[str, Any]:
    return {
        "ome": {
            "version": "0.5",
            "multiscales": [{"axes": axes, "datasets": [{"path": "full"}]}],
        }
    }


def _write_group(folder: Path, attributes: dict[str, Any]) -> None:
    group = zarr.create_group(folder, attributes=attributes)
    group.create_array("full", data=VALUES)


@pytest.mark.parametrize(
    ("names", "axes", "words"),
    [
        (None, "ZYX", "taken for ZYX"),
        (["t", "y", "x"], "TYX", "has no pixel sizes"),
        (["time", "y", "x"], "TYX", "has no pixel sizes"),
        (["angle", "y", "x"], "ZYX", "taken for Z"),
    ],
)
def test_a_plain_array_is_read_and_that_is_said(
    tmp_path: Path, names: list[str] | None, axes: str, words: str
) -> None:
    path = tmp_path / "a.zarr"
    array = zarr.create_array(
        path, shape=VALUES.shape, dtype=VALUES.dtype, dimension_names=names
    )
    array[:] = VALUES
    record = read_image(path)
    np.testing.assert_array_equal(record.data, VALUES)
    assert record.axes == axes
    assert words in " ".join(record.notes)


def test_of_several_images_the_first_is_read_and_that_is_said(tmp_path: Path) -> None:
    layout = {"ome": {"version": "0.5", "bioformats2raw.layout": 3}}
    zarr.create_group(tmp_path / "a.zarr", attributes=layout)
    _write_group(tmp_path / "a.zarr" / "0", _image(["z", "y", "x"]))
    assert read_image(tmp_path / "a.zarr").notes == ()
    _write_group(tmp_path / "a.zarr" / "1", _image(["z", "y", "x"]))
    record = read_image(tmp_path / "a.zarr")
    np.testing.assert_array_equal(record.data, VALUES)
    assert "only the first was read" in record.notes[-1]


@pytest.mark.parametrize("kind", ["plate", "well"])
def test_a_plate_without_images_is_refused(tmp_path: Path, kind: str) -> None:
    attributes = {"ome": {"version": "0.5", kind: {}}}
    zarr.create_group(tmp_path / "a.zarr", attributes=attributes)
    with pytest.raises(ValueError, match=f"a {kind} that names no image"):
        read_image(tmp_path / "a.zarr")


def test_names_of_axes_are_letters_or_said(tmp_path: Path) -> None:
    axes = [{"name": "angle"}, {"name": "y"}, {"name": "x"}]
    _write_group(tmp_path / "a.zarr", _image(axes))
    record = read_image(tmp_path / "a.zarr")
    assert record.axes == "ZYX"
    assert "axis 0 is; it was taken for Z" in record.notes[0]


def test_an_axis_too_few_is_refused(tmp_path: Path) -> None:
    _write_group(tmp_path / "a.zarr", _image(["y", "x"]))
    with pytest.raises(ValueError, match=r"got 2 axes for an array of shape"):
        read_image(tmp_path / "a.zarr")


def test_units_that_are_not_known_are_said(tmp_path: Path) -> None:
    axes = [{"name": "z", "unit": "cubit"}, {"name": "y"}, {"name": "x"}]
    attributes = _image(axes)
    (pyramid,) = attributes["ome"]["multiscales"]
    scale = {"type": "scale", "scale": [2.0, 1.0, 1.0]}
    pyramid["datasets"][0]["coordinateTransformations"] = [scale]
    _write_group(tmp_path / "a.zarr", attributes)
    record = read_image(tmp_path / "a.zarr")
    assert record.spacing_um == {}
    assert "Z (2.0 cubit)" in record.notes[-1]


def _scaled(levels: list[Any], common: list[Any]) -> dict[str, Any]:
    attributes = _image([{"name": a, "type": "space", "unit": "micron"} for a in "zyx"])
    (pyramid,) = attributes["ome"]["multiscales"]
    pyramid["datasets"][0]["coordinateTransformations"] = levels
    pyramid["coordinateTransformations"] = common
    return attributes


def _scale(*values: Any) -> dict[str, Any]:
    return {"type": "scale", "scale": list(values)}


def test_transformations_follow_each_other(tmp_path: Path) -> None:
    shift = {"type": "translation", "translation": [1.0, 2.0, 3.0]}
    attributes = _scaled([_scale(1.0, 0.5, 0.5), shift], [_scale(3.0, 2.0, 2.0), shift])
    _write_group(tmp_path / "a.zarr", attributes)
    record = read_image(tmp_path / "a.zarr")
    assert record.spacing_um == {"Z": 3.0, "Y": 1.0, "X": 1.0}
    assert record.origin == {"Z": 4.0, "Y": 6.0, "X": 9.0}
    assert record.notes == ()


@pytest.mark.parametrize(
    ("levels", "common", "words"),
    [
        ([_scale(1.0, 1.0, 1.0)], [_scale(0.2, 0.2)], "scale of [0.2, 0.2] for 3 axes"),
        ([_scale(1.0, "wide", 1.0)], [], "'wide'"),
        ([], [], "states no scale"),
    ],
)
def test_a_scale_that_is_not_for_these_axes_is_none(
    tmp_path: Path, levels: list[Any], common: list[Any], words: str
) -> None:
    _write_group(tmp_path / "a.zarr", _scaled(levels, common))
    record = read_image(tmp_path / "a.zarr")
    assert record.spacing_um == {}
    assert words in " ".join(record.notes)


def test_colours_are_those_that_can_be_written(tmp_path: Path) -> None:
    attributes = _image([{"name": "c", "type": "channel"}, "y", "x"])
    attributes["ome"]["omero"] = {
        "channels": [
            {"label": "a", "color": "#00FF00", "window": {"start": "dark", "end": 9}},
            {"label": "b", "color": "blue"},
        ]
    }
    _write_group(tmp_path / "a.zarr", attributes)
    record = read_image(tmp_path / "a.zarr")
    assert (record.channel_names, record.notes) == (("a", "b"), ())
    assert record.channel_colours == ("#00ff00", "")
    write_image(tmp_path / "a.ome.tif", record)
    assert read_image(tmp_path / "a.ome.tif").channel_colours == ("#00ff00", "")


NULLS = (
    *("name", "version", "coordinateTransformations", "omero", "channels"),
    *("label", "color", "window", "start", "rdefs"),
)


@pytest.mark.parametrize("key", NULLS)
def test_null_is_as_good_as_nothing(tmp_path: Path, key: str) -> None:
    attributes = _scaled([_scale(1.0, 0.5, 0.5)], [])
    pyramid = attributes["ome"]["multiscales"][0]
    channel = {"label": "a", "color": "00FF00", "window": {"start": 1, "end": 9}}
    omero = {"channels": [channel], "rdefs": {"model": "color"}}
    attributes["ome"]["omero"] = omero
    pyramid["axes"][0]["unit"] = None
    for owner in (pyramid, attributes["ome"], omero, channel, channel["window"]):
        owner[key] = None
    _write_group(tmp_path / "a.zarr", attributes)
    record = read_image(tmp_path / "a.zarr")
    assert (record.spacing_um, record.notes) == ({"Y": 0.5, "X": 0.5}, ())
    write_image(tmp_path / "b.zarr", record)
    assert read_image(tmp_path / "b.zarr") == record


@pytest.mark.parametrize("omero", [3, {"channels": 3}, {"channels": [None]}])
def test_damaged_display_settings_cost_no_sizes(tmp_path: Path, omero: Any) -> None:
    attributes = _scaled([_scale(1.0, 0.5, 0.5)], [])
    attributes["ome"]["omero"] = omero
    _write_group(tmp_path / "a.zarr", attributes)
    record = read_image(tmp_path / "a.zarr")
    assert record.spacing_um == {"Z": 1.0, "Y": 0.5, "X": 0.5}
    assert "display settings could not be read" in record.notes[0]


def test_what_is_no_image_is_not_called_damaged(tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    _write_group(path, {})
    with pytest.raises(ValueError, match=r"no image.* Name one of those in it: full"):
        read_image(path)
    _write_group(tmp_path / "b.zarr", _image(["z", "y", "x"]))
    shutil.rmtree(tmp_path / "b.zarr" / "full")
    with pytest.raises(ValueError, match="full resolution, 'full', is missing"):
        read_image(tmp_path / "b.zarr")


@pytest.mark.parametrize("datasets", [[], None, [{}], ["full"], [{"path": 3}]])
def test_a_multiscale_without_an_array_is_said(tmp_path: Path, datasets: Any) -> None:
    attributes = _image(list("zyx"))
    attributes["ome"]["multiscales"][0]["datasets"] = datasets
    _write_group(tmp_path / "a.zarr", attributes)
    with pytest.raises(
        ValueError, match=r"name no array of the image .* name an array"
    ):
        read_image(tmp_path / "a.zarr")
    assert read_image(tmp_path / "a.zarr" / "full").data.shape == VALUES.shape


def test_a_plain_array_of_xarray_has_its_dimensions_and_attributes(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.zarr"
    array = zarr.create_array(path, data=VALUES, zarr_format=2)
    array.attrs.update({"_ARRAY_DIMENSIONS": ["c", "y", "x"], "sample": "kidney"})
    record = read_image(path)
    assert record.axes == "CYX"
    assert record.attributes == {"sample": "kidney"}
    for name in ("b.zarr", "b.ome.tif"):
        write_image(tmp_path / name, record)
        assert read_image(tmp_path / name).attributes == record.attributes


def test_coordinate_systems_of_newer_versions(tmp_path: Path) -> None:
    space = [{"name": n, "type": "space", "unit": "micrometer"} for n in "yx"]
    scale = {"type": "scale", "scale": [1, 0.5, 0.25]}
    moved = {"type": "translation", "translation": [0, 3, 4]}
    axes = [{"name": "c", "type": "channel"}, *space]
    steps = [{"type": "sequence", "transformations": [scale, moved]}]
    image = {
        "coordinateSystems": [{"name": "physical", "axes": axes}],
        "datasets": [{"path": "full", "coordinateTransformations": steps}],
    }
    layout = {"ome": {"version": "0.6", "multiscales": [image]}}
    _write_group(tmp_path / "a.zarr", layout)
    record = read_image(tmp_path / "a.zarr")
    assert record.axes == "CYX"
    assert record.spacing_um == {"Y": 0.5, "X": 0.25}
    assert record.origin == {"Y": 3, "X": 4}
    assert not record.notes
    write_image(tmp_path / "b.zarr", record)
    written = zarr.open_group(tmp_path / "b.zarr", mode="r").attrs["ome"]
    assert isinstance(written, dict)
    assert written["version"] == "0.5"  # whose layout it has
    assert read_image(tmp_path / "b.zarr").stated == record.stated


@pytest.mark.parametrize("version", ["0.1", "0.3"])
def test_older_versions_are_written_as_the_layout_that_they_get(
    tmp_path: Path, version: str
) -> None:
    group = zarr.create_group(tmp_path / "a.zarr", zarr_format=2)
    group.create_array("0", data=VALUES[np.newaxis, np.newaxis])
    image = {"version": version, "datasets": [{"path": "0"}]}
    group.attrs["multiscales"] = [image]
    record = read_image(tmp_path / "a.zarr")
    assert record.axes == "TCZYX"
    write_image(tmp_path / "b.zarr", record)
    (written,) = zarr.open_group(tmp_path / "b.zarr", mode="r").attrs["multiscales"]
    assert written["version"] == "0.4"


def test_labels_and_transformations_that_are_not_used_are_said(tmp_path: Path) -> None:
    layout = _image(["z", "y", "x"])
    steps = [{"type": "scale", "scale": [1, 2, 2]}, {"type": "rotation"}]
    level = layout["ome"]["multiscales"][0]["datasets"][0]
    level["coordinateTransformations"] = steps
    _write_group(tmp_path / "a.zarr", layout)
    labels = {"ome": {"version": "0.5", "labels": ["cells"]}}
    zarr.create_group(tmp_path / "a.zarr" / "labels", attributes=labels)
    notes = " ".join(read_image(tmp_path / "a.zarr").notes)
    assert "labels (cells); they are not in the result" in notes
    assert "type 'rotation'; it is not used" in notes


@pytest.mark.parametrize("names", [{"a": 1}, "cells", [], None, 3])
def test_a_list_of_labels_that_is_none_keeps_no_image_from_opening(
    tmp_path: Path, names: object
) -> None:
    _write_group(tmp_path / "a.zarr", _image(["z", "y", "x"]))
    labels = {"ome": {"version": "0.5", "labels": names}}
    zarr.create_group(tmp_path / "a.zarr" / "labels", attributes=labels)
    assert not any("labels" in note for note in read_image(tmp_path / "a.zarr").notes)
