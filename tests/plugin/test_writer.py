"""Layers saved as files come back equal, with how they were made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from npe2 import PluginManager

from napari_inr_denoise import read_image
from napari_inr_denoise.io.provenance import read_provenance
from napari_inr_denoise.plugin.layers.metadata_keys import REPORT_KEY
from napari_inr_denoise.plugin.reader import read_layers
from napari_inr_denoise.plugin.writer import write_layer

MICRO = ("micrometer", "micrometer", "micrometer")
ENDINGS = [".ome.tif", ".ome.zarr"]


@pytest.fixture(autouse=True)
def _discovered() -> None:
    PluginManager.instance().discover()


def _saved(path: Path, data: Any, **keywords: Any) -> Any:
    """Save a layer as File > Save does, and return it as the viewer had it."""
    viewer = ViewerModel()
    layer = viewer.add_image(data, **keywords)
    viewer.layers.selection = {layer}
    assert viewer.layers.save(str(path), selected=True) == [str(path)]
    return layer


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_result_comes_back_equal(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"result{ending}"
    report = {"version": "1", "files": [{"planes": [{"sigma": 3.5}]}]}
    layer = _saved(
        path,
        np.random.default_rng(0).normal(size=(3, 8, 9)).astype(np.float32),
        name="cells [denoised]",
        scale=(0.5, 0.2, 0.1),
        translate=(1.5, 0, 0),
        units=MICRO,
        axis_labels=("z", "y", "x"),
        contrast_limits=(-1, 2),
        metadata={REPORT_KEY: report},
    )
    ((data, keywords, _),) = read_layers(path)
    np.testing.assert_array_equal(data, layer.data)
    assert data.dtype == np.float32
    assert keywords["scale"] == (0.5, 0.2, 0.1)
    assert keywords["units"] == MICRO
    assert keywords["axis_labels"] == ("z", "y", "x")
    assert tuple(keywords["contrast_limits"]) == (-1, 2)
    assert read_provenance(path) == {"report": report}
    record = read_image(path)
    assert record.channel_names == ("cells [denoised]",)
    assert record.origin.get("Z") == 1.5


@pytest.mark.parametrize("ending", ENDINGS)
def test_sizes_in_other_units_and_in_none(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"movie{ending}"
    _saved(
        path,
        np.zeros((2, 6, 7), np.uint16),
        scale=(50, 65, 65),
        units=("millisecond", "nanometer", "nanometer"),
        axis_labels=("t", "y", "x"),
    )
    record = read_image(path)
    assert record.axes == "TYX"
    assert record.spacing_um == {"Y": 0.065, "X": 0.065}
    assert record.time_step_s == 0.05
    plain = tmp_path / f"plain{ending}"
    _saved(plain, np.zeros((2, 6, 7), np.uint16), scale=(3, 0.5, 0.5))
    ((_, keywords, _),) = read_layers(plain)
    assert keywords["scale"] == (3, 0.5, 0.5)
    assert keywords["units"] == ("pixel", "pixel", "pixel")


@pytest.mark.parametrize("ending", ENDINGS)
def test_colours(tmp_path: Path, ending: str) -> None:
    colours = np.random.default_rng(0).integers(0, 255, (6, 7, 3), np.uint8)
    _saved(tmp_path / f"rgb{ending}", colours, rgb=True)
    record = read_image(tmp_path / f"rgb{ending}")
    assert record.axes == "YXS"
    np.testing.assert_array_equal(record.data, colours)


def test_levels_and_lazy_data(tmp_path: Path) -> None:
    import dask.array as da

    levels = [np.full((8, 8), 5, np.uint8), np.full((4, 4), 5, np.uint8)]
    _saved(tmp_path / "levels.ome.tif", levels, multiscale=True)
    assert read_image(tmp_path / "levels.ome.tif").data.shape == (8, 8)
    lazy = da.arange(2 * 6 * 7, chunks=42).reshape(2, 6, 7).astype(np.float32)
    _saved(tmp_path / "lazy.ome.tif", lazy)
    np.testing.assert_array_equal(read_image(tmp_path / "lazy.ome.tif").data, lazy)


def test_a_name_without_an_ending_gets_one(tmp_path: Path) -> None:
    plane = np.zeros((4, 5), np.uint8)
    written = write_layer(str(tmp_path / "a"), plane, {"name": "a"})
    assert written == [str(tmp_path / "a.ome.tif")]
    with pytest.raises(ValueError, match=r"ends in \.ome\.tif"):
        write_layer(str(tmp_path / "a.png"), plane, {})


def test_only_images_are_taken(tmp_path: Path) -> None:
    (writer,) = (
        w
        for w in PluginManager.instance().iter_compatible_writers(["image"])
        if w.command.startswith("napari-inr-denoise")
    )
    assert writer.filename_extensions == [".ome.tif", ".ome.tiff", ".ome.zarr"]
    others = PluginManager.instance().iter_compatible_writers(["labels"])
    assert all(not w.command.startswith("napari-inr-denoise") for w in others)
    # Other names stay with napari.
    plain = tmp_path / "plain.tif"
    found, _ = PluginManager.instance().get_writer(str(plain), ["image"])
    assert found is not None
    assert found.command.startswith("napari.")


def test_a_file_is_not_replaced_under_a_name_that_had_no_ending(
    tmp_path: Path,
) -> None:
    data = np.zeros((8, 9), np.float32)
    (written,) = write_layer(str(tmp_path / "cells"), data, {})
    before = Path(written).read_bytes()
    with pytest.raises(FileExistsError, match=r"Add the ending \.ome\.tif"):
        write_layer(str(tmp_path / "cells"), data + 1, {})
    assert Path(written).read_bytes() == before
    assert write_layer(written, data + 1, {}) == [written]
