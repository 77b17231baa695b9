"""Levels of an OME-Zarr, by the rules of NGFF and of browser viewers."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from numpy.typing import NDArray

from napari_inr_denoise import read_image, write_image
from napari_inr_denoise.io.ome_zarr import writer
from napari_inr_denoise.io.ome_zarr.levels import plan_levels
from napari_inr_denoise.io.record import ImageRecord

VERSIONS = ["0.4", "0.5"]


def _ngff(path: Path) -> dict[str, Any]:
    attributes = zarr.open_group(path, mode="r").attrs.asdict()
    return attributes.get("ome", attributes)


def _arrays(path: Path) -> list[Any]:
    datasets = _ngff(path)["multiscales"][0]["datasets"]
    return [zarr.open_array(path / each["path"], mode="r") for each in datasets]


def _means(values: NDArray[Any]) -> NDArray[Any]:
    """Means of 2x2 pixels, of fewer at the ends, in the plain way."""
    height, width = values.shape
    return np.array(
        [
            [_mean(values[y : y + 2, x : x + 2]) for x in range(0, width, 2)]
            for y in range(0, height, 2)
        ]
    )


def _mean(block: NDArray[Any]) -> float:
    known = block[~np.isnan(block)]
    return float(known.mean()) if known.size else np.nan


@pytest.mark.parametrize(
    ("size", "levels", "sizes"),
    [
        ((300, 1000), "auto", [(300, 1000), (150, 500), (75, 250)]),
        ((256, 256), "auto", [(256, 256)]),
        ((1, 300), "auto", [(1, 300), (1, 150)]),
        ((5, 9), 3, [(5, 9), (3, 5), (2, 3)]),
        ((2, 3), 9, [(2, 3), (1, 2), (1, 1)]),
        ((5, 9), 1, [(5, 9)]),
    ],
)
def test_sizes(size: tuple[int, int], levels: Any, sizes: list[Any]) -> None:
    planned = plan_levels(*size, levels)
    assert [tuple(each.sizes.values()) for each in planned] == sizes
    assert [each.path for each in planned] == [str(k) for k in range(len(sizes))]


@pytest.mark.parametrize("levels", [0, -1, "all", 1.5])
def test_other_numbers_are_refused(tmp_path: Path, levels: Any) -> None:
    record = ImageRecord(np.zeros((4, 5)), "YX")
    with pytest.raises(ValueError, match='wanted "auto" or a whole number from 1'):
        write_image(tmp_path / "a.zarr", record, levels=levels)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("version", VERSIONS)
def test_each_level_has_the_means_of_the_one_before_and_its_own_place(
    tmp_path: Path, rng: np.random.Generator, version: str
) -> None:
    values = rng.normal(size=(2, 3, 13, 9)).astype(np.float32)
    values[0, 0, :2, :2] = np.nan
    values[0, 1, 0, 0] = np.nan
    record = ImageRecord(
        values,
        "CZYX",
        {"Z": 0.5, "Y": 0.2, "X": 0.1},
        origin={"Y": 3.0},
        channel_names=("a", "b"),
        ngff_version=version,
    )
    path = tmp_path / "a.ome.zarr"
    write_image(path, record, levels=3)
    finest, middle, coarsest = (np.asarray(each) for each in _arrays(path))
    np.testing.assert_array_equal(finest, values)
    for finer, coarser in ((finest, middle), (middle, coarsest)):
        for place in np.ndindex(2, 3):
            means = _means(finer[place])
            np.testing.assert_allclose(coarser[place], means, atol=1e-6)
    (multiscale,) = _ngff(path)["multiscales"]
    steps = [each["coordinateTransformations"] for each in multiscale["datasets"]]
    assert [[s["type"] for s in each] for each in steps] == [
        ["scale", "translation"]
    ] * 3
    assert [each[0]["scale"] for each in steps] == [
        [1.0, 0.5, 0.2 * factor, 0.1 * factor] for factor in (1, 2, 4)
    ]
    # The centre of the first pixel: a mean of 2 pixels is half a pixel further.
    offsets = [each[1]["translation"] for each in steps]
    np.testing.assert_allclose(
        offsets, [[0, 0, 3, 0], [0, 0, 3.1, 0.05], [0, 0, 3.3, 0.15]]
    )
    assert multiscale["type"] == "mean"
    assert read_image(path) == record


def test_integers_are_rounded_and_colours_are_channels(tmp_path: Path) -> None:
    values = np.zeros((4, 4, 3), np.uint8)
    values[:2, :2, 0] = [[1, 2], [2, 2]]
    values[2:, 2:, 2] = 255
    write_image(tmp_path / "a.zarr", ImageRecord(values, "YXS"), levels=2)
    _, half = _arrays(tmp_path / "a.zarr")
    assert half.dtype == np.uint8
    np.testing.assert_array_equal(half[0], [[2, 0], [0, 0]])
    np.testing.assert_array_equal(half[2], [[0, 0], [0, 255]])
    np.testing.assert_array_equal(read_image(tmp_path / "a.zarr").data, values)


@pytest.mark.parametrize("version", VERSIONS)
def test_chunks_are_squares_of_one_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setattr(writer, "_LEVEL_CHUNK_SIDE", 16)
    record = ImageRecord(np.ones((2, 100, 70), np.uint16), "TYX", ngff_version=version)
    write_image(tmp_path / "a.zarr", record, levels=4)
    shapes = [(each.shape, each.chunks) for each in _arrays(tmp_path / "a.zarr")]
    assert shapes == [
        ((2, 100, 70), (1, 16, 16)),
        ((2, 50, 35), (1, 16, 16)),
        ((2, 25, 18), (1, 16, 16)),
        ((2, 13, 9), (1, 13, 9)),
    ]
    for each in _arrays(tmp_path / "a.zarr"):
        assert each.nchunks_initialized == each.nchunks


def test_the_image_is_never_in_memory_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tracemalloc

    monkeypatch.setattr(writer, "_MAX_CHUNK_PIXELS", 0)
    monkeypatch.setattr(writer, "_TILE_SIDE", 128)
    monkeypatch.setattr(writer, "_LEVEL_CHUNK_SIDE", 128)

    class Ramp:
        shape, ndim, dtype = (1, 2048, 2048), 3, np.dtype(np.float32)

        def __getitem__(self, selection: tuple[Any, ...]) -> NDArray[np.float32]:
            _, rows, columns = (
                np.arange(size)[one]
                for size, one in zip(self.shape, selection, strict=True)
            )
            return np.add.outer(rows, columns).astype(np.float32)

    write_image(tmp_path / "warm.zarr", ImageRecord(np.ones((8, 8)), "YX"), levels=2)
    tracemalloc.start()
    write_image(tmp_path / "a.zarr", ImageRecord(Ramp(), "ZYX"), levels="auto")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2048 * 2048 * 4 / 4
    last = _arrays(tmp_path / "a.zarr")[-1]
    assert last.shape == (1, 256, 256)
    assert last[0, 1, 2] == 8 + 3.5 + 16 + 3.5


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("axes", ["YX", "CYX"])
def test_every_channel_has_what_a_viewer_needs(
    tmp_path: Path, rng: np.random.Generator, version: str, axes: str
) -> None:
    values = rng.normal(100, 5, (2, 32, 32)[-len(axes) :])
    record = ImageRecord(values.astype(np.float32), axes, ngff_version=version)
    write_image(tmp_path / "a.zarr", record, levels=2)
    metadata = _ngff(tmp_path / "a.zarr")
    channels = metadata["omero"]["channels"]
    labels = ["a"] if axes == "YX" else ["channel 0", "channel 1"]
    assert [channel["label"] for channel in channels] == labels
    for channel in channels:
        assert re.fullmatch("[0-9A-F]{6}", channel["color"])
        assert channel["active"] is True
        window = channel["window"]
        assert window["min"] < window["start"] < window["end"] < window["max"]
    # What was made up is none of the image's own.
    assert read_image(tmp_path / "a.zarr") == record


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("axes", ["YX", "XYZ", "CTYX", "ZCYXT", "YXS", "SCZYX"])
@pytest.mark.parametrize("levels", [1, 2])
def test_the_layout_is_that_of_the_specification(
    tmp_path: Path, version: str, axes: str, levels: int
) -> None:
    sizes = {"T": 2, "C": 2, "Z": 5, "Y": 40, "X": 24, "S": 3}
    shape = tuple(sizes[axis] for axis in axes)
    record = ImageRecord(np.ones(shape, np.uint16), axes, ngff_version=version)
    write_image(tmp_path / "a.zarr", record, levels=levels)
    metadata = _ngff(tmp_path / "a.zarr")
    (multiscale,) = metadata["multiscales"]
    names = "".join(each["name"] for each in multiscale["axes"])
    assert names == "".join(a for a in "tczyx" if a in axes.lower().replace("s", "c"))
    kinds = [each["type"] for each in multiscale["axes"]]
    assert kinds == [{"t": "time", "c": "channel"}.get(a, "space") for a in names]
    arrays = _arrays(tmp_path / "a.zarr")
    assert len(arrays) == len(multiscale["datasets"]) == levels
    for array, dataset in zip(arrays, multiscale["datasets"], strict=True):
        first, *others = dataset["coordinateTransformations"]
        assert first["type"] == "scale"
        assert all(each["type"] == "translation" for each in others)
        assert all(len(e[e["type"]]) == array.ndim for e in (first, *others))
        assert array.chunks[:-2] == (1,) * (array.ndim - 2)
        layout = array.metadata
        if version == "0.4":
            assert (layout.zarr_format, layout.dimension_separator) == (2, "/")
        else:
            assert (layout.zarr_format, layout.dimension_names) == (3, tuple(names))
            assert layout.chunk_key_encoding.separator == "/"
    rendering = metadata["omero"]["rdefs"]
    middle = 2 if "z" in names else 0
    assert (rendering["defaultT"], rendering["defaultZ"]) == (0, middle)
    assert len(metadata["omero"]["channels"]) == (
        array.shape[names.index("c")] if "c" in names else 1
    )


def test_what_the_user_changes_of_what_was_made_up_counts(tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    write_image(path, ImageRecord(np.ones((4, 5), np.uint8), "YX"))
    group = zarr.open_group(path)
    changed = group.attrs.asdict()
    changed["ome"]["omero"]["channels"][0] |= {"color": "FF0000", "label": "mine"}
    changed["ome"]["omero"]["rdefs"]["model"] = "greyscale"
    group.attrs.put(changed)
    record = read_image(path)
    assert record.channel_colours == ("#ff0000",)
    assert record.channel_names == ("mine",)
    assert record.display_ranges == ()
    assert record.attributes["ome"]["omero"]["rdefs"]["model"] == "greyscale"


def test_limits_of_a_window_are_kept(tmp_path: Path) -> None:
    window = {"min": 3.0, "max": 9.0, "start": 3.0, "end": 9.0}
    path = tmp_path / "a.zarr"
    write_image(path, ImageRecord(np.ones((4, 5), np.uint16), "YX"))
    group = zarr.open_group(path)
    changed = group.attrs.asdict()
    changed["ome"]["omero"]["channels"][0]["window"] = window
    group.attrs.put(changed)
    write_image(tmp_path / "b.zarr", read_image(path))
    assert _ngff(tmp_path / "b.zarr")["omero"]["channels"][0]["window"] == window


def test_a_flipped_axis_stays_flipped_in_all_levels(tmp_path: Path) -> None:
    record = replace(
        ImageRecord(np.ones((8, 8), np.uint8), "YX", {"Y": 1.0, "X": 1.0}),
        flipped="Y",
        ngff_version="0.5",
    )
    write_image(tmp_path / "a.zarr", record, levels=2)
    (multiscale,) = _ngff(tmp_path / "a.zarr")["multiscales"]
    scale, translation = multiscale["datasets"][1]["coordinateTransformations"]
    assert scale["scale"] == [-2.0, 2.0]
    assert translation["translation"] == [-0.5, 0.5]
    assert replace(read_image(tmp_path / "a.zarr"), notes=()) == record
