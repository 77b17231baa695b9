"""The result layer of a run, updated during the run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import napari
import numpy as np
from napari.layers import Image, Layer
from numpy.typing import NDArray

from napari_inr_denoise.plugin.layers.metadata_keys import (
    LIVE,
    REPORT_KEY,
    SHOWS_KEY,
    is_result,
)
from napari_inr_denoise.plugin.layers.source.layer_source import LayerSource
from napari_inr_denoise.plugin.results.names import plain_name, with_words

if TYPE_CHECKING:  # the module behind it loads torch
    from napari_inr_denoise.core.denoise import DenoiseResult

_BUSY_SHARE = 0.1
"""Largest share of the GUI thread's time for drawing the layer."""


class ResultLayer:
    """Shows the current image of a run, and finally the result.

    Parameters
    ----------
    viewer : napari.Viewer
        The layer is added to it.
    source : LayerSource
        The source of the run.

    Attributes
    ----------
    source : LayerSource
        The source of the run.
    """

    def __init__(self, viewer: napari.Viewer, source: LayerSource) -> None:
        self._viewer, self.source = viewer, source
        self._layer: Image | None = None
        self._not_before = 0.0
        self._has_image = False
        self._finished = False
        self._hidden: list[Layer] = []

    @property
    def layer(self) -> Image | None:
        """The layer; None before it was added and after the user removed it."""
        return self._layer if self._layer in self._viewer.layers else None

    def begin(self) -> None:
        """Add the layer before the fit starts: adding blocks the window longest.

        It shows the noisy image, or zeros if reading that may take long. A preview
        replaces the last one of its layer.
        """
        name, layers = self.source.keywords["name"], self._viewer.layers
        if self.source.is_preview and name in layers:
            layers.remove(name)
        noisy, selection = self.source.data, self.source.selection
        if isinstance(noisy, np.ndarray):
            self._layer = self._added(noisy[selection])
            return
        colours = noisy.shape[len(selection) :]
        dtype = noisy.dtype if self.source.rounded else np.float32
        blank = np.zeros((), dtype)
        self._layer = self._added(np.broadcast_to(blank, self.source.sizes + colours))

    def show(self, image: NDArray[Any]) -> None:
        """Show the current image, unless drawing would take too much time.

        Parameters
        ----------
        image : ndarray of float32, or of the source's integer type for RGB
            In the shape of the source; always the same array with new values.
        """
        started = time.monotonic()
        layer = self.layer
        if started < self._not_before or layer is None:
            return
        if self._has_image:
            layer.refresh(extent=False, thumbnail=False)
        else:
            layer.data, self._has_image = image, True
        took = time.monotonic() - started
        self._not_before = started + took / _BUSY_SHARE

    def finish(self, result: DenoiseResult, *, partial: bool) -> Image:
        """Show the result, in a new layer if the user has removed the first one.

        Parameters
        ----------
        result : DenoiseResult
            The result.
        partial : bool
            Whether the run was stopped: the name of the layer says so.
        """
        image = self.source.displayable(result.image)
        layer = self.layer or self._added(image)
        layer.data = image
        layer.metadata[REPORT_KEY] = result.report.to_dict()
        layer.metadata.pop(SHOWS_KEY, None)
        if partial:
            layer.name = with_words(layer.name, "partial")
        self._layer = layer
        self._finished = True
        return layer

    def close(self) -> None:
        """Remove the layer if there is no result, and select the source again."""
        layer, layers = self.layer, self._viewer.layers
        if layer is None or self._finished:
            return
        # Equal, but not the same: napari gives plugins a proxy of a layer.
        was_active = layers.selection.active == layer
        layers.remove(layer)
        origin = self.source.layer_in(layers)
        for one in self._hidden:
            one.visible = True
        if was_active and origin is not None:
            layers.selection.active = origin

    def _added(self, image: NDArray[Any]) -> Image:
        keywords = self.source.keywords
        metadata = keywords["metadata"] | {SHOWS_KEY: LIVE}
        self._hide_what_adds_up()
        layer = self._viewer.add_image(image, **{**keywords, "metadata": metadata})
        # Else it is that of the limits, which could not be widened.
        layer.contrast_limits_range = self.source.contrast_range
        return layer

    def _hide_what_adds_up(self) -> None:
        """Hide a channel of a composite and its earlier results: they would add up."""
        if self.source.keywords.get("blending") != "additive":
            return
        own = plain_name(self.source.keywords["name"])
        for one in self._viewer.layers:
            earlier = is_result(one) and plain_name(one.name) == own
            if one.visible and (earlier or self.source.is_of(one)):
                one.visible = False
                self._hidden.append(one)
