"""OME-XML of any version in the newest one, and without what is not valid."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
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
_MAX_FAULTS, _MAX_PARTS = 16, 64
"""Children of an element, and parts of one, that are looked at one by one."""
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
    if any(len(each.attrib) > _MAX_PARTS for each in root.iter()):
        return ()  # no OME-XML, and slow to look at
    _spell_units(root)
    removed = list(dict.fromkeys(_remove_below(root, root)))
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


def _remove_below(element: Element, root: Element) -> Iterator[str]:
    """Remove what is not valid in an element; yield what was removed, as text."""
    from ome_types import model

    if not _complaints(element):
        return
    kind = ""
    for _ in range(_MAX_FAULTS):
        known = [child for child in element if hasattr(model, local_name(child))]
        child = _first_faulty(element, known)
        if child is None:
            break
        kind = local_name(child)
        yield from _remove_below(child, root)
        if _complaints(child):
            element.remove(child)
            yield f"{kind} of {local_name(element)}"
    else:  # too many to look at one by one
        for alike in children(element, kind):
            element.remove(alike)
        yield f"each {kind} of {local_name(element)}"
    yield from _remove_parts(element, root)


def _first_faulty(owner: Element, inner: list[Element]) -> Element | None:
    """Return the first child of an element that is not valid, found by halving."""
    if not inner or not _is_faulty(owner, inner):
        return None
    while len(inner) > 1:
        half = inner[: len(inner) // 2]
        inner = half if _is_faulty(owner, half) else inner[len(half) :]
    return inner[0] if _complaints(inner[0]) else None


def _is_faulty(owner: Element, inner: list[Element]) -> bool:
    """Return whether one of some children of an element is not valid."""
    if len(inner) == 1:
        return bool(_complaints(inner[0]))
    some = Element(owner.tag, owner.attrib)
    some.extend(inner)
    complaints = _complaints(some)
    # What an element lacks itself does not count: most of its children are left out.
    own = all(title == local_name(owner) for title, *_ in complaints)
    return _unread(complaints) or not own


def _remove_parts(element: Element, root: Element) -> Iterator[str]:
    """Remove the attributes and kinds of children that make an element invalid."""
    complaints = _complaints(element)
    attributes, inner = dict(element.attrib), list(element)
    bases = dict.fromkeys(name.removesuffix(_UNIT) for name in attributes)
    kinds = dict.fromkeys(map(local_name, inner))
    if len(bases) + len(kinds) > _MAX_PARTS:
        return
    for name in (*bases, *kinds):
        if not complaints:
            return
        gone = {name, f"{name}{_UNIT}"} if name in bases else set()
        lost = [] if gone else children(element, name)
        before = dict(element.attrib), list(element)
        _take(element, gone, lost)
        left = _complaints(element)
        # Only what is read is validated: another error is found after this one.
        if left < complaints or (_unread(complaints) and left != complaints):
            complaints = left
            text = attributes.get(name) if gone else lost[0].text
            said = f" ({(text or '').strip()[:_MAX_TEXT]!r})" if text else ""
            yield f"{name} of {local_name(element)}{said}"
            for each in root.iter(element.tag) if gone else ():
                if all(each.attrib.get(k) == attributes.get(k) for k in gone):
                    _take(each, gone)
        else:
            element.attrib.clear()
            element.attrib.update(before[0])
            element[:] = before[1]


def _take(
    element: Element, names: AbstractSet[str], inner: Sequence[Element] = ()
) -> None:
    """Remove attributes and children of an element."""
    for name in names:
        element.attrib.pop(name, None)
    for child in inner:
        element.remove(child)


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
