"""OME-XML without the metadata that a record has as fields, to be written again."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from napari_inr_denoise.io.extras import PROVENANCE_KEY
from napari_inr_denoise.io.faults import UnsupportedError
from napari_inr_denoise.io.ome.schema import check_version, remove_invalid
from napari_inr_denoise.io.untrusted.xml import children, descendants, parse_xml

if TYPE_CHECKING:  # takes half a second to import, and most files do without
    from ome_types import OME

_PIXELS_ATTRIBUTES_IN_RECORD = (
    "PhysicalSizeX",
    "PhysicalSizeY",
    "PhysicalSizeZ",
    "PhysicalSizeXUnit",
    "PhysicalSizeYUnit",
    "PhysicalSizeZUnit",
    "TimeIncrement",
    "TimeIncrementUnit",
    "SignificantBits",
    "BigEndian",
    "Interleaved",
)
_DIVIDED = "modulo"
"""End of the namespace of axes inside of Z, C and T."""
_MAX_CHARACTERS = 2**22
"""The metadata of single planes are dropped from longer OME-XML: parsing them takes
seconds."""


def minimal_ome(sizes: dict[str, int], samples: int) -> OME:
    """Return OME metadata with only the sizes.

    Parameters
    ----------
    sizes : dict
        Number of pixels along X, Y, Z, C and T; C counts each sample.
    samples : int
        Samples per pixel in one channel.
    """
    from ome_types import OME
    from ome_types.model import (
        Channel,
        Image,
        Pixels,
        Pixels_DimensionOrder,
        PixelType,
    )

    channels = [
        Channel(id=f"Channel:0:{k}", samples_per_pixel=samples)
        for k in range(sizes["C"] // samples)
    ]
    named = {f"size_{axis.lower()}": sizes[axis] for axis in "XYZCT"}
    pixels = Pixels(
        id="Pixels:0",
        dimension_order=Pixels_DimensionOrder.XYZCT,
        type=PixelType.FLOAT,
        channels=channels,
        **named,  # type: ignore[arg-type]
    )
    return OME(images=[Image(id="Image:0", pixels=pixels)])


def remainder_of(xml: str) -> tuple[str, tuple[str, ...]]:
    """Return OME-XML of the first image without the metadata in fields of a record.

    Parameters
    ----------
    xml : str
        OME-XML, in the newest version if it could be converted.

    Returns
    -------
    remainder : str
        OME-XML; empty if nothing is left.
    notes : tuple of str
        Sentences for the user about metadata that are lost.
    """
    root = parse_xml(xml)
    notes: tuple[str, ...] = ()
    try:
        check_version(root)
        notes = _strip(root)
        # Other images, and how the image was made, do not count.
        long = len(ElementTree.tostring(root)) > _MAX_CHARACTERS
        if long and _drop_planes(root):
            notes += ("Times and positions of single planes were too many to be kept.",)
        return _valid(root, notes)
    except UnsupportedError as error:
        note = f"Further OME metadata could not be kept; {error}."
        return "", (*notes, note)
    except Exception as error:  # noqa: BLE001 - any damage becomes a note
        kind = type(error).__name__
        note = f"Further OME metadata are not valid and could not be kept ({kind})."
        return "", (*notes, note)


def _valid(root: Element, notes: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Return OME-XML without what is not valid in it, and notes."""
    try:
        return _canonical(root), notes
    except Exception:  # noqa: BLE001 - whatever a value that is not valid raises
        notes += remove_invalid(root)
    return _canonical(root), notes


def _canonical(root: Element) -> str:
    from ome_types import from_xml, to_xml

    with warnings.catch_warnings():  # IDs that are not as in the schema are replaced
        warnings.simplefilter("ignore")
        ome = from_xml(ElementTree.tostring(root, encoding="unicode"))
    pixels = ome.images[0].pixels
    sizes = {axis: int(getattr(pixels, f"size_{axis.lower()}")) for axis in "XYZCT"}
    samples = pixels.channels[0].samples_per_pixel if pixels.channels else None
    text = to_xml(ome)
    return "" if text == to_xml(minimal_ome(sizes, max(samples or 1, 1))) else text


def _strip(root: Element) -> tuple[str, ...]:
    """Remove the metadata in the record, and those of the old pixel data.

    Returns
    -------
    tuple of str
        Sentences for the user about metadata that are lost.
    """
    for name in ("UUID", "Creator"):
        root.attrib.pop(name, None)
    first, *others = children(root, "Image")
    for image in others:
        root.remove(image)
    _drop_references(root, first.attrib.get("ID", ""))
    _drop_annotations(root, PROVENANCE_KEY)
    # The parts of a divided axis are axes of the record: readers would divide it again.
    divided = _drop_annotations(root, _DIVIDED)
    _strip_pixels(children(first, "Pixels")[0])
    return tuple(
        f"The values along the axis {along.attrib.get('Type', 'other')!r} (start, "
        "step, labels) are lost."
        for each in divided
        for axis in "ZCT"
        for along in descendants(each, f"ModuloAlong{axis}")
    )


def _drop_annotations(root: Element, space: str) -> list[Element]:
    """Remove the annotations of a namespace, known by its end, and references to them.

    Returns those that were referenced.
    """
    dropped = {}
    for block in children(root, "StructuredAnnotations"):
        for each in list(block):
            if each.attrib.get("Namespace", "").endswith(space):
                block.remove(each)
                dropped[each.attrib.get("ID")] = each
        if not len(block):
            root.remove(block)
    used = []
    for parent in list(root.iter()):
        for reference in children(parent, "AnnotationRef"):
            if reference.attrib.get("ID") in dropped:
                parent.remove(reference)
                used.append(dropped[reference.attrib.get("ID")])
    return used


def _drop_references(root: Element, image: str) -> None:
    """Remove the references to other images, and the fields of plates with them."""
    for parent in list(root.iter()):
        for name in ("ImageRef", "WellSample"):
            for each in children(parent, name):
                ids = [ref.attrib.get("ID") for ref in descendants(each, "ImageRef")]
                if ids and image not in ids:
                    parent.remove(each)


def _strip_pixels(pixels: Element) -> None:
    for name in _PIXELS_ATTRIBUTES_IN_RECORD:
        pixels.attrib.pop(name, None)
    pixels.attrib |= {"Type": "float", "DimensionOrder": "XYZCT"}
    for name in ("TiffData", "BinData", "MetadataOnly"):
        for each in children(pixels, name):
            pixels.remove(each)
    for channel in children(pixels, "Channel"):
        channel.attrib.pop("Name", None)
        channel.attrib.pop("Color", None)


def _drop_planes(root: Element) -> bool:
    """Remove the metadata of single planes; return whether there are any."""
    found = False
    for pixels in descendants(root, "Pixels"):
        for plane in children(pixels, "Plane"):
            pixels.remove(plane)
            found = True
    return found
