"""Builds the queue of a run from layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import napari
from napari.layers import Image

from napari_inr_denoise.core.settings import DenoiseSettings
from napari_inr_denoise.plugin.layers.source.displayed import check_in_view
from napari_inr_denoise.plugin.layers.source.layer_source import (
    LayerSource,
    take_source,
)
from napari_inr_denoise.plugin.layers.source.region import Region
from napari_inr_denoise.plugin.layers.source.scope import SLICE, VISIBLE
from napari_inr_denoise.plugin.runs.queue import QueuedRun, RunQueue


def build_queue(
    viewer: napari.Viewer,
    layers: Sequence[Image],
    scope: str,
    region: Region | None,
    settings: Sequence[DenoiseSettings],
    *,
    same_dtype: bool = False,
) -> RunQueue:
    """Return a queue with the sources of layers, and the causes of refused ones.

    Parameters
    ----------
    viewer : napari.Viewer
        With the layers.
    layers : sequence of Image
        In the order of the queue.
    scope, region
        As for `take_source`.
    settings : sequence of DenoiseSettings
        Each layer is denoised with each of them; several are told apart by their
        presets.
    same_dtype : bool
        Whether the result layers have the integers of their sources.
    """
    queue = RunQueue()
    for layer in layers:
        try:
            source = take_source(layer, viewer.dims, scope, region)
            if scope in {SLICE, VISIBLE}:
                check_in_view(layer, viewer.dims, source.axes)
        except ValueError as error:
            queue.refuse(layer.name, str(error))
            continue
        source = replace(source, same_dtype=same_dtype)
        source = _as_preview(source, layer.name) if source.is_preview else source
        for one in settings:
            name = layer.name if len(settings) == 1 else one.preset.capitalize()
            queue.add(QueuedRun(name, source, one))
    return queue


def _as_preview(source: LayerSource, name: str) -> LayerSource:
    """Return the source named as a preview."""
    # A part of a channel covers its surroundings, which stay.
    own = {"name": f"{name} [preview]", "blending": "translucent_no_depth"}
    return replace(source, keywords=source.keywords | own)
