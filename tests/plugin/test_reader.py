from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_inr_denoise.io.record import ImageRecord
from napari_inr_denoise.io.write import write_image
from napari_inr_denoise.plugin import reader, sample_data
from napari_inr_denoise.plugin.reader import get_reader, read_layers, record_layers
from tests.file_sets import write_positions


def test_axes_sizes_and_units_become_the_layers() -> None:
    record = ImageRecord(
        np.zeros((2, 3, 4, 5)), "TZYX", {"Z": 0.5, "Y": 0.2, "X": 0.1}, 30.0
    )
    ((data, keywords, kind),) = record_layers(record, "cells")
    assert data.shape == (2, 3, 4, 5)
    assert kind == "image"
    assert keywords["scale"] == (30.0, 0.5, 0.2, 0.1)
    assert keywords["units"] == ("second", *["micrometer"] * 3)
    assert keywords["axis_labels"] == ("t", "z", "y", "x")


def test_an_unknown_size_is_one_pixel() -> None:
    ((_, keywords, _),) = record_layers(ImageRecord(np.zeros((4, 5)), "YX"), "a")
    assert keywords["scale"] == (1.0, 1.0)
    assert keywords["units"] == ("pixel", "pixel")


def test_each_channel_becomes_a_layer_and_the_plane_comes_last() -> None:
    data = np.arange(4 * 2 * 5).reshape(4, 2, 5)
    layers = record_layers(ImageRecord(data, "YCX", {}, None, ("DAPI", "GFP")), "a")
    assert [keywords["name"] for _, keywords, _ in layers] == ["a DAPI", "a GFP"]
    np.testing.assert_array_equal(layers[1][0], data[:, 1])


def test_colours_ranges_and_missing_names() -> None:
    record = ImageRecord(
        np.zeros((2, 4, 5)),
        "CYX",
        channel_names=("", "GFP"),
        channel_colours=("#ff800080", ""),
        display_ranges=((1.0, 9.0), None),
    )
    (_, first, _), (_, second, _) = record_layers(record, "a")
    assert (first["name"], second["name"]) == ("a channel 0", "a GFP")
    assert (first["colormap"], second["colormap"]) == ("#ff8000", "green")
    assert first["contrast_limits"] == (1.0, 9.0)
    assert "contrast_limits" not in second


def test_rgb_samples_stay_last() -> None:
    ((data, keywords, _),) = record_layers(ImageRecord(np.zeros((3, 4, 5)), "SYX"), "a")
    assert data.shape == (4, 5, 3)
    assert keywords["rgb"] is True


def test_grey_with_alpha_and_colours_beyond_one() -> None:
    ((data, keywords, _),) = record_layers(ImageRecord(np.ones((4, 5, 2)), "YXS"), "a")
    assert data.shape == (4, 5)
    assert keywords["rgb"] is False
    assert "alpha" in keywords["metadata"]["notes"][0]
    colours = ImageRecord(np.full((4, 5, 3), 200.0), "YXS")
    ((_, keywords, _),) = record_layers(colours, "a")
    assert keywords["contrast_limits"] == (0, 255)


def test_several_files_and_foreign_names(tmp_path: Path) -> None:
    paths = [tmp_path / "a.inr.ome.tif", tmp_path / "b.inr.ome.zarr"]
    for path in paths:
        write_image(path, ImageRecord(np.zeros((4, 5), np.float32), "YX"))
    read = get_reader([str(path) for path in paths])
    assert read is not None
    assert len(read([str(path) for path in paths])) == 2
    assert get_reader("a.xyz") is None
    assert get_reader([]) is None


@pytest.mark.parametrize(
    ("make", "labels"),
    [
        (sample_data.cells, ("y", "x")),
        (sample_data.stack, ("z", "y", "x")),
        (sample_data.moving_vesicles, ("t", "y", "x")),
    ],
)
def test_samples_have_sizes_and_labels(make, labels) -> None:  # noqa: ANN001
    ((data, keywords, kind),) = make()
    assert kind == "image"
    assert keywords["axis_labels"] == labels
    assert data.ndim == len(labels)


def test_every_image_of_a_file_becomes_a_layer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as writer:
        for value, name in enumerate(("left", "right", "label")):
            plane = np.full((8, 9 + value), value, np.uint8)
            writer.write(plane, metadata={"Name": name})
    layers = read_layers(path)
    assert [keywords["name"] for _, keywords, _ in layers] == [
        "a left",
        "a right",
    ]
    assert [int(data[0, 0]) for data, _, _ in layers] == [0, 1]
    ((data, _, _),) = read_layers(path, "label")
    assert int(data[0, 0]) == 2
    monkeypatch.setattr(reader, "MAX_IMAGES", 1)
    ((_, keywords, _),) = read_layers(path)
    assert "only the first was read" in keywords["metadata"]["notes"][0]
    assert len(read_layers(path, "all")) == 2


def test_a_position_is_one_layer(tmp_path: Path) -> None:
    _, path = write_positions(tmp_path, 2)
    ((data, keywords, _),) = read_layers(path)
    assert keywords["name"] == "p1 Pos1"
    assert abs(data.mean() - 200) < 20
