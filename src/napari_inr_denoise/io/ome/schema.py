"""OME-XML of any version in the newest one, and without what is not valid."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from napari_inr_denoise.io.faults import UnsupportedError
from napari_inr_denoise.io.units import unit_symbol
from napari_inr_denoise.io.untrusted.xml import children, local_name, parse_xml

_NEWEST = "2016-06"
_NAMESPACE = f"http://www.openmicroscopy.org/Schemas/OME/{_NEWEST}"
_CONVERTIBLE = re.compile(r"/schemas/ome/(\d{4}-\d{2})s?$", re.IGNORECASE)
"""Namespaces that ome-types converts. On others, such as 2003-FC, it does not end."""
_UNIT = "Unit"
_LISTED = 4
_MAX_TEXT = 40
_Complaints = frozenset[tuple[str, str, str]]
"""Class, field and kind of what is not valid. No class: it could not be read."""


def newest_version(xml: str) -> str:
    """Return OME-XML in the newest version of its schema.

    The same text, if it is in that version or in one that cannot be converted. XML that
    states no version is taken for the newest.
    """
    root = parse_xml(xml)
    if root.tag == "OME":
        return xml.replace("<OME", f'<OME xmlns="{_NAMESPACE}"', 1)
    version = _version(root)
    if version in ("", _NEWEST):
        return xml
    from ome_types import from_xml

    found: list[str] = []

    def keep(tree: Any) -> Any:  # noqa: ANN401 - of lxml
        found.append(str(tree))
        return tree

    with suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Values that are not valid raise an error, but after the conversion.
        from_xml(xml, transformations=[keep])
    return found[0] if found else xml


def check_version(root: Element) -> None:
    """Raise UnsupportedError if OME-XML is of a version that cannot be converted."""
    if not _version(root):
        namespace = root.tag.rpartition("}")[0][1:]
        raise UnsupportedError(f"its version is not supported: namespace {namespace}")


def _version(root: Element) -> str:
    """Return the version of OME-XML; empty for one that cannot be converted."""
    found = _CONVERTIBLE.search(root.tag.rpartition("}")[0])
    return found[1] if found else ""


def remove_invalid(root: Element) -> tuple[str, ...]:
    """Remove the values of OME-XML that are not valid, and as little else as possible.

    Parameters
    ----------
    root : Element
        Root of OME-XML in the newest version; it is changed.

    Returns
    -------
    tuple of str
        A sentence for the user on what was removed, if anything.
    """
    _spell_units(root)
    removed = list(dict.fromkeys(_remove_below(root)))
    if not removed:
        return ()
    listed = ", ".join(removed[:_LISTED])
    more = f" and {len(removed) - _LISTED} more" * (len(removed) > _LISTED)
    return (f"OME metadata that are not valid were left out: {listed}{more}.",)


def _spell_units(root: Element) -> None:
    """Spell units of length and time as OME does: a value without its unit is wrong."""
    for element in root.iter():
        for name, unit in element.attrib.items():
            if name.endswith(_UNIT):
                symbol = unit_symbol(unit, "length") or unit_symbol(unit, "time")
                element.attrib[name] = symbol or unit


def _remove_below(element: Element) -> Iterator[str]:
    """Remove what is not valid in an element; yield what was removed, as text."""
    from ome_types import model

    if not _complaints(element):
        return
    known = [child for child in element if hasattr(model, local_name(child))]
    for child in _faulty(element, known):
        yield from _remove_below(child)
        if _complaints(child):
            element.remove(child)
            yield f"{local_name(child)} of {local_name(element)}"
    yield from _remove_parts(element)


def _faulty(owner: Element, inner: list[Element]) -> list[Element]:
    """Return the children of an element that are not valid, found by halving."""
    if len(inner) < 2:
        return [child for child in inner if _complaints(child)]
    some = Element(owner.tag, owner.attrib)
    some.extend(inner)
    complaints = _complaints(some)
    # What an element lacks itself does not count: most of its children are left out.
    if not _unread(complaints) and all(
        each[0] == local_name(owner) for each in complaints
    ):
        return []
    middle = len(inner) // 2
    return _faulty(owner, inner[:middle]) + _faulty(owner, inner[middle:])


def _remove_parts(element: Element) -> Iterator[str]:
    """Remove the attributes and kinds of children that make an element invalid."""
    complaints = _complaints(element)
    attributes, inner = dict(element.attrib), list(element)
    bases = dict.fromkeys(name.removesuffix(_UNIT) for name in attributes)
    for name in (*bases, *dict.fromkeys(map(local_name, inner))):
        if not complaints:
            return
        gone = {name, f"{name}{_UNIT}"} if name in bases else set()
        lost = [] if gone else children(element, name)
        before = dict(element.attrib), list(element)
        for key in gone:
            element.attrib.pop(key, None)
        for child in lost:
            element.remove(child)
        left = _complaints(element)
        # Only what is read is validated: another error is found after this one.
        if left < complaints or (_unread(complaints) and left != complaints):
            complaints = left
            text = attributes.get(name) if gone else lost[0].text
            said = f" ({(text or '').strip()[:_MAX_TEXT]!r})" if text else ""
            yield f"{name} of {local_name(element)}{said}"
        else:
            element.attrib.clear()
            element.attrib.update(before[0])
            element[:] = before[1]


def _complaints(element: Element) -> _Complaints:
    """Return what is not valid in an element; empty if it is valid."""
    from ome_types import from_xml

    text = ElementTree.tostring(element, encoding="unicode")
    try:
        with warnings.catch_warnings():  # IDs that are not as in the schema
            warnings.simplefilter("ignore")
            from_xml(text)
    except Exception as error:  # noqa: BLE001 - whatever the parser raises
        if not hasattr(error, "errors"):
            return frozenset([("", str(error), type(error).__name__)])
        title = str(getattr(error, "title", ""))  # pydantic's ValidationError
        stated = error.errors()
        return frozenset((title, str(one["loc"]), str(one["type"])) for one in stated)
    return frozenset()


def _unread(complaints: _Complaints) -> bool:
    """Return whether an element could not be read, without which none is validated."""
    return any(not title for title, *_ in complaints)
