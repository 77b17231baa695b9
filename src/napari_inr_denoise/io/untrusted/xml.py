"""Parse OME-XML of unknown origin."""

from __future__ import annotations

import math
from collections.abc import Iterator
from xml.etree import ElementTree
from xml.etree.ElementTree import Element


def parse_xml(xml: str) -> Element:
    """Return the root element of OME-XML.

    Raises
    ------
    ValueError
        If it declares entities: OME-XML does not need them, and they can expand
        without limit.
    ParseError
        If it is not XML.
    """
    if "<!DOCTYPE" in xml or "<!ENTITY" in xml:
        raise ValueError("got OME-XML that declares entities, which are not accepted")
    return ElementTree.fromstring(xml)


def local_name(element: Element) -> str:
    """Return the name of an element without its namespace, which varies by version."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def children(element: Element, name: str) -> list[Element]:
    """Return the child elements with a name."""
    return [child for child in element if local_name(child) == name]


def descendants(element: Element, name: str) -> Iterator[Element]:
    """Yield the elements with a name at any depth."""
    return (each for each in element.iter() if local_name(each) == name)


def referenced_files(root: Element) -> set[str]:
    """Return the names of the files with the pixels of a set."""
    uuids = descendants(root, "UUID")
    return {uuid.attrib["FileName"] for uuid in uuids if "FileName" in uuid.attrib}


def declared_planes(root: Element) -> int:
    """Return the largest number of planes, or of steps along an axis, in the XML."""
    counts = [0]
    for pixels in descendants(root, "Pixels"):
        sizes = [int(pixels.attrib.get(f"Size{axis}", 1)) for axis in "ZCT"]
        blocks = children(pixels, "TiffData")
        counts += [math.prod(sizes), sum(map(_planes_of, blocks))]
    for name in ("ModuloAlongZ", "ModuloAlongC", "ModuloAlongT"):
        counts += [_steps_of(each) for each in descendants(root, name)]
    return max(counts)


def _planes_of(block: Element) -> int:
    return max(int(block.attrib.get(k, 1)) for k in ("NumPlanes", "PlaneCount"))


def _steps_of(along: Element) -> int:
    start, end, step = (
        float(along.attrib.get(name, default))
        for name, default in (("Start", 0), ("End", 0), ("Step", 1))
    )
    return math.ceil(abs(end - start) / abs(step)) if step else 10**9
