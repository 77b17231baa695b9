"""What was written opens again in napari, in every way that napari has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from npe2 import PluginManager

from napari_inr_denoise import DenoiseSettings, read_image, write_image
from napari_inr_denoise.batch.jobs import plan_jobs
from napari_inr_denoise.batch.options import RunOptions
from napari_inr_denoise.batch.serial import run_jobs
from napari_inr_denoise.core.report.report import DenoiseReport
from napari_inr_denoise.io.ome_zarr.levels import count_levels
from napari_inr_denoise.io.record import ImageRecord
from napari_inr_denoise.plugin.layers.files.to_record import LayersDifferError
from napari_inr_denoise.plugin.layers.metadata_keys import REPORT_KEY, SHOWS_KEY
from napari_inr_denoise.plugin.open_files import add_files

NAME = "napari-inr-denoise"
ENDINGS = (".ome.tif", ".ome.zarr")
MICRO = ("micrometer", "micrometer", "micrometer")


@pytest.fixture(autouse=True)
def _discovered() -> None:
    PluginManager.instance().discover()


@pytest.fixture
def channels(rng: np.random.Generator) -> ImageRecord:
    """A small stack of two channels with all that a file can say of it."""
    return ImageRecord(
        rng.poisson(40, (2, 2, 16, 16)).astype(np.uint16),
        "CZYX",
        {"Z": 0.5, "Y": 0.2, "X": 0.1},
        origin={"Y": 3.0},
        channel_names=("DAPI", "GFP"),
        channel_colours=("#0000ff", "#ff8000"),
        display_ranges=((20.0, 60.0), (30.0, 50.0)),
    )


def _denoised(path: Path, record: ImageRecord, options: RunOptions) -> Path:
    """Write an image and denoise it as the command line does; return the result."""
    write_image(path, record)
    (job,) = plan_jobs([str(path)], path.parent / "out")
    (done,) = [step.done for step in run_jobs([job], options) if step.done]
    assert done.file.status == "done", done.file.error
    return job.output


def _units(layer: Any) -> tuple[str, ...]:
    return tuple(str(unit) for unit in layer.units)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("name", ["a.inr", "renamed"])
def test_a_result_of_the_command_line(
    tmp_path: Path,
    channels: ImageRecord,
    tiny: DenoiseSettings,
    ending: str,
    name: str,
) -> None:
    options = RunOptions(tiny, levels=2)
    result = _denoised(tmp_path / f"a{ending}", channels, options)
    path = result.rename(result.with_name(f"{name}{ending}"))
    viewer = ViewerModel()
    layers = viewer.open(path, plugin=NAME)
    values = read_image(path).data
    for k, (layer, channel) in enumerate(zip(layers, ("DAPI", "GFP"), strict=True)):
        np.testing.assert_array_equal(layer.data, values[k])
        assert layer.name.endswith(f" {channel}")
        np.testing.assert_allclose(layer.scale, (0.5, 0.2, 0.1))
        np.testing.assert_allclose(layer.translate, (0, 3, 0))
        assert _units(layer) == MICRO
        assert layer.axis_labels == ("z", "y", "x")
        report = DenoiseReport.from_dict(layer.metadata[REPORT_KEY])
        assert report.settings.seed == tiny.seed
        assert [plane.index for plane in report.files[0].planes] == [{"Z": 0}, {"Z": 1}]
    blue, orange = layers
    assert blue.colormap.name == "blue"
    np.testing.assert_allclose(orange.colormap.colors[-1], (1, 128 / 255, 0, 1))
    assert [layer.contrast_limits for layer in layers] == [[20, 60], [30, 50]]


@pytest.mark.parametrize("ending", ENDINGS)
def test_one_plane_and_its_map(
    tmp_path: Path, channels: ImageRecord, tiny: DenoiseSettings, ending: str
) -> None:
    plane = replace(channels.with_axes("CZYX"), data=channels.data[0, 0], axes="YX")
    plane = replace(plane.with_axes("YX"), channel_names=("DAPI",))
    options = RunOptions(tiny, maps=("residual",))
    path = _denoised(tmp_path / f"a{ending}", plane, options)
    viewer = ViewerModel()
    (layer,) = viewer.open(path, plugin=NAME)
    assert layer.name == f"{path.stem.removesuffix('.ome')} DAPI"
    report = DenoiseReport.from_dict(layer.metadata[REPORT_KEY])
    assert [plane.index for plane in report.files[0].planes] == [{}]
    beside = path.with_name(path.name.replace(".inr", ".inr.residual"))
    (residual,) = viewer.open(beside, plugin=NAME)
    assert residual.metadata[SHOWS_KEY] == "residual"
    assert REPORT_KEY not in residual.metadata


@pytest.mark.parametrize("ending", ENDINGS)
def test_channels_that_are_saved_together(
    tmp_path: Path, channels: ImageRecord, tiny: DenoiseSettings, ending: str
) -> None:
    result = _denoised(tmp_path / f"a{ending}", channels, RunOptions(tiny))
    viewer = ViewerModel()
    before = viewer.open(result, plugin=NAME)
    path = tmp_path / f"again{ending}"
    assert viewer.layers.save(str(path), plugin=NAME) == [str(path)]
    after = viewer.open(path, plugin=NAME)
    assert [layer.name for layer in after] == [
        "again DAPI",
        "again GFP",
    ]
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(new.data, old.data)
        np.testing.assert_allclose(new.scale, old.scale)
        np.testing.assert_allclose(new.translate, old.translate)
        assert new.units == old.units
        assert new.contrast_limits == old.contrast_limits
        np.testing.assert_array_equal(new.colormap.colors, old.colormap.colors)
        assert new.metadata[REPORT_KEY] == old.metadata[REPORT_KEY]
    # A layer that the user has renamed is a channel of that name.
    after[0].name = "nuclei"
    viewer.layers.selection = set(after)
    viewer.layers.save(str(tmp_path / f"third{ending}"), selected=True, plugin=NAME)
    assert read_image(tmp_path / f"third{ending}").channel_names == ("nuclei", "GFP")


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("colormap", ["gray", "green", "magma"])
def test_a_layer_keeps_its_look(tmp_path: Path, ending: str, colormap: str) -> None:
    viewer = ViewerModel()
    layer = viewer.add_image(
        np.random.default_rng(0).normal(size=(2, 8, 9)).astype(np.float32),
        name="cells [denoised]",
        scale=(50, 65, 65),
        units=("millisecond", "nanometer", "nanometer"),
        axis_labels=("t", "y", "x"),
        translate=(100, 650, 0),
        colormap=colormap,
        contrast_limits=(-1, 2),
    )
    path = tmp_path / f"a{ending}"
    viewer.layers.save(str(path), plugin=NAME)
    viewer.layers.clear()
    (again,) = viewer.open(path, plugin=NAME)
    assert again.name == "cells [denoised]"
    np.testing.assert_allclose(again.scale, (0.05, 0.065, 0.065))
    np.testing.assert_allclose(again.translate, (0.1, 0.65, 0))
    assert _units(again) == ("second", "micrometer", "micrometer")
    assert again.contrast_limits == [-1, 2]
    ends = np.linspace(0, 1, 9)
    np.testing.assert_allclose(
        again.colormap.map(ends), layer.colormap.map(ends), atol=1.5 / 255
    )


def test_layers_that_do_not_fit_are_refused_by_name(tmp_path: Path) -> None:
    viewer = ViewerModel()
    viewer.add_image(np.zeros((4, 5)), name="a")
    viewer.add_image(np.zeros((4, 6)), name="b")
    with pytest.raises(
        LayersDifferError, match=r"layer 'b'.*Save the layers one by one"
    ):
        viewer.layers.save(str(tmp_path / "a.ome.tif"), plugin=NAME)
    assert not list(tmp_path.iterdir())


def test_an_image_and_its_result_become_channels(tmp_path: Path) -> None:
    viewer = ViewerModel()
    noisy = np.arange(20, dtype=np.uint16).reshape(4, 5)
    viewer.add_image(noisy, name="noisy", colormap="viridis")
    viewer.add_image(noisy.astype(np.float32) / 2, name="denoised", colormap="red")
    viewer.layers.save(str(tmp_path / "a.ome.tif"), plugin=NAME)
    first, second = viewer.open(tmp_path / "a.ome.tif", plugin=NAME)
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first.data, noisy)
    np.testing.assert_array_equal(second.data, noisy / 2)
    assert len(first.colormap.colors) == 256
    assert second.colormap.name == "red"


def test_a_multiscale_layer_is_a_zarr_with_levels(tmp_path: Path) -> None:
    viewer = ViewerModel()
    image = np.random.default_rng(0).normal(size=(600, 600)).astype(np.float32)
    viewer.add_image([image, image[::2, ::2]], multiscale=True)
    path = tmp_path / "a.ome.zarr"
    viewer.layers.save(str(path), plugin=NAME)
    assert count_levels(path) == 3
    (layer,) = viewer.open(path, plugin=NAME)
    np.testing.assert_array_equal(layer.data, image)


def test_a_file_that_is_opened_from_the_menu(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.tif"
    write_image(path, ImageRecord(np.ones((4, 5)), "YX"), {"report": {"version": "1"}})
    viewer = ViewerModel()
    add_files(viewer, [str(path)])
    assert viewer.layers[0].metadata[REPORT_KEY] == {"version": "1"}


@pytest.mark.window
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_file_that_is_dropped_on_the_window(
    tmp_path: Path, viewer: Any, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    from napari._qt.dialogs.qt_reader_dialog import QtReaderDialog

    record = ImageRecord(np.ones((4, 5), np.float32), "YX", {"Y": 0.2, "X": 0.1})
    path = tmp_path / f"a{ending}"
    write_image(path, record, {"report": {"version": "1"}})
    offered = []

    def choose(dialog: QtReaderDialog) -> tuple[str, bool]:
        offered.extend(button.text() for button in dialog._reader_buttons)
        offered.extend(b.text() for b in dialog.reader_btn_group.buttons())
        return "INR Denoise", False

    monkeypatch.setattr(QtReaderDialog, "get_user_choices", choose)
    viewer.window._qt_viewer._qt_open([str(path)], stack=False)
    assert "INR Denoise" in offered
    (layer,) = viewer.layers
    np.testing.assert_allclose(layer.scale, (0.2, 0.1))
    assert layer.metadata[REPORT_KEY] == {"version": "1"}
