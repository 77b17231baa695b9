"""OME metadata of an image whose axes the user has named otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from napari_inr_denoise.io.record import ImageRecord

if TYPE_CHECKING:  # takes half a second to import, and most files do without
    from ome_types.model import Channel

_OUTER = "ZCT"
_OF_NONE = {"id", "samples_per_pixel", "kind", "name", "color"}
"""Fields of a channel that tell nothing, or are fields of the record."""


def with_moved_axes(record: ImageRecord, before: str) -> ImageRecord:
    """Return a record whose OME metadata follow its axes, with notes on what is lost.

    Times and positions of planes stay with their planes. The metadata of channels are
    lost if there are more or fewer channels than before.

    Parameters
    ----------
    record : ImageRecord
        The image with the axes of the user, and the OME metadata of its file.
    before : str
        Axes in the file, one letter per dimension.
    """
    if not record.ome_xml or before == record.axes:
        return record
    from ome_types import from_xml, to_xml

    ome = from_xml(record.ome_xml)
    pixels, notes = ome.images[0].pixels, record.notes
    moved = _moved(before, record.axes)
    if moved:
        letters = [letter.lower() for letter in _OUTER]
        sizes = {each: getattr(pixels, f"size_{each}") for each in letters}
        for old, new in moved.items():
            setattr(pixels, f"size_{new.lower()}", sizes[old.lower()])
        for plane in pixels.planes:
            places = {each: getattr(plane, f"the_{each}") for each in letters}
            for old, new in moved.items():
                setattr(plane, f"the_{new.lower()}", places[old.lower()])
    elif pixels.planes:
        pixels.planes = []
        notes += ("Times and positions of single planes do not fit the axes.",)
    count = record.size_of("C")
    if len(pixels.channels) != count and any(map(_is_described, pixels.channels)):
        notes += (
            f"The OME metadata of {len(pixels.channels)} channels do not fit the "
            f"{count} of the image; they are not used.",
        )
    return replace(record, ome_xml=to_xml(ome), notes=notes)


def _is_described(channel: Channel) -> bool:
    """Return whether a file says anything of a channel but its name and colour."""
    told = {name: value for name, value in channel if not name.endswith("_unit")}
    return any(told[name] not in (None, [], {}) for name in told.keys() - _OF_NONE)


def _moved(before: str, after: str) -> dict[str, str]:
    """Return the new letter of each of Z, C and T; empty if others have changed.

    An axis that the image does not have takes a letter that is left.
    """
    pairs = list(zip(before, after, strict=True))
    if any(old != new and not {old, new} <= set(_OUTER) for old, new in pairs):
        return {}
    named = {old: new for old, new in pairs if old in _OUTER}
    left = [letter for letter in _OUTER if letter not in named.values()]
    others = (letter for letter in _OUTER if letter not in named)
    return named | dict(zip(others, left, strict=True))
