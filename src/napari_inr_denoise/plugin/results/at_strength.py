"""A result at another strength, as a lazy array that a layer can show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.image.indexing import Bounds, as_slices
from napari_inr_denoise.image.virtual_array import VirtualArray
from napari_inr_denoise.plugin.layers.source.layer_source import LayerSource

if TYPE_CHECKING:  # the module behind it loads torch
    from napari_inr_denoise.core.denoise import DenoiseResult


class AtStrength(VirtualArray):
    """A result with less or more denoising; planes are computed when they are indexed.

    Parameters
    ----------
    source : LayerSource
        The source of the run.
    result : DenoiseResult
        The result of the fit, at strength 0.
    strength : float
        -1 for the input, 0 for the result, 1 for the smoothest.

    Attributes
    ----------
    shape : tuple of int
        Shape of the result.
    dtype : dtype
        Data type of the layer.
    """

    def __init__(
        self, source: LayerSource, result: DenoiseResult, strength: float
    ) -> None:
        self._source, self._result, self._strength = source, result, strength
        self._noisy: Any = source.image()
        self.shape = result.image.shape
        self.dtype = source.displayable(np.empty(0, dtype=np.float32)).dtype

    def _block(self, bounds: list[Bounds]) -> NDArray[Any]:
        from napari_inr_denoise.core.ensemble.strength import image_at_strength

        chosen = as_slices(bounds)
        in_plane = [letter in "YXS" for letter in self._source.axes]
        # A pixel depends on its surroundings: whole planes are computed.
        whole = tuple(
            slice(None) if inner else one
            for one, inner in zip(chosen, in_plane, strict=True)
        )
        doubt = self._result.uncertainty
        planes = image_at_strength(
            np.asarray(self._noisy[whole]),
            self._result.image[whole],
            None if doubt is None else doubt[whole],
            self._source.axes,
            self._strength,
        )
        part = tuple(
            one if inner else slice(None)
            for one, inner in zip(chosen, in_plane, strict=True)
        )
        return self._source.displayable(planes[part])
