"""The layer of a result: there from the first look on, sharper with each one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import napari
from napari.layers import Image
from numpy.typing import NDArray

from napari_inr_denoise.plugin.report_key import REPORT_KEY
from napari_inr_denoise.plugin.source import LayerSource

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
        self._finished = False

    @property
    def layer(self) -> Image | None:
        """The layer, if it was added and the user has not removed it."""
        return self._layer if self._layer in self._viewer.layers else None

    def show(self, image: NDArray[Any]) -> None:
        """Show the image as it is now, unless that would keep the window busy.

        Parameters
        ----------
        image : ndarray of float32, or of the source's whole numbers for colours
            In the source's shape; always the same array, whose values change.
        """
        started = time.monotonic()
        if started < self._not_before:
            return
        if self._layer is None:
            self._layer = self._added(image)
        elif self.layer is not None:
            self.layer.refresh(extent=False)
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
        """Take the layer away if there was no result."""
        if self.layer is not None and not self._finished:
            self._viewer.layers.remove(self._layer)

    def _added(self, image: NDArray[Any]) -> Image:
        keywords = self.source.keywords
        metadata = dict(keywords["metadata"])
        return self._viewer.add_image(image, **{**keywords, "metadata": metadata})
