"""Results of earlier runs, which were opened from files."""

from __future__ import annotations

import napari
from napari.layers import Image

from napari_inr_denoise.core.pipeline.output.result import DenoiseResult
from napari_inr_denoise.core.report.report import DenoiseReport
from napari_inr_denoise.plugin.controls.messages import ending_message
from napari_inr_denoise.plugin.layers.channels import noisy_images
from napari_inr_denoise.plugin.layers.metadata_keys import (
    NUMBER_KEY,
    REPORT_KEY,
    file_of,
)
from napari_inr_denoise.plugin.layers.source.layer_source import take_source
from napari_inr_denoise.plugin.layers.source.scope import STACK
from napari_inr_denoise.plugin.results.finished import Finished


def saved_result(layer: Image, viewer: napari.Viewer) -> Finished | None:
    """Return what the metadata of a layer tell of the run that made it.

    If the noisy image is open too, the result can be compared with it.

    Returns
    -------
    Finished or None
        None if the layer has no report, or one that cannot be understood.
    """
    values = layer.metadata.get(REPORT_KEY)
    # A layer that was not read from a file belongs to the panel that made it.
    if values is None or file_of(layer) is None:
        return None
    try:
        report = DenoiseReport.from_dict(values)
        noisy = _noisy_of(layer, report, viewer)
        if noisy is None:
            source = take_source(layer, viewer.dims, STACK).emptied()
        else:
            source = take_source(noisy, viewer.dims, STACK)
        result = DenoiseResult(layer.data, report)
        count = len(report.files[0].planes)
        ending = ending_message(result, count)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return None
    return Finished(source, result, layer, ending, count)


def find_noisy(finished: Finished, viewer: napari.Viewer) -> bool:
    """Find the noisy image of a saved result that was opened after it.

    Returns
    -------
    bool
        Whether it was found; the result can be compared with it then.
    """
    if finished.source.has_values or file_of(finished.layer) is None:
        return False
    noisy = _noisy_of(finished.layer, finished.result.report, viewer)
    if noisy is None:
        return False
    try:
        finished.source = take_source(noisy, viewer.dims, STACK)
    except ValueError:
        return False
    return True


def _noisy_of(
    layer: Image, report: DenoiseReport, viewer: napari.Viewer
) -> Image | None:
    """Return the open layer that a result was made of, by its file or its name."""
    path = report.files[0].source
    for one in noisy_images(viewer):
        named = layer.name.startswith(f"{one.name} [denoised")
        same_file = path is not None and file_of(one) == path
        same_file &= _channel(one) == _channel(layer)
        if (named or same_file) and one.data.shape == layer.data.shape:
            return one
    return None


def _channel(layer: Image) -> object:
    return layer.metadata.get(NUMBER_KEY)
