"""The region of a plane to denoise: the box around shapes, or labelled pixels."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
from napari.components import Dims
from napari.layers import Image, Labels, Shapes
from numpy.typing import NDArray

from napari_inr_denoise.plugin.layers.source.displayed import (
    MIN_IMAGE_SIDE,
    displayed_plane,
)
from napari_inr_denoise.plugin.layers.source.transforms import in_pixels

Region = Shapes | Labels
_SAME_PIXEL = 0.05
"""Largest offset of a mask's corners, in pixels of the image."""


def drawn_box(
    shapes: Shapes, layer: Image, dims: Dims, shape: tuple[int, ...]
) -> tuple[slice, slice]:
    """Return the bounding box of shapes in the displayed plane of an image.

    Parameters
    ----------
    shapes : Shapes
        Its selected shapes are used, or all if none is selected.
    layer : Image
        The image to denoise.
    dims : Dims
        Dimensions of the viewer.
    shape : tuple of int
        Shape of the image, without samples.

    Returns
    -------
    tuple of slice
        Rows and columns of the image, in pixels.

    Raises
    ------
    ValueError
        If there is no shape, or the box holds too few pixels of the image.
    """
    corners = [shapes.data[number] for number in sorted(shapes.selected_data)]
    corners = corners or list(shapes.data)
    if not corners:
        raise ValueError(
            f"region {shapes.name!r}: got no shape, wanted at least one. Draw a "
            "rectangle on the image, or choose the whole image."
        )
    found = in_pixels(np.concatenate(corners), shapes, layer, dims)
    rows, columns = (
        _reached(found[:, axis], shape[axis]) for axis in displayed_plane(layer, dims)
    )
    height, width = (max(one.stop - one.start, 0) for one in (rows, columns))
    least = MIN_IMAGE_SIDE
    if min(height, width) < least:
        raise ValueError(
            f"region {shapes.name!r}: got {height} x {width} pixels of layer "
            f"{layer.name!r}, wanted at least {least} x {least}. Draw a "
            "larger shape on the image."
        )
    return rows, columns


def _reached(places: NDArray[np.float64], size: int) -> slice:
    """Return the pixels along an axis that the places reach, even in part."""
    # A pixel extends half a pixel to either side of its centre.
    first, last = math.floor(places.min() + 0.5), math.ceil(places.max() - 0.5)
    return slice(max(first, 0), min(last + 1, size))


def mask_of(labels: Labels, layer: Image, dims: Dims, shape: tuple[int, ...]) -> Any:  # noqa: ANN401 - whatever can be read part by part
    """Return the mask of a labels layer, not yet read: pixels above 0 are denoised.

    Parameters
    ----------
    labels : Labels
        On the same pixels as the image. With fewer dimensions it holds for all planes.
    layer, dims, shape
        As for `drawn_box`.

    Raises
    ------
    ValueError
        If its pixels are not those of the image, or none in memory is labelled.
    """
    data = labels.data[0] if labels.multiscale else labels.data
    lacking = layer.ndim - labels.ndim
    same = (
        tuple(data.shape) == shape[max(lacking, 0) :]
        and lacking <= displayed_plane(layer, dims)[0]
        and _on_the_same_pixels(labels, layer, dims, data.shape)
    )
    if not same:
        raise ValueError(
            f"region {labels.name!r}: got labels of {_size_text(data.shape)} pixels, "
            f"wanted the pixels of layer {layer.name!r} ({_size_text(shape)}, or one "
            "plane of them for all), in the same place. Select the image and add a new "
            "labels layer."
        )
    if isinstance(data, np.ndarray) and not any((plane > 0).any() for plane in data):
        raise ValueError(
            f"region {labels.name!r}: got no labelled pixel, wanted at least one. "
            "Paint on what to denoise, or choose the whole image."
        )
    return data


def _on_the_same_pixels(
    labels: Labels, layer: Image, dims: Dims, shape: tuple[int, ...]
) -> bool:
    """Return whether the corners of a mask have the same indices in the image."""
    corners = np.array(list(product(*((0, size - 1) for size in shape))), dtype=float)
    found = in_pixels(corners, labels, layer, dims)[:, -labels.ndim :]
    return bool(np.abs(found - corners).max() < _SAME_PIXEL)


def _size_text(shape: tuple[int, ...]) -> str:
    return " x ".join(str(size) for size in shape)
