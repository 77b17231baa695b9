"""What can be shown of a result, each as one layer that comes and goes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.image.indexing import Bounds, as_slices
from napari_inr_denoise.image.virtual_array import VirtualArray
from napari_inr_denoise.plugin.layers.metadata_keys import SHOWS_KEY
from napari_inr_denoise.plugin.layers.source.layer_source import LayerSource
from napari_inr_denoise.plugin.results.finished import Finished
from napari_inr_denoise.plugin.results.names import plain_name
from napari_inr_denoise.plugin.results.split_array import SplitArray

NOISY, RESULT, SPLIT, COMPARED = "noisy", "result", "split", "compared"
RESIDUAL, UNCERTAINTY, STRUCTURED = "residual", "uncertainty", "structured"
_OF_IMAGES = (
    "colormap",
    "contrast_limits",
    "gamma",
    "rendering",
    "attenuation",
    "iso_threshold",
    "rgb",
    "metadata",
    "blending",
)
"""Keywords of a result that say nothing of its residual and maps."""
_LIMIT = 4.0
"""Contrast limit of the residual, in multiples of the noise level."""
_SHOWN = 99.8
"""Percentile of a map at the end of its range."""
_LOOKED_AT = 2**19
"""Values of a map that its range is taken from, if it has more."""
_LEAST_SIGMAS = 1e-3
"""Normalized residual below which the local noise cannot be told from it."""


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


class NormalizedResidual(VirtualArray):
    """A residual over the local standard deviation of the noise, as a lazy array.

    The noise is that of the fit: what was removed at strength 0, over the same in units
    of the noise.

    Parameters
    ----------
    residual : array
        At the strength that is shown.
    fitted, normalized : ndarray of float32
        The residual at strength 0, in units of the image and of the local noise.
    sigma : float
        Noise level where the residual is 0.
    """

    def __init__(
        self,
        residual: VirtualArray,
        fitted: NDArray[np.float32],
        normalized: NDArray[np.float32],
        sigma: float,
    ) -> None:
        self._residual, self._fitted = residual, fitted
        self._normalized, self._sigma = normalized, sigma
        self.shape = tuple(residual.shape)
        self.dtype = np.dtype(np.float32)

    def _block(self, bounds: list[Bounds]) -> NDArray[np.float32]:
        at = as_slices(bounds)
        fitted, normalized = self._fitted[at], self._normalized[at]
        told = np.abs(normalized) > _LEAST_SIGMAS
        std = np.full(fitted.shape, self._sigma, np.float32)
        np.divide(fitted, normalized, out=std, where=told)
        return np.asarray(np.asarray(self._residual[at]) / std, np.float32)


def views_of(finished: Finished) -> tuple[str, ...]:
    """Return what can be shown of a result."""
    maps, noisy = finished.result.maps, finished.source.has_values
    colours = "S" in (finished.result.report.files[0].axes or "")
    offered = {
        NOISY: noisy,
        RESULT: True,
        SPLIT: noisy,
        COMPARED: finished.other is not None,
        RESIDUAL: noisy and not colours,
        UNCERTAINTY: finished.result.uncertainty is not None and not colours,
        STRUCTURED: STRUCTURED in maps and not colours,
    }
    return tuple(view for view, there in offered.items() if there)


def split_layer(finished: Finished, view: str) -> tuple[SplitArray, dict[str, Any]]:
    """Return an array with a divide, and layer keywords.

    Parameters
    ----------
    finished : Finished
        The result.
    view : str
        SPLIT for noisy and denoised; COMPARED for the two qualities of a preview.

    Raises
    ------
    ValueError
        If the noisy image has another shape by now.
    """
    source, result, other = finished.source, finished.layer, finished.other
    before = source.image()
    if view == COMPARED and other is not None:
        before = source.displayable(other.result.image)
    _, keywords, _ = result.as_layer_data_tuple()
    own = {
        "name": f"{plain_name(result.name)} [{view}]",
        "metadata": {SHOWS_KEY: view},
        "blending": "additive" if result.blending == "additive" else "opaque",
        "opacity": 1.0,
        "visible": True,
    }
    return SplitArray(before, result.data), keywords | own


def split_labels(finished: Finished, view: str) -> tuple[str, str]:
    """Return what is left and what is right of the divide."""
    if view == COMPARED and finished.other is not None:
        return finished.other.quality_and_time, finished.quality_and_time
    return "Noisy", "Denoised"


def view_layer(
    finished: Finished, view: str, *, raw: bool = False
) -> tuple[Any, dict[str, Any]]:
    """Return data and layer keywords of a view that needs a layer of its own.

    Parameters
    ----------
    finished : Finished
        The result.
    view : str
        RESIDUAL, UNCERTAINTY or STRUCTURED; one of `views_of`.
    raw : bool
        Whether the residual is in units of the image, not of the local noise.
    """
    if view != RESIDUAL:
        return map_layer(finished, view, signed=view == STRUCTURED)
    known = "normalized_residual" in finished.result.maps
    return residual_layer(finished, raw=raw or not known)


def residual_layer(
    finished: Finished, *, raw: bool = True
) -> tuple[Any, dict[str, Any]]:
    """Return the residual of a result at its current strength, and layer keywords.

    Parameters
    ----------
    finished : Finished
        The result.
    raw : bool
        Whether it is in units of the image, not of the local noise.

    Returns
    -------
    array of float32
        Noisy minus denoised, in the shape of the image; lazy for a stack.
    dict
        Keywords of the layer. Its name has the unit, and the strength unless that is 0.
    """
    source, result, shown = finished.source, finished.result, finished.shown
    sigmas = [p.noise.sigma for p in result.report.files[0].planes if p.noise.sigma]
    sigma = float(np.median(sigmas)) if sigmas else 1.0
    removed: Any = Residual(source.image(), result.image if shown is None else shown)
    maps = result.maps
    if not raw:
        removed = NormalizedResidual(
            removed, maps["residual"], maps["normalized_residual"], sigma
        )
    limit = _LIMIT * (sigma if raw else 1.0)
    at = f" at strength {finished.strength:g}" if finished.strength else ""
    at += "" if raw else " / sigma"
    keywords = _keywords(source, "residual", at)
    keywords |= {"colormap": "gray", "contrast_limits": (-limit, limit)}
    return removed if source.whole else np.asarray(removed), keywords


def map_layer(
    finished: Finished, name: str, *, signed: bool
) -> tuple[NDArray[np.float32], dict[str, Any]]:
    """Return a map of a result, and layer keywords with a range that shows it.

    Parameters
    ----------
    finished : Finished
        The result.
    name : str
        One of its maps; NaN where it is unknown.
    signed : bool
        Whether 0 is the middle of the range, not its lower end.
    """
    values = finished.result.maps[name]
    most = _end_of_range(values)
    shown = {
        "colormap": "gray" if signed else "magma",
        "contrast_limits": (-most if signed else 0.0, most),
    }
    at = ", image units"
    if finished.strength and name == UNCERTAINTY:
        at += ", at strength 0"  # the error at another one is not known
    return values, _keywords(finished.source, name, at) | shown


def _end_of_range(values: NDArray[np.float32]) -> float:
    """Return the percentile `_SHOWN` of the absolute values of a map, or about it.

    It is 1 if all values are 0 or unknown. Of a large map only some are looked at: all
    of them would keep the window waiting.
    """
    some = values
    if values.size > _LOOKED_AT:
        places = np.random.default_rng(0).integers(0, values.size, _LOOKED_AT)
        some = values.reshape(-1)[places]
    known = np.abs(some[np.isfinite(some)])
    if not known.size and some is not values:  # those of a small region
        known = np.abs(values[np.isfinite(values)])
    return (float(np.percentile(known, _SHOWN)) if known.size else 0.0) or 1.0


def _keywords(source: LayerSource, shows: str, at: str = "") -> dict[str, Any]:
    """Return the keywords of the source without its look."""
    kept = {key: at for key, at in source.keywords.items() if key not in _OF_IMAGES}
    name = plain_name(str(source.keywords["name"]))
    marked = {SHOWS_KEY: shows}
    return kept | {"name": f"{name} [{shows}{at}]", "rgb": False, "metadata": marked}
