"""Read TIFF files: plain, ImageJ and OME."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tifffile import TiffFile

from napari_inr_denoise.io.entries import Choice, with_choice
from napari_inr_denoise.io.extras import EXTRAS_KEY
from napari_inr_denoise.io.ome.reader import json_annotation, with_ome_metadata
from napari_inr_denoise.io.record import ImageRecord, with_metadata
from napari_inr_denoise.io.tiff.imagej import with_imagej_metadata
from napari_inr_denoise.io.tiff.lazy import TiffArray
from napari_inr_denoise.io.tiff.microscopes import with_microscope_metadata
from napari_inr_denoise.io.tiff.samples import image_axes
from napari_inr_denoise.io.tiff.tags import (
    with_colour_table,
    with_orientation,
    with_texts_of_planes,
)
from napari_inr_denoise.io.untrusted.xml import parse_xml


def read_tiff(path: Path, choice: Choice = None) -> ImageRecord:
    """Return an image of a TIFF file or a set; its values stay in the file.

    Parameters
    ----------
    path : Path
        The file.
    choice : str, int, ImageEntry or None
        The image, see `open_image`.

    Raises
    ------
    ValueError
        If the file contains no such image or is damaged, see `TiffArray`.
    """
    data = TiffArray(path, image=choice)
    assert data.opened.series is not None  # TiffArray refuses a file without pages
    axes, notes = image_axes(data.opened.series)
    record = _with_all_metadata(ImageRecord(data, axes, notes=notes), data.tiff)
    return with_choice(
        record.with_axes(record.axes), data.opened.entries, data.opened.entry, choice
    )


def _with_all_metadata(record: ImageRecord, tiff: TiffFile) -> ImageRecord:
    """Return a record with its metadata."""
    record = with_metadata(record, lambda one: _with_metadata(one, tiff))
    if not (tiff.is_ome or tiff.is_imagej or tiff.is_ndtiff):
        record = with_metadata(record, with_texts_of_planes, "texts of single planes")
        record = with_metadata(record, with_orientation, "orientation")
    record = with_metadata(record, with_colour_table)
    record = with_metadata(record, _with_note_on_more_pages)
    return with_metadata(record, lambda one: _with_all_axes(one, tiff))


def _with_metadata(record: ImageRecord, tiff: TiffFile) -> ImageRecord:
    if tiff.is_ome:
        fits = record.data.series_kind == "ome"
        return with_ome_metadata(record, tiff.ome_metadata or "", fits=fits)
    add = with_imagej_metadata if tiff.is_imagej else with_microscope_metadata
    return add(record, tiff)


def _with_note_on_more_pages(record: ImageRecord) -> ImageRecord:
    """Add a note on pages like those of the image that its description leaves out."""
    data, pages = record.data, record.data.tiff.pages
    several = len(data.opened.entries) > 1 or len(data.opened.entry.files) > 1
    described = data.series_kind in ("ome", "imagej", "shaped") and not several
    if not described or len(pages) <= data.page_count:
        return record
    if pages.get(len(pages) - 1).shape != data.keyframe.shape:  # a thumbnail
        return record
    note = (
        f"The file holds {len(pages)} planes; its description names "
        f"{data.page_count}, and only these were read."
    )
    return replace(record, notes=(*record.notes, note))


def _with_all_axes(record: ImageRecord, tiff: TiffFile) -> ImageRecord:
    """Restore axes of length one, which OME-XML cannot distinguish from none."""
    if not tiff.is_ome:
        return record
    extras = json_annotation(parse_xml(tiff.ome_metadata or ""), EXTRAS_KEY) or {}
    axes = str(extras.get("axes", record.axes))
    if set(axes) == set(record.axes) or not set(record.axes) <= set(axes):
        return record
    shape = tuple(record.size_of(axis) for axis in axes)
    return replace(record, data=record.data.reshaped(shape), axes=axes)
