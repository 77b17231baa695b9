from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_inr_denoise.plugin.layers.source.layer_source import (
    take_source,
    volume_problem,
)
from napari_inr_denoise.plugin.layers.source.scope import SLICE, STACK, VOLUME

MICRO = ("micrometer", "micrometer", "micrometer")


def _viewer(data: np.ndarray, **keywords: object) -> ViewerModel:
    viewer = ViewerModel()
    viewer.add_image(data, **keywords)
    return viewer


def test_the_current_slice_keeps_its_place_in_the_stack() -> None:
    data = np.arange(5 * 6 * 7).reshape(5, 6, 7)
    viewer = _viewer(data, scale=(0.5, 0.2, 0.1), translate=(1, 2, 3), units=MICRO)
    viewer.dims.set_current_step(0, 3)
    source = take_source(viewer.layers[0], viewer.dims, SLICE)
    np.testing.assert_array_equal(source.image(), data[3:4])
    assert source.axes == "ZYX"
    assert source.spacing == (0.5, 0.2, 0.1)
    np.testing.assert_allclose(source.keywords["translate"], (1 + 3 * 0.5, 2, 3))


def test_the_place_follows_rotation_and_shear() -> None:
    data = np.zeros((4, 6, 7))
    viewer = _viewer(data, scale=(2, 1, 1), rotate=(0, 30, 0), shear=(0.1, 0.2, 0.3))
    layer = viewer.layers[0]
    viewer.dims.set_current_step(0, 2)
    source = take_source(layer, viewer.dims, SLICE)
    index = source.selection[0].start
    keywords = dict(source.keywords)
    added = viewer.add_image(source.image(), **keywords)
    np.testing.assert_allclose(
        added.data_to_world((0, 3, 4)), layer.data_to_world((index, 3, 4))
    )


def test_the_viewers_units_are_not_the_layers() -> None:
    """`dims.point` is in the viewer's units: here two layers differ by 1000."""
    data = np.arange(5 * 6 * 7).reshape(5, 6, 7)
    viewer = _viewer(np.zeros((5, 6, 7)), scale=(1, 1, 1), units=MICRO)
    nano = ("nanometer", "nanometer", "nanometer")
    layer = viewer.add_image(data, scale=(1000, 1000, 1000), units=nano)
    viewer.dims.set_current_step(0, 3)
    source = take_source(layer, viewer.dims, SLICE)
    # The viewer of an older napari has no units: its point is in those of any layer.
    at = 3 if hasattr(viewer.dims, "units") else 0
    assert source.selection[0] == slice(at, at + 1)


def test_the_whole_stack_and_its_attributes() -> None:
    data = np.zeros((2, 5, 6, 7))
    viewer = _viewer(
        data,
        name="cells",
        colormap="magma",
        axis_labels=("t", "z", "y", "x"),
        units=("second", *MICRO),
        metadata={"kept": 1},
        contrast_limits=(3, 9),
    )
    source = take_source(viewer.layers[0], viewer.dims, STACK)
    assert source.axes == "TZYX"
    assert source.image().shape == data.shape
    layer = viewer.add_image(source.image(), **source.keywords)
    assert layer.name == "cells [denoised]"
    assert layer.colormap.name == "magma"
    assert layer.axis_labels == ("t", "z", "y", "x")
    assert layer.units == viewer.layers[0].units
    assert layer.contrast_limits == [3, 9]
    assert layer.metadata == {"kept": 1}


@pytest.mark.parametrize("colours", [(), (3,)])
def test_the_result_looks_as_its_source(colours: tuple[int, ...]) -> None:
    look = {
        "contrast_limits": [3, 9],
        "gamma": 0.7,
        "projection_mode": "max",
        "rendering": "attenuated_mip",
        "attenuation": 0.2,
        "interpolation3d": "nearest",
    }
    viewer = _viewer(np.zeros((5, 8, 8, *colours), np.uint8), rgb=bool(colours), **look)
    source = take_source(viewer.layers[0], viewer.dims, STACK)
    layer = viewer.add_image(source.image(), **source.keywords)
    assert {name: getattr(layer, name) for name in look} == look


def test_the_plane_on_display_counts_not_the_last_two_axes() -> None:
    data = np.arange(5 * 6 * 7).reshape(5, 6, 7)
    viewer = _viewer(data, axis_labels=("z", "y", "x"))
    viewer.dims.order = (1, 2, 0)  # x and z are shown
    viewer.dims.set_current_step(1, 4)
    source = take_source(viewer.layers[0], viewer.dims, SLICE)
    assert source.selection == (slice(None), slice(4, 5), slice(None))
    assert source.axes.count("Y") == source.axes.count("X") == 1
    assert source.axes[1] == "Z"


def test_a_flat_layer_beside_a_stack() -> None:
    viewer = _viewer(np.zeros((5, 6, 7)))
    flat = viewer.add_image(np.ones((6, 7)))
    source = take_source(flat, viewer.dims, SLICE)
    assert source.axes == "YX"
    assert source.image().shape == (6, 7)


def test_a_layer_that_is_not_on_display_is_refused() -> None:
    viewer = _viewer(np.zeros((5, 6, 7)))
    flat = viewer.add_image(np.ones((6, 7)))
    viewer.dims.order = (2, 0, 1)
    with pytest.raises(ValueError, match="fewer than two of its dimensions"):
        take_source(flat, viewer.dims, SLICE)


def test_rgb_multiscale_and_dask() -> None:
    import dask.array as da

    viewer = _viewer(np.zeros((6, 7, 3), np.uint8), rgb=True)
    source = take_source(viewer.layers[0], viewer.dims, SLICE)
    assert source.axes == "YXS"
    assert source.keywords["rgb"] is True
    pyramid = [np.zeros((2, 8, 8)), np.zeros((2, 4, 4))]
    viewer = _viewer(pyramid, multiscale=True)
    source = take_source(viewer.layers[0], viewer.dims, STACK)
    assert source.image().shape == (2, 8, 8)
    viewer = _viewer(da.ones((3, 8, 8), chunks=(1, 8, 8)))
    source = take_source(viewer.layers[0], viewer.dims, SLICE)
    assert isinstance(source.image(), np.ndarray)
    assert source.image().shape == (1, 8, 8)


def test_sizes_are_compared_in_one_unit() -> None:
    mixed = ("micrometer", "micrometer", "nanometer")
    viewer = _viewer(np.zeros((5, 6, 7)), scale=(1, 0.1, 100), units=mixed)
    source = take_source(viewer.layers[0], viewer.dims, STACK)
    np.testing.assert_allclose(source.spacing, (1000, 100, 100))
    viewer.layers[0].units = ("second", "micrometer", "micrometer")
    viewer.dims.order = (1, 0, 2)  # time against x
    source = take_source(viewer.layers[0], viewer.dims, STACK)
    assert source.spacing[0] == source.spacing[2] == 100  # square pixels


def test_results_of_whole_number_colours_are_shown_as_such() -> None:
    viewer = _viewer(np.zeros((6, 7, 3), np.uint8), rgb=True)
    source = take_source(viewer.layers[0], viewer.dims, SLICE)
    shown = source.displayable(np.full((6, 7, 3), 200.4, np.float32))
    assert shown.dtype == np.uint8
    assert shown.max() == 200
    viewer = _viewer(np.zeros((6, 7), np.uint8))
    source = take_source(viewer.layers[0], viewer.dims, SLICE)
    image = np.full((6, 7), 200.4, np.float32)
    assert source.displayable(image) is image


def test_three_dimensional_display_takes_the_last_two() -> None:
    viewer = _viewer(np.zeros((5, 6, 7)))
    viewer.dims.ndisplay = 3
    source = take_source(viewer.layers[0], viewer.dims, STACK)
    assert source.axes == "ZYX"


def test_a_stack_is_not_read_before_it_is_needed() -> None:
    import dask.array as da

    def refuse(_: np.ndarray) -> np.ndarray:
        raise AssertionError("was read")

    data = da.zeros((3, 8, 8), chunks=(1, 8, 8)).map_blocks(refuse, dtype=float)
    viewer = _viewer(da.zeros((3, 8, 8), chunks=(1, 8, 8)))
    source = take_source(viewer.layers[0], viewer.dims, STACK)
    assert replace(source, data=data).image() is data
    assert replace(source, data=data).axes == "ZYX"


def test_a_slice_is_a_copy() -> None:
    viewer = _viewer(np.zeros((6, 7)))
    source = take_source(viewer.layers[0], viewer.dims, SLICE)
    viewer.layers[0].data[:] = 1
    before = source.image()
    viewer.layers[0].data[:] = 2
    assert before.max() == 1


def test_the_middle_of_a_plane() -> None:
    rows = np.arange(9).reshape(1, 9, 1) * np.ones((4, 9, 20))
    viewer = _viewer(rows)
    source = take_source(viewer.layers[0], viewer.dims, SLICE)
    middle = source.middle(5).image()
    assert middle.shape == (1, 5, 5)
    assert (middle[0, 0, 0], middle[0, -1, 0]) == (2, 6)
    assert source.middle(50).image().shape == (1, 9, 20)


def test_volumes_need_planes_along_z() -> None:
    viewer = _viewer(np.zeros((5, 6, 7)), axis_labels=("z", "y", "x"))
    layer = viewer.layers[0]
    assert take_source(layer, viewer.dims, VOLUME).axes == "ZYX"
    assert volume_problem(layer, viewer.dims) == ""
    layer.axis_labels = ("t", "y", "x")
    hindrance = volume_problem(layer, viewer.dims)
    assert "got axes TYX of 5 x 6 x 7 pixels, wanted at least two planes" in hindrance
    with pytest.raises(ValueError, match="at least two planes along Z"):
        take_source(layer, viewer.dims, VOLUME)
    flat = viewer.add_image(np.zeros((1, 6, 7)), name="flat")
    assert "layer 'flat'" in volume_problem(flat, viewer.dims)
    unnamed = viewer.add_image(np.zeros((2, 6, 7)))
    assert volume_problem(unnamed, viewer.dims) == ""
