"""Write an image as OME-TIFF: complete under its name, or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from tifffile import TiffFile, TiffWriter

from napari_inr_denoise.io.ordered_view import OrderedView
from napari_inr_denoise.io.record import ImageRecord
from napari_inr_denoise.io.whole import written_whole

PROVENANCE_KEY = "napari-inr-denoise"
_OME_ORDER = "TCZYXS"
_WRITABLE = {"i1", "i2", "i4", "u1", "u2", "u4", "f4", "f8"}
_MOST_IN_A_PAGE = 2**24
"""Pixels of a plane up to which it is written in strips, which more programs read."""
_TILE = 1024
"""Side of the tiles of larger planes, in pixels."""


def write_image(
    path: str | Path, record: ImageRecord, provenance: Mapping[str, Any] | None = None
) -> None:
    """Write an image with its axes, pixel size, time step and channel names.

    Values that are not in memory are read plane by plane, or tile by tile.
    The file is written beside its place and renamed when it is complete, so a file
    of this name is always whole.

    Parameters
    ----------
    path : str or Path
        Ends in .ome.tif or .ome.tiff. An existing file is replaced.
    record : ImageRecord
        Axes in any order; the file has them as T, C, Z, Y, X, S.
    provenance : mapping, optional
        How the image was made, as values for JSON; kept in the OME annotations and
        read back by `read_provenance`.

    Raises
    ------
    ValueError
        If the name has another ending.
    TypeError
        If OME-TIFF cannot hold the type of the values.
    """
    path = Path(path)
    if not path.name.lower().endswith((".ome.tif", ".ome.tiff")):
        raise ValueError(f"{path}: wanted a name that ends in .ome.tif or .ome.tiff.")
    check_writable(record.data.dtype)
    view = OrderedView(record, _OME_ORDER)
    metadata = _metadata(record, view.axes, provenance)
    with (
        written_whole(path) as beside,
        TiffWriter(beside, bigtiff=view.nbytes > 2**31, ome=True) as writer,
    ):
        writer.write(
            view.pages() if view.page_pixels <= _MOST_IN_A_PAGE else view.tiles(_TILE),
            shape=view.shape,
            dtype=view.dtype,
            tile=None if view.page_pixels <= _MOST_IN_A_PAGE else (_TILE, _TILE),
            metadata=metadata,
            compression="zlib",
            **_sample_layout(view.shape, view.axes),
        )


def check_writable(dtype: np.dtype[Any]) -> None:
    """Raise a sentence if OME-TIFF cannot hold values of a type.

    Raises
    ------
    TypeError
        If it is no integer of up to 32 bits, bool, or float of 32 or 64 bits.
    """
    if dtype != np.bool_ and dtype.str[1:] not in _WRITABLE:
        raise TypeError(
            f"got values of type {dtype}, which OME-TIFF cannot hold; wanted integers "
            "of up to 32 bits or floats of 32 or 64. Write float32 instead."
        )


def _sample_layout(shape: tuple[int, ...], axes: str) -> dict[str, Any]:
    """Say how samples are to be understood: colours, or grey with alpha."""
    if "S" not in axes:
        return {"photometric": "minisblack"}
    if shape[-1] > 2:
        return {"photometric": "rgb", "planarconfig": "contig"}
    return {
        "photometric": "minisblack",
        "planarconfig": "contig",
        "extrasamples": ["unassalpha"] * (shape[-1] - 1),
    }


def read_provenance(path: str | Path) -> dict[str, Any] | None:
    """Return the provenance that `write_image` kept in a file, None without one."""
    try:
        with TiffFile(path) as tiff:
            xml = tiff.ome_metadata
        return _provenance_of(xml) if xml and PROVENANCE_KEY in xml else None
    except Exception:  # noqa: BLE001 - whatever is wrong with it, it is not ours
        return None


def _provenance_of(xml: str) -> dict[str, Any] | None:
    from ome_types import from_xml

    annotations = from_xml(xml).structured_annotations
    for entry in annotations.map_annotations if annotations else ():
        for pair in entry.value.ms if entry.value else ():
            if pair.k == PROVENANCE_KEY and pair.value:
                loaded: dict[str, Any] = json.loads(pair.value)
                return loaded
    return None


def _metadata(
    record: ImageRecord, axes: str, provenance: Mapping[str, Any] | None
) -> dict[str, Any]:
    metadata: dict[str, Any] = {"axes": axes}
    for axis, size in record.spacing_um.items():
        metadata[f"PhysicalSize{axis}"] = size
        metadata[f"PhysicalSize{axis}Unit"] = "\u00b5m"
    if record.time_step_s is not None:
        metadata["TimeIncrement"] = record.time_step_s
        metadata["TimeIncrementUnit"] = "s"
    if record.channel_names:
        metadata["Channel"] = {"Name": list(record.channel_names)}
    if provenance is not None:
        metadata["MapAnnotation"] = {PROVENANCE_KEY: json.dumps(provenance)}
    return metadata
