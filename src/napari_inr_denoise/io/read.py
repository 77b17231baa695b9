"""Read an image file of any supported format."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from napari_inr_denoise.image.axes import resolve_axes
from napari_inr_denoise.io.entries import (
    Choice,
    ImageChoiceError,
    ImageEntry,
    choose_image,
    main_images,
    with_choice,
)
from napari_inr_denoise.io.faults import fault_of
from napari_inr_denoise.io.formats import (
    PNG_SUFFIXES,
    READABLE_SUFFIXES,
    VENDOR_SUFFIXES,
    has_suffix,
    is_zarr,
)
from napari_inr_denoise.io.lazy.calibrated import with_values
from napari_inr_denoise.io.lazy.file_array import FileArray, MissingMask
from napari_inr_denoise.io.ome.moved_axes import with_moved_axes
from napari_inr_denoise.io.record import ImageRecord, with_metadata

_FLOAT32_EXACT = 2**24
INCOMPLETE = "The image is incomplete"
"""Start of the note on an image of which only a part was read."""


def read_image(
    path: str | Path,
    *,
    lazy: bool = False,
    series: Choice = None,
    incomplete: bool = False,
) -> ImageRecord:
    """Read an image: TIFF and what is made of it, OME-Zarr, PNG, CZI, LIF or ND2.

    Parameters
    ----------
    path : str or Path
        The file, or the folder of a Zarr. For an OME-TIFF in several files, any of
        them, or the `.companion.ome` that describes them all.
    lazy : bool
        Leave the values in the file, except those of a PNG: `data` is then an array
        that is read in blocks where it is indexed.
    series : str or int, optional
        Name or number (from 0) of the image, if there are several: positions, fields
        of a plate, series. If omitted, the main image of this very file is read, and
        `notes` mention the others.
    incomplete : bool
        Read what is there of an image that is cut short or lacks planes or files.
        `missing` is then a mask, and the missing values are NaN, or 0 for integers.
        Chunks that a Zarr does not store count as missing: the file does not say
        whether they were blank or lost.

    Returns
    -------
    ImageRecord
        The image at full resolution.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If the format is not supported, the file is damaged or incomplete, there is no
        such image, or a folder is not a Zarr.
    ImportError
        If the package that reads the format is not installed: the extras `zarr` and
        `formats`.
    """
    path = Path(path)
    _check_path(path)
    with _sentences(path):
        record = _read(path, series)
        if incomplete and isinstance(record.data, FileArray):
            record.data.find_damage()
        missing = record.data.missing if isinstance(record.data, FileArray) else ""
    if missing and not incomplete:
        raise ValueError(
            f"{path}: the image could not be read whole: {missing}. Copy it again, or "
            "take what is there with --incomplete (incomplete=True in Python)."
        )
    if missing:
        record = _with_missing(record, missing)
    record = _with_precision_note(with_values(record))
    if lazy:
        return record
    mask = None if record.missing is None else np.asarray(record.missing)
    return replace(record, data=np.asarray(record.data), missing=mask)


def read_images(
    path: str | Path,
    *,
    lazy: bool = False,
    series: Choice = "all",
    incomplete: bool = False,
) -> Iterator[ImageRecord]:
    """Read the images of a file one after the other.

    Parameters
    ----------
    path, lazy, incomplete
        See `read_image`.
    series : str or int
        "all": all images that this file holds, but thumbnails, labels and macros; or
        one of them.

    Yields
    ------
    ImageRecord
        An image, see `read_image`, which lists the errors, too.
    """
    if series != "all":
        yield read_image(path, lazy=lazy, series=series, incomplete=incomplete)
        return
    for entry in list_images(path):
        yield read_image(path, lazy=lazy, series=entry, incomplete=incomplete)


def with_named_axes(record: ImageRecord, axes: str | None) -> ImageRecord:
    """Return a record with the axes that the user names; None leaves those it has.

    Raises
    ------
    ValueError
        If the axes do not fit the image.
    """
    if axes is None:
        return record
    named = record.with_axes(resolve_axes(record.data.ndim, axes))
    named = with_metadata(named, lambda one: with_moved_axes(one, record.axes))
    # Guesses that the user has decided are none any more.
    notes = tuple(note for note in named.notes if "--axes" not in note)
    return replace(named, notes=notes)


def list_images(path: str | Path) -> list[ImageEntry]:
    """Return the images that a file holds, without thumbnails, labels and macros.

    Their pixels are not read. Errors are those of `read_image`.
    """
    from napari_inr_denoise.io.image_set import images_of

    path = Path(path)
    _check_path(path)
    with _sentences(path):
        return main_images(images_of(path))


@contextmanager
def _sentences(path: Path) -> Iterator[None]:
    """Turn any failure to read a file into ValueError with a sentence."""
    try:
        yield
    except ImportError:
        raise
    except ImageChoiceError as error:
        raise ValueError(f"{path}: {error}") from error
    except Exception as error:
        raise ValueError(fault_of(path, error)) from error


def _check_path(path: Path) -> None:
    """Raise an error if a path is not that of an image."""
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


def _read(path: Path, series: Choice) -> ImageRecord:
    if path.is_dir():
        from napari_inr_denoise.io.ome_zarr.reader import read_zarr

        return read_zarr(path, series)
    if has_suffix(path, PNG_SUFFIXES):
        from napari_inr_denoise.io.png import read_png

        record, only = read_png(path), ImageEntry(0, "image 0")
        return with_choice(record, [only], choose_image([only], series), series)
    if has_suffix(path, VENDOR_SUFFIXES):
        from napari_inr_denoise.io.vendors.reader import read_vendor

        return read_vendor(path, series)
    from napari_inr_denoise.io.tiff.reader import read_tiff

    return read_tiff(path, series)


def _with_missing(record: ImageRecord, missing: str) -> ImageRecord:
    """Return a record with a note on what is missing, and the mask of it."""
    record = replace(
        record,
        missing=MissingMask(record.data),
        notes=(*record.notes, f"{INCOMPLETE}: {missing}."),
    )
    floating = record.data.dtype.kind == "f"
    return replace(record, data=record.measured) if floating else record


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
