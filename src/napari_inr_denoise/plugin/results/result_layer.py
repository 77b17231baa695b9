"""The layer of a result: there from the start on, sharper with each look."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import napari
import numpy as np
from napari.layers import Image
from numpy.typing import NDArray

from napari_inr_denoise.plugin.layers.metadata_keys import REPORT_KEY
from napari_inr_denoise.plugin.layers.source import LayerSource

if TYPE_CHECKING:  # the module behind it loads torch
    from napari_inr_denoise.core.denoise import DenoiseResult

_BUSY_SHARE = 0.1
"""Of the window's time that drawing may take."""


class ResultLayer:
    """Shows a run's image while it is made, and in the end the result.

    Parameters
    ----------
    viewer : napari.Viewer
        Where the layer comes to.
    source : LayerSource
        What is denoised.

    Attributes
    ----------
    source : LayerSource
        The same.
    """

    def __init__(self, viewer: napari.Viewer, source: LayerSource) -> None:
        self._viewer, self.source = viewer, source
        self._layer: Image | None = None
        self._not_before = 0.0
        self._has_image = False
        self._finished = False

    @property
    def layer(self) -> Image | None:
        """The layer, if it was added and the user has not removed it."""
        return self._layer if self._layer in self._viewer.layers else None

    def begin(self) -> None:
        """Add the layer before the fit: adding one keeps the window longest.

        It shows the noisy image, or nothing yet where reading that may take long.
        """
        noisy, selection = self.source.data, self.source.selection
        if isinstance(noisy, np.ndarray):
            self._layer = self._added(noisy[selection])
            return
        colours = noisy.shape[len(selection) :]
        dtype = noisy.dtype if self.source.rounded else np.float32
        blank = np.zeros((), dtype)
        self._layer = self._added(np.broadcast_to(blank, self.source.sizes + colours))

    def show(self, image: NDArray[Any]) -> None:
        """Show the image as it is now, unless that would keep the window busy.

        Parameters
        ----------
        image : ndarray of float32, or of the source's whole numbers for colours
            In the source's shape; always the same array, whose values change.
        """
        started = time.monotonic()
        layer = self.layer
        if started < self._not_before or layer is None:
            return
        if self._has_image:
            layer.refresh(extent=False)
        else:
            layer.data, self._has_image = image, True
        took = time.monotonic() - started
        self._not_before = started + took / _BUSY_SHARE

    def finish(self, result: DenoiseResult) -> Image:
        """Show the result, also where the user has removed the layer meanwhile."""
        image = self.source.displayable(result.image)
        layer = self.layer or self._added(image)
        layer.data = image
        layer.metadata[REPORT_KEY] = result.report.to_dict()
        self._layer = layer
        self._finished = True
        return layer

    def close(self) -> None:
        """Take the layer away if there was no result; the source is active again."""
        layer, layers = self.layer, self._viewer.layers
        if layer is None or self._finished:
            return
        # Equal, but not the same: napari gives plugins a proxy of a layer.
        was_active = layers.selection.active == layer
        layers.remove(layer)
        origin = None if self.source.layer is None else self.source.layer()
        if was_active and origin in layers:
            layers.selection.active = origin

    def _added(self, image: NDArray[Any]) -> Image:
        keywords = self.source.keywords
        metadata = dict(keywords["metadata"])
        return self._viewer.add_image(image, **{**keywords, "metadata": metadata})
