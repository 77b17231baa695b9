"""Coordinate transforms between the pixels of two layers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from napari.components import Dims
from napari.layers import Image, Layer
from numpy.typing import NDArray
from pint import DimensionalityError, Unit

from napari_inr_denoise.plugin.layers.source.displayed import in_layer_units


def in_pixels(
    points: NDArray[np.floating], of: Layer, layer: Image, dims: Dims
) -> NDArray[np.float64]:
    """Transform points of one layer to pixel coordinates of another.

    Parameters
    ----------
    points : ndarray of float, shape (points, dimensions of `of`)
        Data coordinates of the layer `of`.
    of : Layer
        The layer of the points. Layers share their last dimensions; missing ones get
        the viewer's current point.
    layer : Image
        The layer of the pixel coordinates.
    dims : Dims
        Dimensions of the viewer.

    Returns
    -------
    ndarray of float, shape (points, dimensions of `layer`)
        Integers are the centres of pixels.
    """
    shared = min(of.ndim, layer.ndim)
    world = np.tile(in_layer_units(layer, dims)[-layer.ndim :], (len(points), 1))
    theirs = np.array([of.data_to_world(point) for point in points])
    factors = _unit_factors(of.units[-shared:], layer.units[-shared:])
    world[:, -shared:] = theirs[:, -shared:] * factors
    return np.array([layer.world_to_data(point) for point in world], dtype=float)


def _unit_factors(given: Sequence[Unit], wanted: Sequence[Unit]) -> NDArray[np.float64]:
    """Return the conversion factor between each pair of units.

    If one pair cannot be converted, such as pixels and micrometres, all factors are 1:
    napari displays such layers without conversion.
    """
    pairs = zip(given, wanted, strict=True)
    try:
        factors = [float((1 * one).to(other).magnitude) for one, other in pairs]
    except DimensionalityError:
        return np.ones(len(given))
    return np.array(factors)
