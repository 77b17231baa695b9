"""The part of a layer that the viewer displays."""

from __future__ import annotations

import numpy as np
from napari.components import Dims
from napari.layers import Image, Layer
from numpy.typing import NDArray

PREVIEW_SIDE = 256
"""Largest side of a preview in pixels, denoised in seconds."""
MIN_IMAGE_SIDE = 16
"""Smallest side in pixels of an image that can be denoised."""


def displayed_plane(layer: Image, dims: Dims) -> tuple[int, int]:
    """Return the layer's two dimensions that form the displayed plane, in data order.

    Raises
    ------
    ValueError
        If fewer than two dimensions of the layer are displayed.
    """
    # The layer's dimensions are the viewer's last ones.
    offset = dims.ndim - layer.ndim
    plane = [axis - offset for axis in dims.displayed[-2:] if axis >= offset]
    if len(plane) < 2:
        raise ValueError(
            f"layer {layer.name!r}: got fewer than two of its dimensions on display, "
            "wanted a plane. Change the order of the viewer's dimensions."
        )
    # In the order of the data: a transposed display has the same plane.
    first, second = sorted(plane)
    return first, second


def current_slice(layer: Image, dims: Dims, shape: tuple[int, ...]) -> list[slice]:
    """Return the index of the current point, as a slice of length 1 per dimension."""
    point = in_layer_units(layer, dims)
    at = layer.world_to_data(point[-layer.ndim :])
    numbers = [
        int(np.clip(np.rint(value), 0, size - 1))
        for value, size in zip(at, shape, strict=True)
    ]
    return [slice(number, number + 1) for number in numbers]


def check_in_view(layer: Image, dims: Dims, axes: str) -> None:
    """Raise ValueError if the viewer's sliders are beyond the planes of a layer.

    Parameters
    ----------
    layer : Image
        The layer.
    dims : Dims
        Dimensions of the viewer.
    axes : str
        A letter for each dimension of the layer.
    """
    at = layer.world_to_data(in_layer_units(layer, dims)[-layer.ndim :])
    data = layer.data[0] if layer.multiscale else layer.data
    offset = dims.ndim - layer.ndim
    for axis in range(layer.ndim):
        number, size = round(float(at[axis])), data.shape[axis]
        if axis + offset not in dims.displayed and not 0 <= number < size:
            raise ValueError(
                f"layer {layer.name!r}: got {axes[axis]} {number} in view, wanted one "
                f"of its planes, 0 to {size - 1}. Move the slider, or choose all "
                "planes."
            )


def visible(layer: Image, axis: int, size: int) -> slice:
    """Return the middle of the visible part of an axis, for a preview."""
    # Corners are those of the displayed level; the slice is that of the full one.
    factor = layer.downsample_factors[layer.data_level][axis] if layer.multiscale else 1
    first, last = (int(corner * factor) for corner in layer.corner_pixels[:, axis])
    first, last = max(first, 0), min(last + 1, size)
    if last - first < MIN_IMAGE_SIDE:  # the layer is outside the window
        first, last = 0, size
    return middle_of(slice(first, last), PREVIEW_SIDE)


def middle_of(part: slice, most: int) -> slice:
    """Return the middle of a slice, with a length of at most `most`."""
    begin = part.start + max(part.stop - part.start - most, 0) // 2
    return slice(begin, min(begin + most, part.stop))


def in_layer_units(
    layer: Layer, dims: Dims, point: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Return a point in the layer's units.

    `dims.point` has the viewer's units, but `world_to_data` takes the layer's units.

    Parameters
    ----------
    layer : Layer
        The layer.
    dims : Dims
        Dimensions of the viewer.
    point : ndarray, optional
        A value for each dimension of the viewer, in its units; its current point if
        omitted.
    """
    point = np.array(dims.point if point is None else point, dtype=float)
    viewer_units = getattr(dims, "units", None)
    if viewer_units is None:
        return point
    for axis, unit in enumerate(layer.units, start=dims.ndim - layer.ndim):
        point[axis] *= (1 * viewer_units[axis]).to(unit).magnitude
    return point
