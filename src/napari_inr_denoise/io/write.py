"""Write an image: complete under its name, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from napari_inr_denoise.io.record import ImageRecord

_TIFF_ENDINGS = (".ome.tif", ".ome.tiff")
_ZARR_ENDING = ".zarr"
_IN_OME_TIFF = {"i1", "i2", "i4", "u1", "u2", "u4", "f4", "f8"}


def write_image(
    path: str | Path, record: ImageRecord, provenance: Mapping[str, Any] | None = None
) -> None:
    """Write an image with all that its record says of it.

    Values that are not in memory are read plane by plane, or tile by tile.
    The image is written beside its place and renamed when it is complete, so what has
    this name is always whole.

    Parameters
    ----------
    path : str or Path
        Ends in .ome.tif or .ome.tiff, or in .zarr for a folder of OME-Zarr. An
        existing image is replaced.
    record : ImageRecord
        Axes in any order; the file has them as T, C, Z, Y, X, S. An OME-Zarr has no
        S: there the samples are channels, which `read_image` makes samples again. It
        is of version 0.4 (Zarr 2) if the record is, and else of 0.5 (Zarr 3).
    provenance : mapping, optional
        How the image was made, as values for JSON; kept in the file's metadata and
        read back by `read_provenance`.

    Raises
    ------
    ValueError
        If the name has another ending, or OME-Zarr is to hold more than four samples
        of a pixel.
    TypeError
        If the format cannot hold the type of the values.
    FileExistsError
        If a folder of that name is no Zarr.
    ImportError
        If a Zarr is wanted and the package `zarr` is not installed.
    """
    path = Path(path)
    check_writable(path, record.data.dtype)
    if _is_tiff(path):
        from napari_inr_denoise.io.tiff.writer import write_tiff

        write_tiff(path, record, provenance)
    else:
        from napari_inr_denoise.io.ome_zarr.writer import write_zarr

        write_zarr(path, record, provenance)


def check_writable(path: str | Path, dtype: np.dtype[Any]) -> None:
    """Raise a sentence if values of a type cannot be written under a name.

    Raises
    ------
    ValueError
        If the name has another ending.
    TypeError
        If the format cannot hold the type of the values.
    """
    path = Path(path)
    if not _is_tiff(path) and path.suffix.lower() != _ZARR_ENDING:
        raise ValueError(
            f"{path}: wanted a name that ends in .ome.tif, .ome.tiff or .zarr."
        )
    fits = dtype.str[1:] in _IN_OME_TIFF if _is_tiff(path) else dtype.kind in "iuf"
    if dtype != np.bool_ and not fits:
        raise TypeError(
            f"got values of type {dtype}, which {_format(path)} cannot hold; OME-TIFF "
            "holds integers of up to 32 bits and floats of 32 or 64, OME-Zarr integers "
            "and floats. Write float32 instead."
        )


def _is_tiff(path: Path) -> bool:
    return path.name.lower().endswith(_TIFF_ENDINGS)


def _format(path: Path) -> str:
    return "OME-TIFF" if _is_tiff(path) else "OME-Zarr"
