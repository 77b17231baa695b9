"""What of each plane is denoised: a drawn box, or labelled pixels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from numpy.typing import NDArray

from napari_inr_denoise.core.preflight import estimate as preflight_module
from napari_inr_denoise.image.source import MaskedImage
from napari_inr_denoise.plugin.layers.source.displayed import PREVIEW_SIDE
from napari_inr_denoise.plugin.layers.source.layer_source import take_source
from napari_inr_denoise.plugin.layers.source.scope import (
    SLICE,
    STACK,
    VISIBLE,
    VOLUME,
)
from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from tests.conftest import process_events, wait_until

MICRO = ("micrometer",) * 3
NANO = ("nanometer",) * 3


def _stack(shape: tuple[int, ...] = (4, 60, 80), **keywords: Any) -> ViewerModel:
    viewer = ViewerModel()
    viewer.add_image(np.arange(np.prod(shape)).reshape(shape), **keywords)
    return viewer


def _rectangle(top: float, left: float, bottom: float, right: float) -> NDArray[Any]:
    return np.array([[top, left], [top, right], [bottom, right], [bottom, left]])


def test_the_box_is_a_crop_in_its_place() -> None:
    viewer = _stack(scale=(2, 0.5, 0.5), translate=(1, 2, 3), rotate=(0, 0, 20))
    layer = viewer.layers[0]
    viewer.dims.set_current_step(0, 2)
    # In the image's own pixels: rows 10 to 29, columns 20 to 59.
    corners = [(2, *corner) for corner in _rectangle(9.6, 19.6, 29.4, 59.4)]
    world = np.array([layer.data_to_world(corner) for corner in corners])
    shapes = viewer.add_shapes([world])
    for scope, planes in ((SLICE, slice(2, 3)), (STACK, slice(0, 4))):
        source = take_source(layer, viewer.dims, scope, shapes)
        cropped = layer.data[planes, 10:30, 20:60]
        np.testing.assert_array_equal(source.image(), cropped)
        added = viewer.add_image(source.image(), **source.keywords)
        np.testing.assert_allclose(
            added.data_to_world((0, 3, 4)), layer.data_to_world((planes.start, 13, 24))
        )
    assert take_source(layer, viewer.dims, VOLUME, shapes).axes == "ZYX"


def test_units_of_the_shapes_are_not_the_images() -> None:
    viewer = _stack(scale=(1, 0.5, 0.5), units=MICRO)
    shapes = viewer.add_shapes(
        [_rectangle(5000, 10000, 14900, 29900)], ndim=2, units=NANO[1:]
    )
    source = take_source(viewer.layers[0], viewer.dims, STACK, shapes)
    assert source.selection[1:] == (slice(10, 31), slice(20, 61))


def test_numbers_count_where_units_cannot_be_compared() -> None:
    viewer = _stack(units=MICRO)
    shapes = viewer.add_shapes([_rectangle(5, 10, 25, 50)])
    source = take_source(viewer.layers[0], viewer.dims, STACK, shapes)
    assert source.selection[1:] == (slice(5, 26), slice(10, 51))


def test_shapes_of_more_dimensions_than_the_image() -> None:
    viewer = _stack()
    flat = viewer.add_image(np.zeros((60, 80)))
    shapes = viewer.add_shapes([np.insert(_rectangle(5, 6, 25, 56), 0, 3, axis=1)])
    source = take_source(flat, viewer.dims, SLICE, shapes)
    assert source.selection == (slice(5, 26), slice(6, 57))


def test_selected_shapes_count_or_all() -> None:
    viewer = _stack()
    shapes = viewer.add_shapes([_rectangle(5, 5, 25, 25), _rectangle(30, 40, 50, 70)])
    shapes.selected_data = set()
    source = take_source(viewer.layers[0], viewer.dims, STACK, shapes)
    assert source.selection[1:] == (slice(5, 51), slice(5, 71))
    shapes.selected_data = {1}
    source = take_source(viewer.layers[0], viewer.dims, STACK, shapes)
    assert source.selection[1:] == (slice(30, 51), slice(40, 71))


def test_the_box_ends_with_the_image() -> None:
    viewer = _stack()
    shapes = viewer.add_shapes([_rectangle(-50, 40, 500, 700)])
    source = take_source(viewer.layers[0], viewer.dims, STACK, shapes)
    assert source.selection[1:] == (slice(0, 60), slice(40, 80))


@pytest.mark.parametrize(
    ("drawn", "said"),
    [
        ([], "got no shape"),
        ([_rectangle(100, 100, 200, 200)], "got 0 x 0 pixels"),
        ([_rectangle(5, 5, 50, 12)], "got 46 x 8 pixels .* at least 16 x 16"),
    ],
)
def test_too_small_a_region_is_said(drawn: list[NDArray[Any]], said: str) -> None:
    viewer = _stack()
    shapes = viewer.add_shapes(drawn or None, name="drawn")
    with pytest.raises(ValueError, match=f"region 'drawn': {said}"):
        take_source(viewer.layers[0], viewer.dims, STACK, shapes)


def test_a_preview_takes_the_middle_of_the_box() -> None:
    viewer = _stack((600, 800))
    shapes = viewer.add_shapes([_rectangle(100, 100, 199, 699)])
    source = take_source(viewer.layers[0], viewer.dims, VISIBLE, shapes)
    assert source.selection == (slice(100, 200), slice(272, 272 + PREVIEW_SIDE))


def test_the_crop_of_a_lazy_layer_is_read_part_by_part() -> None:
    import dask.array as da

    read: list[int] = []

    def note(block: NDArray[Any], block_info: Any = None) -> NDArray[Any]:
        if block_info:
            read.append(block_info[0]["chunk-location"][0])
        return block

    numbers = np.arange(4 * 60 * 80).reshape(4, 60, 80)
    lazy = da.from_array(numbers, chunks=(1, 60, 80)).map_blocks(note, dtype=int)
    viewer = _stack()
    shapes = viewer.add_shapes([_rectangle(5, 6, 25, 56)])
    source = replace(
        take_source(viewer.layers[0], viewer.dims, STACK, shapes), data=lazy
    )
    image = source.image()
    assert image.shape == (4, 21, 51)
    assert read == []
    np.testing.assert_array_equal(image[2, 1:, -3:], numbers[2, 6:26, 54:57])
    assert read == [2]


def test_the_box_of_lazy_colours_and_of_a_pyramid() -> None:
    import dask.array as da

    colours = np.arange(60 * 80 * 3).reshape(60, 80, 3).astype(np.uint8)
    viewer = ViewerModel()
    layer = viewer.add_image(da.from_array(colours), rgb=True)
    shapes = viewer.add_shapes([_rectangle(5, 6, 25, 56)])
    source = take_source(layer, viewer.dims, STACK, shapes)
    np.testing.assert_array_equal(source.image()[...], colours[5:26, 6:57])
    levels = [np.arange(4800).reshape(60, 80), np.zeros((30, 40))]
    layer = viewer.add_image(levels, multiscale=True)
    source = take_source(layer, viewer.dims, SLICE, shapes)
    np.testing.assert_array_equal(source.image(), levels[0][5:26, 6:57])


def test_a_mask_goes_with_its_slice() -> None:
    viewer = _stack()
    labels = np.zeros((4, 60, 80), int)
    labels[3, 10:30] = 7
    mask = viewer.add_labels(labels)
    viewer.dims.set_current_step(0, 3)
    masked = take_source(viewer.layers[0], viewer.dims, SLICE, mask).masked()
    np.testing.assert_array_equal(masked.mask, labels[3:4] > 0)
    np.testing.assert_array_equal(masked.image, viewer.layers[0].data[3:4])
    mask.data[:] = 1  # painted meanwhile
    assert masked.mask.sum() == 20 * 80
    flat = viewer.add_labels(labels[3])
    masked = take_source(viewer.layers[0], viewer.dims, STACK, flat).masked()
    assert masked.mask.shape == (60, 80)


def test_the_middle_is_that_of_the_labels() -> None:
    viewer = _stack()
    labels = np.zeros((60, 80), int)
    labels[40:50, 10:20] = labels[44:58, 4] = 1
    source = take_source(
        viewer.layers[0], viewer.dims, SLICE, viewer.add_labels(labels)
    )
    at = source.selection[0]
    assert source.middle(100).selection == (at, slice(40, 58), slice(4, 20))
    assert source.middle(8).selection == (at, slice(45, 53), slice(8, 16))
    assert source.middle(8).masked().mask.shape == (8, 8)
    elsewhere = np.zeros((4, 60, 80), int)
    elsewhere[3, 40:50] = 1
    nothing = take_source(
        viewer.layers[0], viewer.dims, SLICE, viewer.add_labels(elsewhere)
    )
    assert nothing.middle(100).selection == (at, slice(0, 60), slice(0, 80))


def test_labels_without_a_labelled_pixel_are_refused() -> None:
    viewer = _stack()
    empty = viewer.add_labels(np.zeros((60, 80), int), name="empty")
    with pytest.raises(ValueError, match="'empty': got no labelled pixel"):
        take_source(viewer.layers[0], viewer.dims, SLICE, empty)


def test_a_mask_may_have_another_unit_but_no_other_place() -> None:
    viewer = _stack(units=MICRO, scale=(1, 0.5, 0.5))
    layer = viewer.layers[0]
    labels = np.ones((60, 80), int)
    same = viewer.add_labels(labels, units=NANO[1:], scale=(500, 500))
    assert take_source(layer, viewer.dims, STACK, same).mask is not None
    for wrong in (
        viewer.add_labels(labels[1:], units=NANO[1:], scale=(500, 500), name="off"),
        viewer.add_labels(labels, units=NANO[1:], scale=(501, 500), name="off"),
        viewer.add_labels(np.ones((3, 60, 80), int), name="off"),
        viewer.add_labels(
            labels, units=NANO[1:], scale=(500, 500), translate=(0, 500), name="off"
        ),
    ):
        with pytest.raises(ValueError, match=r"region 'off.*wanted the pixels of"):
            take_source(layer, viewer.dims, STACK, wrong)


def test_a_mask_must_have_the_plane_on_display() -> None:
    viewer = _stack()
    mask = viewer.add_labels(np.ones((60, 80), int))
    viewer.dims.order = (1, 0, 2)
    with pytest.raises(ValueError, match="wanted the pixels of"):
        take_source(viewer.layers[0], viewer.dims, STACK, mask)


@pytest.mark.window
def test_the_box_is_denoised_in_the_window(
    viewer: Any, widget: InrDenoiseWidget
) -> None:
    source = viewer.layers[0]
    corners = np.array(
        [source.data_to_world((5, y, x)) for y, x in ((8, 16), (47, 79))]
    )
    shapes = viewer.add_shapes(
        [corners], shape_type="line", name="box", units=source.units
    )
    assert widget.region.choices == (None, shapes)
    assert widget.layer.value is source
    widget.region.value = shapes
    wait_until(lambda: widget.inputs.cost_label.value.startswith("1 plane of 40x64"))
    widget.run()
    wait_until(lambda: not widget.running)
    result = viewer.layers["noisy stack [denoised]"]
    assert result.data.shape == (1, 40, 64)
    at = viewer.dims.current_step[0]
    np.testing.assert_allclose(
        result.data_to_world((0, 0, 0)), source.data_to_world((at, 8, 16))
    )
    # The needs are told anew for the shape that is selected.
    shapes.add([[*corners[0]], [*(corners[0] + 20 * source.scale)]], shape_type="line")
    shapes.selected_data = {1}
    wait_until(lambda: widget.inputs.cost_label.value.startswith("1 plane of 21x21"))
    viewer.layers.remove(shapes)
    assert widget.region.value is None


@pytest.mark.window
def test_labelled_pixels_are_denoised_in_the_window(
    viewer: Any, widget: InrDenoiseWidget
) -> None:
    source = viewer.layers[0]
    viewer.dims.set_current_step(0, 2)
    labels = np.zeros(source.data.shape[1:], np.uint8)
    mask = viewer.add_labels(labels, scale=source.scale[1:], units=source.units[1:])
    widget.region.value = mask
    wait_until(lambda: "got no labelled pixel" in widget.status_label.value)
    inside = np.zeros(labels.shape, bool)
    inside[10:60, 20:70] = True
    mask.data_setitem(np.nonzero(inside), 4)
    wait_until(lambda: widget.inputs.noise_label.value.startswith("sigma "))
    widget.run()
    wait_until(lambda: not widget.running)
    result = viewer.layers["noisy stack [denoised]"].data[0]
    noisy = source.data[2]
    np.testing.assert_array_equal(result[~inside], noisy[~inside])
    assert (result[inside] != noisy[inside]).mean() > 0.9


@pytest.mark.window
def test_a_region_that_does_not_fit_is_said(
    viewer: Any, widget: InrDenoiseWidget
) -> None:
    widget.region.value = viewer.add_labels(np.ones((3, 3), int), name="small")
    widget.run()
    assert not widget.running
    assert "region 'small': got labels of 3 x 3 pixels" in widget.status_label.value
    process_events(0.5)
    assert "region 'small'" in widget.status_label.value


@pytest.mark.window
def test_what_is_expected_counts_box_and_mask(
    viewer: Any, widget: InrDenoiseWidget, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    real = preflight_module.preflight_steps

    def noted(image: Any, *given: Any) -> Any:
        asked.append(image)
        return real(image, *given)

    monkeypatch.setattr(preflight_module, "preflight_steps", noted)
    source = viewer.layers[0]
    labels = np.zeros(source.data.shape[1:], np.uint8)
    labels[10:60, 20:70] = 1
    alike = {"scale": source.scale[1:], "units": source.units[1:]}
    widget.region.value = viewer.add_labels(labels, **alike)
    wait_until(lambda: widget.inputs.cost_label.value.startswith("1 plane of 96x96"))
    assert isinstance(asked[-1], MaskedImage)
    assert np.asarray(asked[-1].mask).sum() == 50 * 50
    box = viewer.add_shapes([_rectangle(8, 16, 47, 79)], **alike)
    widget.region.value = box
    wait_until(lambda: widget.inputs.cost_label.value.startswith("1 plane of 40x64"))
    assert asked[-1].shape == (1, 40, 64)


@pytest.mark.drawn
@pytest.mark.window
@pytest.mark.parametrize(
    "turn", [np.eye(3), [[0, 1, 20], [-1, 0, 120], [0, 0, 1]]], ids=["", "turned"]
)
def test_what_the_canvas_shows_and_what_is_drawn(
    viewer: Any, widget: InrDenoiseWidget, turn: Any
) -> None:
    source = viewer.layers[0]
    affine = np.eye(4)
    affine[1:, 1:] = turn
    source.affine = affine
    viewer.reset_view()
    camera = viewer.scene.camera if hasattr(viewer, "scene") else viewer.camera
    camera.zoom *= 4
    process_events(0.3)
    widget.inputs.view_button.click()
    box = widget.region.value
    assert box is viewer.layers["Region"]
    seen = source.corner_pixels[:, 1:]
    chosen = take_source(source, viewer.dims, SLICE, box).selection[1:]
    for axis, part in enumerate(chosen):
        assert part.start == pytest.approx(seen[0, axis], abs=1)
        assert part.stop == pytest.approx(seen[1, axis] + 1, abs=1)
    assert widget.layer.value is source
    viewer.dims.ndisplay = 3
    widget.inputs.draw_button.click()
    drawn = widget.region.value
    assert drawn is not box
    assert viewer.dims.ndisplay == 2  # nothing can be drawn in 3D
    assert str(drawn.mode) == "add_rectangle"
    assert drawn.units == source.units[1:]
    np.testing.assert_allclose(
        drawn.data_to_world((8, 9)), source.data_to_world((0, 8, 9))[1:]
    )
