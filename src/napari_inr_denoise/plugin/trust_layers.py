"""Layers that help to judge a result: what was removed, and how uncertain it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dask.array as da
import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.plugin.report_key import SHOWS_KEY
from napari_inr_denoise.plugin.source import LayerSource

if TYPE_CHECKING:  # the module behind it loads torch
    from napari_inr_denoise.core.denoise import DenoiseResult

_LIMIT = 4.0
"""Of the contrast of what was removed, in noise levels."""
_NAME_END = "[denoised]"


def residual_layer(
    source: LayerSource, result: DenoiseResult
) -> tuple[Any, dict[str, Any]]:
    """Return what was removed, and how to show it.

    Returns
    -------
    array of float32
        Noisy minus denoised, in the image's shape and units; a dask array where the
        source is not in memory.
    dict
        Keywords of the layer.
    """
    noisy = source.image()
    if isinstance(noisy, np.ndarray):
        removed: Any = noisy.astype(np.float32) - result.image
    else:
        lazy: Any = da  # dask has no types
        removed = lazy.asarray(noisy).astype(np.float32) - lazy.asarray(result.image)
    sigmas = [p.sigma for p in result.report.files[0].planes if p.sigma]
    limit = _LIMIT * float(np.median(sigmas)) if sigmas else 1.0
    limits = {"colormap": "gray", "contrast_limits": (-limit, limit)}
    return removed, _keywords(source, "[residual]") | limits


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
    return uncertainty, _keywords(source, "[uncertainty]") | limits


def _keywords(source: LayerSource, name_end: str) -> dict[str, Any]:
    """Return the place of the source, but neither its colours nor its contrast."""
    own = ("colormap", "contrast_limits", "gamma", "rgb", "metadata")
    kept = {key: value for key, value in source.keywords.items() if key not in own}
    name = str(source.keywords["name"]).removesuffix(_NAME_END).strip()
    marked = {SHOWS_KEY: name_end.strip("[]")}
    return kept | {"name": f"{name} {name_end}", "rgb": False, "metadata": marked}
