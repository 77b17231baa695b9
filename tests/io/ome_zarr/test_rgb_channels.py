"""RGB in OME-Zarr: written as channels, read back as samples."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from numpy.typing import NDArray

from napari_inr_denoise import read_image, write_image
from napari_inr_denoise.io.ome_zarr import writer as write_zarr
from napari_inr_denoise.io.record import ImageRecord

SIZES = {"T": 2, "C": 2, "Z": 3, "Y": 7, "X": 6, "S": 3}
FILE_ORDER = "TCZYXS"


def _values(
    rng: np.random.Generator, axes: str, samples: int = 3
) -> NDArray[np.uint16]:
    shape = [samples if a == "S" else SIZES[a] for a in axes]
    return rng.integers(0, 60000, shape, dtype=np.uint16)


def _ordered(values: NDArray[Any], axes: str) -> NDArray[Any]:
    return values.transpose([axes.index(a) for a in FILE_ORDER if a in axes])


@pytest.mark.parametrize("axes", ["YXS", "SXY", "TCZYXS", "ZYXSC"])
@pytest.mark.parametrize("samples", [1, 2, 3, 4])
def test_colours_come_back_whole_and_in_parts(
    tmp_path: Path, rng: np.random.Generator, axes: str, samples: int
) -> None:
    values = _values(rng, axes, samples)
    write_image(tmp_path / "a.zarr", ImageRecord(values, axes))
    lazy = read_image(tmp_path / "a.zarr", lazy=True)
    wanted = _ordered(values, axes)
    assert lazy.axes == "".join(a for a in FILE_ORDER if a in axes)
    assert (lazy.channel_names, lazy.channel_colours) == ((), ())
    assert (lazy.display_ranges, lazy.attributes) == ((), {})
    np.testing.assert_array_equal(np.asarray(lazy.data), wanted)
    again = pickle.loads(pickle.dumps(lazy.data))
    for part in (np.s_[..., 0], np.s_[..., 1:5, ::-1, -1:], np.s_[-1]):
        np.testing.assert_array_equal(lazy.data[part], wanted[part])
        np.testing.assert_array_equal(again[part], wanted[part])


def test_others_see_channels_with_names_colours_and_one_range(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    values = _values(rng, "CYXS", 4)
    names = ("before", "after")
    write_image(tmp_path / "a.zarr", ImageRecord(values, "CYXS", channel_names=names))
    array = zarr.open_array(tmp_path / "a.zarr" / "0")
    assert array.metadata.dimension_names == ("c", "y", "x")
    np.testing.assert_array_equal(array[5], values[1, ..., 1])
    attributes = json.loads((tmp_path / "a.zarr" / "zarr.json").read_text())
    channels = attributes["attributes"]["ome"]["omero"]["channels"]
    assert [each["label"] for each in channels[3:6]] == [
        "before alpha",
        "after red",
        "after green",
    ]
    assert [each["color"] for each in channels[:4]] == [
        "FF0000",
        "00FF00",
        "0000FF",
        "FFFFFF",
    ]
    assert all(each["window"]["end"] == 65535 for each in channels)
    assert read_image(tmp_path / "a.zarr").channel_names == names


def test_colours_of_floats_are_displayed_in_one_range(tmp_path: Path) -> None:
    values = np.ones((4, 5, 3), np.float32) * (1, 2, 3)
    record = ImageRecord(values.astype(np.float32), "YXS")
    write_image(tmp_path / "a.zarr", record)
    group = zarr.open_group(tmp_path / "a.zarr", mode="r")
    channels = group.attrs["ome"]["omero"]["channels"]
    window = {"min": 1.0, "max": 3.0, "start": 1.0, "end": 3.0}
    assert [each["window"] for each in channels] == [window] * 3
    assert read_image(tmp_path / "a.zarr") == replace(record, ngff_version="0.5")


def test_each_part_of_the_source_is_read_once(
    tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_zarr, "_MAX_CHUNK_PIXELS", 0)
    monkeypatch.setattr(write_zarr, "_TILE_SIDE", 4)
    values = _values(rng, "TYXS")

    class Counted:
        shape, ndim, dtype = values.shape, values.ndim, values.dtype
        reads = 0

        def __getitem__(self, selection: tuple[int | slice, ...]) -> NDArray[Any]:
            self.reads += values[selection].size
            return values[selection]

    source = Counted()
    write_image(tmp_path / "a.zarr", ImageRecord(source, "TYXS"))
    assert source.reads == values.size
    np.testing.assert_array_equal(read_image(tmp_path / "a.zarr").data, values)


@pytest.mark.parametrize("kept", [{"count": 2, "has_channels": False}, [1], {"a": 1}])
def test_a_note_that_does_not_fit_leaves_channels_and_is_said(
    tmp_path: Path, kept: object
) -> None:
    write_image(tmp_path / "a.zarr", ImageRecord(np.ones((4, 5, 3), "u1"), "YXS"))
    path = tmp_path / "a.zarr" / "zarr.json"
    content = json.loads(path.read_text())
    content["attributes"]["napari-inr-denoise"]["samples"] = kept
    path.write_text(json.dumps(content))
    record = read_image(tmp_path / "a.zarr")
    assert (record.axes, record.data.shape) == ("CYX", (3, 4, 5))
    assert "could not be read" in record.notes[-1]
