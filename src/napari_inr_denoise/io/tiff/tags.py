"""Metadata in TIFF tags: pixel sizes, colour table and texts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from tifffile import ORIENTATION, PHOTOMETRIC, RESUNIT, TiffFile, TiffFrame, TiffPage

from napari_inr_denoise.io.extras import to_json
from napari_inr_denoise.io.record import ImageRecord, Quantity
from napari_inr_denoise.io.units import to_micrometres

_TEXTS = ("ImageDescription", "DateTime", "Software", "Artist", "HostComputer")
_METRIC: dict[int, str] = {
    RESUNIT.CENTIMETER: "cm",
    RESUNIT.MILLIMETER: "mm",
    RESUNIT.MICROMETER: "\u00b5m",
}
_MAX_PLANES = 10**5
_MAX_CHARACTERS = 2**22
"""Texts of more planes, or longer ones, are not kept."""
INCH_NOTE = (
    "The file states its pixel size in inches, as programs do for printing; it is not "
    "used."
)


def resolution_unit(page: TiffPage) -> int:
    """Return the value of the tag ResolutionUnit; none without it."""
    tag = page.tags.get("ResolutionUnit")
    return int(RESUNIT.NONE if tag is None else tag.value)


def pixel_sizes(page: TiffPage) -> dict[str, float]:
    """Return height and width of a pixel in the unit of the resolution tags."""
    sizes = {}
    for axis in ("Y", "X"):
        tag = page.tags.get(f"{axis}Resolution")
        pixels, units = (0, 0) if tag is None else tag.value
        if pixels and units:
            sizes[axis] = units / pixels
    return sizes


def with_tag_metadata(record: ImageRecord, tiff: TiffFile) -> ImageRecord:
    """Return a record with the pixel sizes and texts of TIFF tags.

    Sizes in inches are ignored: they are almost always 72 or 300 dots of a printer.
    """
    texts = _texts(tiff.pages.first)
    if (
        tiff.is_shaped
        and texts["ImageDescription"] == tiff.pages.first.shaped_description
    ):
        del texts["ImageDescription"]  # tifffile's, which is read as such
    if texts.get("Software") == "tifffile.py":
        del texts["Software"]
    record = replace(record, attributes={"TIFF": to_json(texts)} if texts else {})
    page = record.data.keyframe  # of this image: others have sizes of their own
    unit, sizes = resolution_unit(page), pixel_sizes(page).items()
    if unit == RESUNIT.INCH and sizes:
        return replace(record, notes=(*record.notes, INCH_NOTE))
    if unit not in _METRIC:
        return record
    return record.with_stated(
        {axis: Quantity(size, _METRIC[unit]) for axis, size in sizes}
    )


def with_orientation(record: ImageRecord) -> ImageRecord:
    """Return a record with a note if its pixels are not stored as they are shown.

    ImageJ and napari show them as they are stored.
    """
    tag = record.data.keyframe.tags.get("Orientation")
    if tag is None or tag.value == ORIENTATION.TOPLEFT:
        return record
    note = (
        f"The file says that the image is to be shown turned or flipped (Orientation "
        f"{int(tag.value)}); the pixels were left as they are stored."
    )
    tags = {**record.attributes.get("TIFF", {}), "Orientation": int(tag.value)}
    attributes = {**record.attributes, "TIFF": tags}
    return replace(record, attributes=attributes, notes=(*record.notes, note))


def with_texts_of_planes(record: ImageRecord) -> ImageRecord:
    """Return a record with the texts of single planes, where they differ.

    Some programs write the time of each plane there. A plane has what differs from the
    first one; planes are in the order of the axes before Y and X.
    """
    pages = record.data.opened.series.pages
    ends = [_texts(pages[k]) for k in (0, -1) if len(pages) > 1]
    if not ends or ends[0] == ends[1] or not ends[1]:
        return record
    # The last plane tells how long all will be: reading them takes time.
    last = dict(ends[1].items() - ends[0].items())
    few = len(pages) <= min(_MAX_PLANES, _MAX_CHARACTERS // max(len(str(last)), 1))
    texts = [_texts(page) for page in pages] if few else []
    texts = [dict(each.items() - ends[0].items()) for each in texts]
    if not texts or sum(len(str(each)) for each in texts) > _MAX_CHARACTERS:
        note = "Texts of single planes were too many to be kept."
        return replace(record, notes=(*record.notes, note))
    tags = {**record.attributes.get("TIFF", {}), "planes": to_json(texts)}
    return replace(record, attributes={**record.attributes, "TIFF": tags})


def _texts(page: TiffPage | TiffFrame | None) -> dict[str, str]:
    """Return the texts in the tags of a page; none if it is missing."""
    if page is None:
        return {}
    tags = (page.aspage() if isinstance(page, TiffFrame) else page).tags
    return {name: tags[name].value for name in _TEXTS if name in tags}


def with_position(record: ImageRecord) -> ImageRecord:
    """Return a record with the position of its first pixel that TIFF tags state.

    Tiles of slide scanners have it. It is in the unit of the resolution tags.
    """
    page = record.data.keyframe
    micrometres = to_micrometres(1.0, _METRIC.get(resolution_unit(page), ""))
    origin = dict(record.origin)
    for axis in "YX":
        tag, size = page.tags.get(f"{axis}Position"), record.stated.get(axis)
        step = None if size is None else to_micrometres(1.0, size.unit)
        if tag is None or not micrometres or not step or not all(tag.value):
            continue
        number, divisor = tag.value
        origin[axis] = number / divisor * micrometres / step
    return replace(record, origin=origin)


def with_colour_table(record: ImageRecord) -> ImageRecord:
    """Return a record with the colour table, and a note on what its values mean."""
    page = record.data.keyframe
    if page.photometric == PHOTOMETRIC.MINISWHITE:
        note = "In this file 0 is white; the values were left as they are."
        white = bytes(range(255, -1, -1)) * 3
        luts = record.luts or (white,) * record.size_of("C")
        return replace(record, luts=luts, notes=(*record.notes, note))
    if page.photometric != PHOTOMETRIC.PALETTE or page.colormap is None:
        return record
    note = (
        "The values stand for colours of a table; they are taken for intensities, "
        "which is right if the table goes from dark to bright."
    )
    table = np.asarray(page.colormap)
    luts = record.luts
    if not luts and table.shape == (3, 256) and record.size_of("C") == 1:
        luts = ((table >> 8).astype(np.uint8).tobytes(),)
    return replace(record, luts=luts, notes=(*record.notes, note))
