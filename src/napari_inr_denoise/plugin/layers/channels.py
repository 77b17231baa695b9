"""Noisy images, and those that are the channels of one composite."""

from __future__ import annotations

import napari
from napari.layers import Image

from napari_inr_denoise.plugin.layers.metadata_keys import is_result


def noisy_images(viewer: napari.Viewer) -> list[Image]:
    """Return the image layers that are neither results nor made of results."""
    images = [one for one in viewer.layers if isinstance(one, Image)]
    return [one for one in images if not is_result(one)]


def composite_of(layer: Image, viewer: napari.Viewer) -> tuple[Image, ...]:
    """Return the channels of the composite of a layer; empty if it is of none."""
    alike = [one for one in noisy_images(viewer) if are_channels(one, layer)]
    return tuple(alike) if len(alike) > 1 else ()


def are_channels(one: Image, other: Image) -> bool:
    """Return whether two layers are channels of one composite.

    Layers of equal shape, size and place that add up on the screen are.
    """
    return bool(
        all(layer.blending == "additive" and not layer.rgb for layer in (one, other))
        and _shape(one) == _shape(other)
        and tuple(one.scale) == tuple(other.scale)
        and tuple(one.translate) == tuple(other.translate)
    )


def _shape(layer: Image) -> tuple[int, ...]:
    data = layer.data[0] if layer.multiscale else layer.data
    return tuple(data.shape)
