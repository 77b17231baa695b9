"""Axes of OME-Zarr: their types, and their names where there is no type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from napari_inr_denoise.io.lazy.axis_letters import standard_axes

_BY_TYPE = {"time": "T", "channel": "C"}
_SPATIAL = "ZYX"
_UNKNOWN = "?"

AxisEntry = str | Mapping[str, object]
"""Axis as in the metadata: an object since version 0.4, a name before."""


def axes_of(
    entries: Sequence[AxisEntry], shape: tuple[int, ...]
) -> tuple[str, tuple[str, ...]]:
    """Return the axes of an array from their types and names.

    The type counts where there is one: "time" is T, "channel" is C, and axes of type
    "space" are Z, Y and X by their names or, with other names, by their order.

    Returns
    -------
    axes : str
        One letter per dimension.
    notes : tuple of str
        Sentences for the user about axes of unknown meaning.

    Raises
    ------
    ValueError
        If the number of axes is not that of the dimensions.
    """
    if len(entries) != len(shape):
        raise ValueError(f"got {len(entries)} axes for an array of shape {shape}")
    names = [_text(entry, "name") for entry in entries]
    types = [_text(entry, "type").lower() for entry in entries]
    spatial = [k for k, kind in enumerate(types) if kind == "space"]
    places, notes = _spatial_letters([names[k] for k in spatial])
    by_place = dict(zip(spatial, places, strict=True))
    letters = ""
    for k, (name, kind) in enumerate(zip(names, types, strict=True)):
        letter = by_place.get(k) or _BY_TYPE.get(kind) or _by_name(name)
        letters += _UNKNOWN if letter in letters else letter
    axes, guesses = standard_axes(letters, names, shape)
    return axes, notes + guesses


def _text(entry: AxisEntry, key: str) -> str:
    if isinstance(entry, Mapping):
        return str(entry.get(key) or "")
    return str(entry) if key == "name" else ""


def _by_name(name: str) -> str:
    letter = _BY_TYPE.get(name.lower(), name.upper())
    return letter if letter and letter in "TCZYX" else _UNKNOWN


def _spatial_letters(names: list[str]) -> tuple[str, tuple[str, ...]]:
    """Return the letters of the axes of type space, and a note if it is by order."""
    letters = "".join(name.upper() for name in names)
    named = all(len(name) == 1 for name in names) and set(letters) <= set(_SPATIAL)
    if named and len(set(letters)) == len(names):
        return letters, ()
    letters = _SPATIAL[-len(names) :].rjust(len(names), _UNKNOWN)
    called = ", ".join(map(repr, names[-len(_SPATIAL) :]))
    note = (
        f"The file calls its axes of space {called}; they were taken for "
        f"{', '.join(letters[-len(_SPATIAL) :])} by their order."
    )
    return letters, (note,)
