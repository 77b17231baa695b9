"""The part of an image that lies under a result of it, by place and size."""

from __future__ import annotations

from itertools import product

import numpy as np
from napari.components import Dims
from napari.layers import Image

from napari_inr_denoise.plugin.layers.source.transforms import in_pixels

_SAME_PIXEL = 0.05
"""Largest offset of a result's corners, in pixels of the image."""


def selection_under(
    result: Image, layer: Image, dims: Dims
) -> tuple[slice, ...] | None:
    """Return the part of an image that a result may have been made of.

    Parameters
    ----------
    result : Image
        A result of one plane, of a region, or of the whole image.
    layer : Image
        The image. An image of the same shape is taken whole, wherever it is.
    dims : Dims
        Dimensions of the viewer.

    Returns
    -------
    tuple of slice or None
        A slice for each dimension of the image; None if the pixels of the result are
        not pixels of the image.
    """
    own, whole = _shape(result), _shape(layer)
    if own == whole:
        return tuple(slice(None) for _ in range(layer.ndim))
    if result.ndim != layer.ndim or own[layer.ndim :] != whole[layer.ndim :]:
        return None
    corners = np.array(list(product(*((0, size - 1) for size in own[: layer.ndim]))))
    found = in_pixels(corners.astype(float), result, layer, dims)
    start = np.rint(found[0]).astype(int)
    if np.abs(found - start - corners).max() > _SAME_PIXEL:
        return None
    pairs = list(zip(start.tolist(), own, whole, strict=False))
    if any(at < 0 or at + size > most for at, size, most in pairs):
        return None
    return tuple(
        slice(None) if size == most else slice(at, at + size)
        for at, size, most in pairs
    )


def _shape(layer: Image) -> tuple[int, ...]:
    return tuple((layer.data[0] if layer.multiscale else layer.data).shape)
