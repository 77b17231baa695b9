"""Diagnostic layers of a result: its residual, uncertainty and structured noise."""

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
"""Contrast limit of the residual, in multiples of the noise level."""
_NAME_END = "[denoised]"


class Residual(VirtualArray):
    """Noisy minus denoised, as a lazy array of float32.

    Parameters
    ----------
    noisy, denoised : array
        Arrays of the same shape; they are read only where indexed.
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
    """Return the residual of a result at its current strength, and layer keywords.

    Returns
    -------
    array of float32
        Noisy minus denoised, in the shape and units of the image; lazy for a stack.
    dict
        Keywords of the layer. Its name contains the strength unless that is 0.
    """
    source, result, shown = finished.source, finished.result, finished.shown
    removed = Residual(source.image(), result.image if shown is None else shown)
    sigmas = [p.noise.sigma for p in result.report.files[0].planes if p.noise.sigma]
    limit = _LIMIT * float(np.median(sigmas)) if sigmas else 1.0
    limits = {"colormap": "gray", "contrast_limits": (-limit, limit)}
    at = f" at strength {finished.strength:g}" if finished.strength else ""
    keywords = _keywords(source, "residual", at) | limits
    return removed if source.whole else np.asarray(removed), keywords


def uncertainty_layer(
    source: LayerSource, uncertainty: NDArray[np.float32]
) -> tuple[NDArray[np.float32], dict[str, Any]]:
    """Return the standard deviation of each pixel's error, and layer keywords.

    Parameters
    ----------
    source : LayerSource
        The source of the run.
    uncertainty : ndarray of float32
        In the shape and units of the image; NaN where unknown.
    """
    known = uncertainty[np.isfinite(uncertainty)]
    most = float(np.percentile(known, 99.8)) if known.size else 1.0
    limits = {"colormap": "magma", "contrast_limits": (0.0, most or 1.0)}
    return uncertainty, _keywords(source, "uncertainty") | limits


def structured_layer(
    source: LayerSource, structured: NDArray[np.float32]
) -> tuple[NDArray[np.float32], dict[str, Any]]:
    """Return the noise of rows, columns and pixels that was removed, and keywords.

    Parameters
    ----------
    source : LayerSource
        The source of the run.
    structured : ndarray of float32
        In the shape and units of the image; NaN where nothing was removed.
    """
    known = np.abs(structured[np.isfinite(structured)])
    most = float(np.percentile(known, 99.8)) if known.size else 1.0
    limits = {"colormap": "gray", "contrast_limits": (-(most or 1.0), most or 1.0)}
    return structured, _keywords(source, "structured") | limits


def _keywords(source: LayerSource, shows: str, at: str = "") -> dict[str, Any]:
    """Return the keywords of the source without its colours and contrast."""
    own = ("colormap", "contrast_limits", "gamma", "rgb", "metadata")
    kept = {key: value for key, value in source.keywords.items() if key not in own}
    name = str(source.keywords["name"]).removesuffix(_NAME_END).strip()
    marked = {SHOWS_KEY: shows}
    return kept | {"name": f"{name} [{shows}{at}]", "rgb": False, "metadata": marked}
