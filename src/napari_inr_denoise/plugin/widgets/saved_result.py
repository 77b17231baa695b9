"""Results of earlier runs, which were opened from files."""

from __future__ import annotations

from napari.components import Dims
from napari.layers import Image

from napari_inr_denoise.core.pipeline.result import DenoiseResult
from napari_inr_denoise.core.report.report import DenoiseReport
from napari_inr_denoise.plugin.controls.messages import ending_message
from napari_inr_denoise.plugin.layers.metadata_keys import REPORT_KEY
from napari_inr_denoise.plugin.layers.scope import STACK
from napari_inr_denoise.plugin.layers.source import take_source
from napari_inr_denoise.plugin.results.finished import Finished


def saved_result(layer: Image, dims: Dims) -> Finished | None:
    """Return what the metadata of a layer tell of the run that made it.

    The noisy image is not known: it cannot be compared, nor the strength be changed.

    Returns
    -------
    Finished or None
        None if the layer has no report, or one that cannot be understood.
    """
    values = layer.metadata.get(REPORT_KEY)
    # A layer that was not read from a file belongs to the panel that made it.
    if values is None or layer.source.path is None:
        return None
    try:
        report = DenoiseReport.from_dict(values)
        source = take_source(layer, dims, STACK).emptied()
        result = DenoiseResult(layer.data, report)
        ending = ending_message(result, len(report.files[0].planes))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return None
    return Finished(source, result, layer, ending)
