"""The writer: an image layer as OME-TIFF or OME-Zarr, with its provenance."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_inr_denoise.io.write import write_image
from napari_inr_denoise.plugin.layers.metadata_keys import REPORT_KEY
from napari_inr_denoise.plugin.layers.to_record import layer_record

_ENDING = ".ome.tif"


def write_layer(path: str, data: Any, attributes: Mapping[str, Any]) -> list[str]:  # noqa: ANN401 - as napari has it
    """Write an image layer to a file.

    Parameters
    ----------
    path : str
        Ends in .ome.tif, .ome.tiff or .zarr; .ome.tif is appended if it has no ending.
    data : array
        Lazy arrays are read in parts.
    attributes : mapping
        Attributes of the layer, as napari passes them.

    Returns
    -------
    list of str
        The path that was written.

    Raises
    ------
    ValueError
        If the path has another ending.
    TypeError
        If the format cannot hold the data type.
    """
    # napari's dialog does not append an ending.
    path = path if Path(path).suffix else path + _ENDING
    report = dict(attributes.get("metadata") or {}).get(REPORT_KEY)
    provenance = None if report is None else {"report": report}
    write_image(path, layer_record(data, attributes), provenance)
    return [path]
