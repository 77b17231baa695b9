"""Chunks of a Zarr that are not there: an error, or missing values if accepted."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from numpy.typing import NDArray

from napari_inr_denoise import read_image, write_image
from napari_inr_denoise.io.record import ImageRecord
from napari_inr_denoise.plugin.reader import read_layers

LAYOUTS: dict[str, dict[str, Any]] = {
    "format 2": {"chunks": (1, 8, 4), "zarr_format": 2},
    "nested": {
        "chunks": (1, 8, 4),
        "zarr_format": 2,
        "chunk_key_encoding": {"name": "v2", "separator": "/"},
    },
    "format 3": {"chunks": (1, 8, 4)},
    "shards": {"chunks": (1, 8, 4), "shards": (2, 16, 8)},
}
FILL = 7.0


def _values() -> NDArray[np.float32]:
    values = np.ones((4, 10, 9), np.float32)
    values[1], values[2, :8, 4:8] = FILL, FILL
    return values


def _write(path: Path, values: NDArray[np.float32], **layout: Any) -> None:
    layout = {"zarr_format": 3} | layout
    if layout["zarr_format"] == 3:
        layout["dimension_names"] = list("zyx")
    array = zarr.create_array(
        path, shape=values.shape, dtype="f4", fill_value=FILL, **layout
    )
    array[:] = values  # chunks that are all fill are not stored


@pytest.mark.parametrize("layout", LAYOUTS)
def test_chunks_that_are_not_stored_are_an_error_or_missing(
    tmp_path: Path, layout: str
) -> None:
    path, values = tmp_path / "a.zarr", _values()
    _write(path, values, **LAYOUTS[layout])
    told = (
        r"missing chunks: 7 of 24, in 2 of 4 planes \(number 2, 3\); the copy is "
        r"broken, or blank chunks were left out on purpose.* --incomplete"
    )
    for read in (read_image, read_layers):
        with pytest.raises(ValueError, match=told):
            read(path)
    record = read_image(path, lazy=True, incomplete=True)
    assert "is incomplete: missing chunks: 7 of 24" in record.notes[-1]
    np.testing.assert_array_equal(record.missing, values == FILL)
    np.testing.assert_array_equal(np.isnan(record.data), values == FILL)
    part = (slice(1, 3), slice(5, 9), slice(3, 9))
    np.testing.assert_array_equal(record.missing[part], values[part] == FILL)
    np.testing.assert_array_equal(np.isnan(record.data[part]), values[part] == FILL)


@pytest.mark.parametrize("location", ["start", "end"])
def test_a_shard_holds_what_its_index_says(tmp_path: Path, location: str) -> None:
    path, values = tmp_path / "a.zarr", _values()
    codecs = {"chunk_shape": (1, 8, 4), "index_location": location}
    shards = zarr.codecs.ShardingCodec(**codecs)
    group = zarr.create_group(path)
    group.create_array(
        "0",
        shape=values.shape,
        chunks=(2, 16, 8),
        dtype="f4",
        fill_value=FILL,
        serializer=shards,
        compressors=None,
        dimension_names=list("zyx"),
    )[:] = values
    record = read_image(path / "0", incomplete=True)
    np.testing.assert_array_equal(record.missing, values == FILL)


@pytest.mark.parametrize("layout", ["format 3", "shards"])
@pytest.mark.parametrize("kept", [0, 40])
def test_a_file_that_is_cut_short_holds_nothing(
    tmp_path: Path, layout: str, kept: int
) -> None:
    path, rng = tmp_path / "a.zarr", np.random.default_rng(0)
    values = rng.normal(1, 0.1, (4, 10, 9)).astype(np.float32)
    _write(path, values, **LAYOUTS[layout])
    cut = path / "c" / "1" / "0" / "0"
    cut.write_bytes(cut.read_bytes()[:kept])
    with pytest.raises(ValueError, match="could not be read"):
        read_image(path)
    record = read_image(path, incomplete=True)
    lost = np.zeros(values.shape, np.bool_)
    if layout == "shards":
        lost[2:4, :, :8] = True
    else:
        lost[1, :8, :4] = True
    np.testing.assert_array_equal(record.missing, lost)
    np.testing.assert_array_equal(record.data[~lost], values[~lost])
    assert np.isnan(record.data[lost]).all()


@pytest.mark.parametrize("incomplete", [False, True])
def test_an_image_without_any_chunk_is_an_error(
    tmp_path: Path, incomplete: bool
) -> None:
    _write(tmp_path / "a.zarr", np.full((2, 10, 9), FILL, np.float32), chunks=(1, 8, 4))
    with pytest.raises(ValueError, match="none of its 12 chunks is stored"):
        read_image(tmp_path / "a.zarr", incomplete=incomplete)


@pytest.mark.parametrize("lost", [1, 8])
def test_many_planes_are_counted_not_listed(tmp_path: Path, lost: int) -> None:
    path = tmp_path / "a.zarr"
    write_image(path, ImageRecord(np.ones((9, 8, 8), np.uint8), "ZYX"))
    for number in range(lost):
        shutil.rmtree(path / "0" / "c" / str(number))
    listed = "number 1" if lost == 1 else "number 1, 2, 3, 4, 5, 6 and 2 more"
    with pytest.raises(ValueError, match=rf"in {lost} of 9 planes \({listed}\)"):
        read_image(path)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("value", [0, np.nan])
def test_what_is_written_has_all_chunks(
    tmp_path: Path, version: str, value: float
) -> None:
    path, values = tmp_path / "a.zarr", np.full((3, 40, 40), value, np.float32)
    values[1] = 5
    write_image(path, ImageRecord(values, "ZYX", ngff_version=version), levels=2)
    record = read_image(path)
    assert record.notes == ()
    np.testing.assert_array_equal(record.data, values)
    assert read_image(path / "1").data.shape == (3, 20, 20)
