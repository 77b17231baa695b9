"""Layers as a queue of what is denoised of each."""

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
    """Return what is to be denoised of layers, or why that cannot be.

    Parameters
    ----------
    viewer : napari.Viewer
        With the layers. The last preview of one is removed before another one.
    layers : sequence of Image
        In the order of the work.
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
    """Return it under a name of its own, which no layer has any more."""
    name = f"{name} [preview]"
    if name in viewer.layers:
        viewer.layers.remove(name)
    return replace(source, keywords=source.keywords | {"name": name})
