"""The writer: an image layer as OME-TIFF or OME-Zarr, with how it was made."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_inr_denoise.io.write import write_image
from napari_inr_denoise.plugin.layers.metadata_keys import REPORT_KEY
from napari_inr_denoise.plugin.layers.to_record import layer_record

_ENDING = ".ome.tif"


def write_layer(path: str, data: Any, attributes: Mapping[str, Any]) -> list[str]:  # noqa: ANN401 - as napari has it
    """Write a layer.

    Parameters
    ----------
    path : str
        Ends in .ome.tif, .ome.tiff or .zarr; gets .ome.tif where it has no ending.
    data : array
        Read part by part if it can be.
    attributes : mapping
        Of the layer.

    Returns
    -------
    list of str
        The one file or folder.

    Raises
    ------
    ValueError
        If the name has another ending.
    TypeError
        If the format cannot hold the type of the values.
    """
    # napari's dialog leaves it to the user to type an ending.
    path = path if Path(path).suffix else path + _ENDING
    report = dict(attributes.get("metadata") or {}).get(REPORT_KEY)
    provenance = None if report is None else {"report": report}
    write_image(path, layer_record(data, attributes), provenance)
    return [path]
