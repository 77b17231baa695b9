"""Images that OME-XML describes, and the XML of one of them."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass, replace
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from napari_inr_denoise.io.entries import kind_of, unique_names
from napari_inr_denoise.io.untrusted.xml import children, descendants, referenced_files

HERE = ""
"""Stands for the file with the XML, among the names of files."""
_RENAMED = "{} (under another name)"
"""Stands for a file whose name the file with the XML has got."""


@dataclass(frozen=True)
class OmeImage:
    """An image with pixels that OME-XML describes.

    Attributes
    ----------
    element : int
        Number of its element `Image`.
    name : str
        Its name, or its well and field; no two images have the same.
    kind : str
        See `ImageEntry`.
    files : frozenset of str
        Names of the files with its pixels; `HERE` is the file with the XML.
    named : tuple of str
        All names of files in the XML, also that of the file with the XML.
    """

    element: int
    name: str
    kind: str
    files: frozenset[str]
    named: tuple[str, ...] = ()


def ome_images(root: Element, name: str) -> list[OmeImage]:
    """Return the images with pixels in TIFF files, or the first one without.

    Parameters
    ----------
    root : Element
        Root of the OME-XML.
    name : str
        Name of the file with the XML.
    """
    file_of = _Files(root, name)
    elements = children(root, "Image")
    fields = _fields_of_plates(root)
    names = unique_names(
        [each.attrib.get("Name", "") for each in elements],
        [fields.get(each.attrib.get("ID", ""), "") for each in elements],
    )
    found = []
    for number, (element, called) in enumerate(zip(elements, names, strict=True)):
        blocks = [
            block
            for pixels in children(element, "Pixels")
            for block in children(pixels, "TiffData")
        ]
        files = frozenset(map(file_of, blocks))
        kind = kind_of(element.attrib.get("Name", ""))
        named = tuple(sorted(referenced_files(element)))
        found.append(OmeImage(number, called, kind, files, named))
    with_pixels = [image for image in found if image.files]
    nothing = [replace(one, files=frozenset([HERE])) for one in found[:1]]
    return with_pixels or nothing


class _Files:
    """Names of the files with the planes of blocks: a UUID wins over a name.

    Parameters
    ----------
    root : Element
        Root of the OME-XML.
    name : str
        Name of the file with the XML.
    """

    def __init__(self, root: Element, name: str) -> None:
        self._own, self._name = root.attrib.get("UUID"), name
        known = (uuid.text for uuid in descendants(root, "UUID"))
        self._is_known = self._own is not None and self._own in known

    def __call__(self, block: Element) -> str:
        for uuid in children(block, "UUID"):
            if self._own is not None and uuid.text == self._own:
                return HERE
            file = uuid.attrib.get("FileName") or HERE
            taken = self._is_known and file == self._name
            return _RENAMED.format(file) if taken else file
        return HERE


def _fields_of_plates(root: Element) -> Mapping[str, str]:
    """Return names such as "B03 field 1" by the ID of the image."""
    found: dict[str, str] = {}
    plates = children(root, "Plate")
    for plate in plates:
        start = f"{plate.attrib.get('Name', '')} " if len(plates) > 1 else ""
        for well in children(plate, "Well"):
            row, column = (int(well.attrib.get(k, 0)) for k in ("Row", "Column"))
            place = f"{start}{_letters(row)}{column + 1:02d}"
            for number, sample in enumerate(children(well, "WellSample")):
                for reference in children(sample, "ImageRef"):
                    image = reference.attrib.get("ID", "")
                    found[image] = f"{place} field {number}"
    return found


def _letters(row: int) -> str:
    """Return the letters of a row of a plate: A to Z, AA to AZ, ..."""
    first, last = divmod(row, 26)
    return (_letters(first - 1) if first else "") + string.ascii_uppercase[last]


def xml_of_image(
    root: Element, name: str, image: OmeImage, hosts: frozenset[str]
) -> str:
    """Return the OME-XML of one image, for the reader of one of its files.

    Parameters
    ----------
    root : Element
        Root of the OME-XML of all images; it is changed.
    name : str
        Name of the file with the XML.
    image : OmeImage
        The image.
    hosts : frozenset of str
        Names of the file that is opened, as in `image.files`. Planes in it get no
        UUID: the file may have been renamed.
    """
    file_of = _Files(root, name)
    root.attrib.pop("UUID", None)
    keep_image(root, image.element)
    for block in list(descendants(root, "TiffData")):
        file = file_of(block)
        for uuid in children(block, "UUID"):
            if file in hosts:
                block.remove(uuid)
            else:
                uuid.attrib["FileName"] = file or name
    return ElementTree.tostring(root, encoding="unicode")


def keep_image(root: Element, number: int) -> None:
    """Remove all images from OME-XML but one."""
    for each, element in enumerate(children(root, "Image")):
        if each != number:
            root.remove(element)
