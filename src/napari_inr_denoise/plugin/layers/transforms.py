"""Where a point of one layer lies in the pixels of another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from napari.components import Dims
from napari.layers import Image, Layer
from numpy.typing import NDArray
from pint import DimensionalityError, Unit

from napari_inr_denoise.plugin.layers.displayed import in_layer_units


def in_pixels(
    points: NDArray[np.floating], of: Layer, layer: Image, dims: Dims
) -> NDArray[np.float64]:
    """Return the pixels of a layer in which points of another one lie.

    Parameters
    ----------
    points : ndarray of float, shape (points, dimensions of `of`)
        In that layer's own data coordinates.
    of : Layer
        Which they belong to. Layers share their last dimensions; along those that it
        lacks, the viewer's current point counts.
    layer : Image
        Whose pixels are wanted.
    dims : Dims
        The viewer's.

    Returns
    -------
    ndarray of float, shape (points, dimensions of `layer`)
        Whole numbers are centres of pixels.
    """
    shared = min(of.ndim, layer.ndim)
    world = np.tile(in_layer_units(layer, dims)[-layer.ndim :], (len(points), 1))
    theirs = np.array([of.data_to_world(point) for point in points])
    factors = _unit_factors(of.units[-shared:], layer.units[-shared:])
    world[:, -shared:] = theirs[:, -shared:] * factors
    return np.array([layer.world_to_data(point) for point in world], dtype=float)


def _unit_factors(given: Sequence[Unit], wanted: Sequence[Unit]) -> NDArray[np.float64]:
    """Return how many of the wanted units each given unit is.

    Where one cannot be compared, such as pixels with micrometres, all numbers count
    as they are: so napari shows them.
    """
    pairs = zip(given, wanted, strict=True)
    try:
        factors = [float((1 * one).to(other).magnitude) for one, other in pairs]
    except DimensionalityError:
        return np.ones(len(given))
    return np.array(factors)
