"""The order of layers: which ones hide another one, and how it comes above them."""

from __future__ import annotations

from collections.abc import Iterable

from napari.components import LayerList
from napari.layers import Image, Layer


def covering(layers: LayerList, layer: Image) -> list[Image]:
    """Return the visible images above a layer that it cannot be seen through.

    Parameters
    ----------
    layers : LayerList
        The layers of the viewer.
    layer : Image
        One of them.
    """
    above = list(layers)[layers.index(layer) + 1 :]
    return [
        one
        for one in above
        if isinstance(one, Image) and one.visible and one.blending != "additive"
    ]


def raise_above(layers: LayerList, layer: Layer, others: Iterable[Layer]) -> None:
    """Move a layer directly above the uppermost of others, unless it is above them.

    Parameters
    ----------
    layers : LayerList
        The layers of the viewer.
    layer : Layer
        One of them.
    others : iterable of Layer
        Some of them.
    """
    own = layers.index(layer)
    highest = max((layers.index(one) for one in others), default=own)
    if highest > own:
        layers.move(own, highest + 1)
