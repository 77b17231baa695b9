"""The writer: image layers as OME-TIFF or OME-Zarr, with their provenance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from napari_inr_denoise.io.write import write_image
from napari_inr_denoise.plugin.layers.files.provenance import layers_provenance
from napari_inr_denoise.plugin.layers.files.to_record import (
    channels_record,
    layer_record,
)

_ENDING = ".ome.tif"

LayerData = tuple[Any, Mapping[str, Any], str]


def write_layers(path: str, layers: Sequence[LayerData]) -> list[str]:
    """Write one image layer to a file, or several as the channels of one file.

    Parameters
    ----------
    path : str
        Ends in .ome.tif, .ome.tiff or .zarr; .ome.tif is appended if it has no ending.
    layers : sequence of (data, attributes, "image")
        As napari passes them. Lazy arrays are read in parts. Multiscale layers are
        written with levels if the file is an OME-Zarr.

    Returns
    -------
    list of str
        The path that was written.

    Raises
    ------
    ValueError
        If the path has another ending.
    FileExistsError
        If an ending was appended and the file exists: nobody was asked about it.
    LayersDifferError
        If several layers cannot be the channels of one file.
    TypeError
        If the format cannot hold the data type.
    """
    if not Path(path).suffix:  # napari's dialog does not append an ending
        path += _ENDING
        if Path(path).exists():
            raise FileExistsError(
                f"got a name without ending, and {path} exists; wanted a new name. Add "
                f"the ending {_ENDING} to replace the file, or choose another name."
            )
    images = [(data, attributes) for data, attributes, _ in layers]
    record = layer_record(*images[0]) if len(images) == 1 else channels_record(images)
    made = layers_provenance([dict(each.get("metadata") or {}) for _, each in images])
    multiscale = any(each.get("multiscale") for _, each in images)
    write_image(path, record, made, "auto" if multiscale else 1)
    return [path]


def write_layer(path: str, data: Any, attributes: Mapping[str, Any]) -> list[str]:  # noqa: ANN401 - as napari has it
    """Write one image layer, see `write_layers`."""
    return write_layers(path, [(data, attributes, "image")])
