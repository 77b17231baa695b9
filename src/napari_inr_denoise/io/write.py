"""Write an image as OME-TIFF or OME-Zarr."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from napari_inr_denoise.io.lazy.calibrated import with_stored_numbers
from napari_inr_denoise.io.ome_zarr.levels import Levels, check_levels
from napari_inr_denoise.io.record import ImageRecord

_TIFF_SUFFIXES = (".ome.tif", ".ome.tiff")
_ZARR_SUFFIX = ".zarr"
_OME_TIFF_DTYPES = {"i1", "i2", "i4", "u1", "u2", "u4", "f4", "f8"}


def write_image(
    path: str | Path,
    record: ImageRecord,
    provenance: Mapping[str, Any] | None = None,
    levels: Levels = 1,
) -> None:
    """Write an image with all its metadata.

    Lazy arrays are read plane by plane, or tile by tile. The image is written under a
    temporary name and renamed when it is complete.

    Parameters
    ----------
    path : str or Path
        Name that ends in .ome.tif or .ome.tiff, or in .zarr for a folder of OME-Zarr.
        An existing image is replaced.
    record : ImageRecord
        Axes in any order; their order in the file is T, C, Z, Y, X, S. OME-Zarr has no
        S: samples are written as channels, and `read_image` converts them back. The
        version is 0.4 (Zarr 2) if the record has it, otherwise 0.5 (Zarr 3). With a
        `calibration`, the file stores numbers of its data type, and the calibration.
    provenance : mapping, optional
        How the image was made, as JSON values. Stored in the metadata of the file;
        `read_provenance` returns it.
    levels : int or "auto"
        Number of resolution levels of an OME-Zarr, with the full one; each next one has
        the means of 2x2 pixels. "auto": until a plane has at most 256x256 pixels.
        OME-TIFF is written with the full level.

    Raises
    ------
    ValueError
        If the name has another suffix, `levels` is neither a number from 1 nor "auto",
        or OME-Zarr is asked to store more than four samples per pixel.
    TypeError
        If the format cannot store the data type.
    FileExistsError
        If a folder of that name is not a Zarr.
    ImportError
        If the format is OME-Zarr and the package `zarr` is not installed.
    """
    path, levels = Path(path), check_levels(levels)
    record = with_stored_numbers(record)
    check_writable(path, record.data.dtype)
    if _is_tiff(path):
        from napari_inr_denoise.io.tiff.writer import write_tiff

        write_tiff(path, record, provenance)
    else:
        from napari_inr_denoise.io.ome_zarr.writer import write_zarr

        write_zarr(path, record, provenance, levels)


def check_writable(path: str | Path, dtype: np.dtype[Any]) -> None:
    """Raise an error if a data type cannot be written to a file of this name.

    Raises
    ------
    ValueError
        If no writable format has the suffix.
    TypeError
        If the format cannot store the data type.
    """
    path = Path(path)
    if not _is_tiff(path) and path.suffix.lower() != _ZARR_SUFFIX:
        raise ValueError(
            f"{path}: wanted a name that ends in .ome.tif, .ome.tiff or .zarr."
        )
    fits = dtype.str[1:] in _OME_TIFF_DTYPES if _is_tiff(path) else dtype.kind in "iuf"
    if dtype != np.bool_ and not fits:
        way = "Write float32 instead (on the command line: --dtype float32)."
        if dtype.kind == "c":
            way = "Take the real and imaginary parts, or the magnitude, as images."
        raise TypeError(
            f"got values of type {dtype}, which {_format(path)} cannot hold; OME-TIFF "
            "holds integers of up to 32 bits and floats of 32 or 64, OME-Zarr integers "
            f"and floats. {way}"
        )


def _is_tiff(path: Path) -> bool:
    return path.name.lower().endswith(_TIFF_SUFFIXES)


def _format(path: Path) -> str:
    return "OME-TIFF" if _is_tiff(path) else "OME-Zarr"
