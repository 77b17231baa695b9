"""Layers that help to judge a result: what was removed, and how uncertain it is."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.image.indexing import Bounds, as_slices
from napari_inr_denoise.image.virtual_array import VirtualArray
from napari_inr_denoise.plugin.layers.metadata_keys import SHOWS_KEY
from napari_inr_denoise.plugin.layers.source import LayerSource
from napari_inr_denoise.plugin.results.finished import Finished

_LIMIT = 4.0
"""Of the contrast of what was removed, in noise levels."""
_NAME_END = "[denoised]"


class Removed(VirtualArray):
    """Noisy minus denoised, as float32; made where it is looked at.

    Parameters
    ----------
    noisy, denoised : array
        Of one shape. They may be slow to read.
    """

    def __init__(self, noisy: Any, denoised: Any) -> None:  # noqa: ANN401 - any array
        self._noisy, self._denoised = noisy, denoised
        self.shape = tuple(denoised.shape)
        self.dtype = np.dtype(np.float32)

    def _block(self, bounds: list[Bounds]) -> NDArray[np.float32]:
        selection = as_slices(bounds)
        noisy = np.asarray(self._noisy[selection]).astype(np.float32)
        removed: NDArray[np.float32] = noisy - np.asarray(self._denoised[selection])
        return removed


def residual_layer(finished: Finished) -> tuple[Any, dict[str, Any]]:
    """Return what a result lacks as it is shown now, and how to show that.

    Returns
    -------
    array of float32
        Noisy minus denoised, in the image's shape and units; of a stack each plane is
        made when it is looked at.
    dict
        Keywords of the layer. Its name says the strength, if that was changed.
    """
    source, result, shown = finished.source, finished.result, finished.shown
    removed = Removed(source.image(), result.image if shown is None else shown)
    sigmas = [p.sigma for p in result.report.files[0].planes if p.sigma]
    limit = _LIMIT * float(np.median(sigmas)) if sigmas else 1.0
    limits = {"colormap": "gray", "contrast_limits": (-limit, limit)}
    at = f" at strength {finished.strength:g}" if finished.strength else ""
    keywords = _keywords(source, "residual", at) | limits
    return removed if source.whole else np.asarray(removed), keywords


def uncertainty_layer(
    source: LayerSource, uncertainty: NDArray[np.float32]
) -> tuple[NDArray[np.float32], dict[str, Any]]:
    """Return the standard deviation of each pixel's error, and how to show it.

    Parameters
    ----------
    source : LayerSource
        What was denoised.
    uncertainty : ndarray of float32
        In the image's shape and units; NaN where it is not known.
    """
    known = uncertainty[np.isfinite(uncertainty)]
    most = float(np.percentile(known, 99.8)) if known.size else 1.0
    limits = {"colormap": "magma", "contrast_limits": (0.0, most or 1.0)}
    return uncertainty, _keywords(source, "uncertainty") | limits


def _keywords(source: LayerSource, shows: str, at: str = "") -> dict[str, Any]:
    """Return the place of the source, but neither its colours nor its contrast."""
    own = ("colormap", "contrast_limits", "gamma", "rgb", "metadata")
    kept = {key: value for key, value in source.keywords.items() if key not in own}
    name = str(source.keywords["name"]).removesuffix(_NAME_END).strip()
    marked = {SHOWS_KEY: shows}
    return kept | {"name": f"{name} [{shows}{at}]", "rgb": False, "metadata": marked}
