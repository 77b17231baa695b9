"""Results of earlier runs, which were opened from files."""

from __future__ import annotations

from pathlib import Path

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
from napari_inr_denoise.plugin.layers.source.layer_source import (
    LayerSource,
    source_at,
    take_source,
)
from napari_inr_denoise.plugin.layers.source.part_under import selection_under
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
        source = _source_of(layer, report, viewer)
        if source is None:
            source = take_source(layer, viewer.dims, STACK).emptied()
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
    try:
        source = _source_of(finished.layer, finished.result.report, viewer)
    except ValueError:
        return False
    if source is None:
        return False
    finished.source = source
    return True


def _source_of(
    layer: Image, report: DenoiseReport, viewer: napari.Viewer
) -> LayerSource | None:
    """Return the part of an open layer that a result was made of.

    The file that the report names comes before a layer of the same name.
    """
    made_of, noisy = report.files[0].source or "", noisy_images(viewer)
    of_file = [one for one in noisy if _is_from(one, made_of)]
    named = [one for one in noisy if layer.name.startswith(f"{one.name} [denoised")]
    if Path(made_of).is_absolute():  # a namesake from another file is another image
        named = [one for one in named if file_of(one) is None or one in of_file]
    for one in [one for one in of_file if _channel(one) == _channel(layer)] + named:
        selection = selection_under(layer, one, viewer.dims)
        if selection is not None:
            return source_at(one, viewer.dims, selection)
    return None


def _is_from(layer: Image, made_of: str) -> bool:
    """Return whether a layer is from the file that a report names.

    The command line may have been given a path relative to its folder.
    """
    path, told = file_of(layer), Path(made_of)
    if path is None or not made_of:
        return False
    if told.is_absolute():
        return told == Path(path) or told.resolve() == Path(path).resolve()
    return Path(path).parts[-len(told.parts) :] == told.parts


def _channel(layer: Image) -> object:
    return layer.metadata.get(NUMBER_KEY)
