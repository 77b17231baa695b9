"""Builds the queue of a run from layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import napari
from napari.layers import Image

from napari_inr_denoise.plugin.layers.region import Region
from napari_inr_denoise.plugin.layers.scope import VISIBLE
from napari_inr_denoise.plugin.layers.source import LayerSource, take_source
from napari_inr_denoise.plugin.runs.queue import RunQueue


def build_queue(
    viewer: napari.Viewer,
    layers: Sequence[Image],
    scope: str,
    region: Region | None,
) -> RunQueue:
    """Return a queue with the sources of layers, and the causes of refused ones.

    Parameters
    ----------
    viewer : napari.Viewer
        With the layers. A new preview of a layer removes the last one.
    layers : sequence of Image
        In the order of the queue.
    scope, region
        As for `take_source`.
    """
    queue = RunQueue()
    for layer in layers:
        try:
            source = take_source(layer, viewer.dims, scope, region)
        except ValueError as error:
            queue.refuse(layer.name, str(error))
        else:
            if scope == VISIBLE:
                source = _as_preview(source, layer.name, viewer)
            queue.add(layer.name, source)
    return queue


def _as_preview(source: LayerSource, name: str, viewer: napari.Viewer) -> LayerSource:
    """Return the source named as a preview, and remove the last preview."""
    name = f"{name} [preview]"
    if name in viewer.layers:
        viewer.layers.remove(name)
    # A part of a channel covers its surroundings, which stay.
    own = {"name": name, "blending": "translucent_no_depth"}
    return replace(source, keywords=source.keywords | own)
