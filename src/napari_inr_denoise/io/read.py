"""Read an image file of any supported format."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from napari_inr_denoise.io.faults import fault_of
from napari_inr_denoise.io.formats import (
    PNG_SUFFIXES,
    READABLE_SUFFIXES,
    VENDOR_SUFFIXES,
    has_suffix,
    is_zarr,
)
from napari_inr_denoise.io.lazy.calibrated import with_values
from napari_inr_denoise.io.record import ImageRecord

_FLOAT32_EXACT = 2**24


def read_image(path: str | Path, *, lazy: bool = False) -> ImageRecord:
    """Read an image: TIFF and what is made of it, OME-Zarr, PNG, CZI, LIF or ND2.

    Parameters
    ----------
    path : str or Path
        The file, or the folder of a Zarr. For an OME-TIFF in several files, the one
        that describes them all; it may be a `.companion.ome`.
    lazy : bool
        Leave the values in the file, except those of a PNG: `data` is then an array
        that is read in blocks where it is indexed.

    Returns
    -------
    ImageRecord
        The first image of the file at full resolution. `notes` mention further images.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If the format is not supported, the file is damaged, or a folder is not a Zarr.
    ImportError
        If the package that reads the format is not installed: the extras `zarr` and
        `formats`.
    """
    path = Path(path)
    if path.is_dir() and not is_zarr(path):
        raise ValueError(
            f"{path}: got a folder, wanted an image or an OME-Zarr. Name one of the "
            "images in it; `inr-denoise run` takes whole folders."
        )
    if not path.is_file() and not path.is_dir():
        raise FileNotFoundError(f"{path}: there is no such file. Check the name.")
    if path.is_file() and not has_suffix(path, READABLE_SUFFIXES):
        suffix = path.suffix.lower()
        raise ValueError(
            f"{path}: got a file ending in {suffix or 'nothing'}, wanted one of "
            f"{', '.join(READABLE_SUFFIXES)}."
        )
    try:
        record = _read(path)
    except ImportError:
        raise
    except Exception as error:
        raise ValueError(fault_of(path, error)) from error
    record = _with_precision_note(with_values(record))
    return record if lazy else replace(record, data=np.asarray(record.data))


def _read(path: Path) -> ImageRecord:
    if path.is_dir():
        from napari_inr_denoise.io.ome_zarr.reader import read_zarr

        return read_zarr(path)
    if has_suffix(path, PNG_SUFFIXES):
        from napari_inr_denoise.io.png import read_png

        return read_png(path)
    if has_suffix(path, VENDOR_SUFFIXES):
        from napari_inr_denoise.io.vendors.reader import read_vendor

        return read_vendor(path)
    from napari_inr_denoise.io.tiff.reader import read_tiff

    return read_tiff(path)


def _with_precision_note(record: ImageRecord) -> ImageRecord:
    """Add a note if float32, the data type of the result, may round integers."""
    kind = record.data.dtype
    if kind.kind not in "iu" or np.iinfo(kind).max <= _FLOAT32_EXACT:
        return record
    note = (
        f"The values are of type {kind}; as float32, in which images are denoised, "
        f"whole numbers above {_FLOAT32_EXACT} are rounded."
    )
    return replace(record, notes=(*record.notes, note))
