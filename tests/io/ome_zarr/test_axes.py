from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from napari_inr_denoise import read_image, write_image
from napari_inr_denoise.io.lazy import guessed_axes
from napari_inr_denoise.io.ome_zarr.axes import axes_of
from napari_inr_denoise.io.record import Quantity

TIME, CHANNEL, SPACE = ({"type": kind} for kind in ("time", "channel", "space"))


@pytest.mark.parametrize(
    ("entries", "axes", "words"),
    [
        ("tczyx", "TCZYX", ""),
        ([TIME, CHANNEL, SPACE, SPACE, SPACE], "TCZYX", "by their order"),
        ([{"name": "ch", **CHANNEL}, "y", "x"], "CYX", ""),
        ([{"name": "z", **CHANNEL}, "y", "x"], "CYX", ""),
        ([{"name": "0", **SPACE}, {"name": "1", **SPACE}], "YX", "'0', '1'"),
        ([{"name": "x", **SPACE}, {"name": "y", **SPACE}], "XY", ""),
        ([{"name": "Y", **SPACE}, {"name": "X", **SPACE}], "YX", ""),
        ([{"name": "angle"}, "y", "x"], "ZYX", "'angle'"),
        ([{"name": "time"}, "y", "x"], "TYX", ""),
        ([CHANNEL, CHANNEL, "y", "x"], "CZYX", "axis 1"),
        ([SPACE] * 4, "TZYX", "taken for Z, Y, X by their order"),
    ],
)
def test_types_come_before_names(entries: Any, axes: str, words: str) -> None:
    found, notes = axes_of(list(entries), (2,) * len(entries))
    assert found == axes
    assert words in " ".join(notes)
    assert bool(words) == bool(notes)
    # What the notes say can be read from them again.
    assert set(guessed_axes(notes)) <= set(axes)
    assert bool(guessed_axes(notes)) == bool(notes)


def test_negative_scales_come_back_as_they_were(tmp_path: Path) -> None:
    axes = [{"name": n, "type": "space", "unit": "micrometer"} for n in "zyx"]
    steps = [
        {"type": "scale", "scale": [-2.0, -7.87, 7.87]},
        {"type": "translation", "translation": [10.0, 100.0, 0.5]},
    ]
    datasets = [{"path": "0", "coordinateTransformations": steps}]
    image = {"version": "0.4", "axes": axes, "datasets": datasets}
    group = zarr.create_group(
        tmp_path / "a.zarr", zarr_format=2, attributes={"multiscales": [image]}
    )
    group.create_array("0", data=np.ones((3, 4, 5), np.uint16))
    source = read_image(tmp_path / "a.zarr")
    assert source.spacing_um == {"Z": 2.0, "Y": 7.87, "X": 7.87}
    assert source.origin == {"Z": 10.0, "Y": 100.0, "X": 0.5}
    assert source.flipped == "ZY"
    assert sum("negative scale" in note for note in source.notes) == 2
    write_image(tmp_path / "b.zarr", source)
    written = zarr.open_group(tmp_path / "b.zarr", mode="r").attrs["multiscales"][0]
    assert written["datasets"][0]["coordinateTransformations"] == steps
    write_image(tmp_path / "b.ome.tif", source)
    again = read_image(tmp_path / "b.ome.tif")
    assert (again.flipped, again.origin) == (source.flipped, source.origin)
    assert again.stated["Y"] == Quantity(7.87, "\u00b5m")


def test_a_scale_of_nothing_is_said(tmp_path: Path) -> None:
    axes = [{"name": n, "type": "space", "unit": "nanometer"} for n in "yx"]
    steps = [{"type": "scale", "scale": [0.0, 65.0]}]
    datasets = [{"path": "0", "coordinateTransformations": steps}]
    image = {"version": "0.4", "axes": axes, "datasets": datasets}
    group = zarr.create_group(
        tmp_path / "a.zarr", zarr_format=2, attributes={"multiscales": [image]}
    )
    group.create_array("0", data=np.ones((4, 5), np.uint16))
    record = read_image(tmp_path / "a.zarr")
    assert record.spacing_um == {"X": pytest.approx(0.065)}
    assert "scale of Y of 0" in record.notes[0]
