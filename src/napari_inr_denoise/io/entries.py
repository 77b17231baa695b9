"""The images that a file, a set of files or a Zarr holds, and the choice of one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from napari_inr_denoise.io.record import ImageRecord

_KINDS = {
    **dict.fromkeys(("thumbnail", "thumbnail image"), "thumbnail"),
    **dict.fromkeys(("label", "label image"), "label"),
    **dict.fromkeys(("macro", "macro image", "map", "overview"), "macro"),
}
_LISTED = 12
"""Number of images that a note lists by name."""


@dataclass(frozen=True)
class ImageEntry:
    """One image of a file, of a set of files or of a Zarr. Levels are no images.

    Attributes
    ----------
    number : int
        Number among all images that the file describes, from 0.
    name : str
        Name; no two images of a file have the same.
    key : tuple
        Where the reader of the format finds it.
    files : tuple of Path
        Files with its pixels that exist, in the order of their names; or the folder
        inside a Zarr.
    missing : tuple of str
        Names of files with its pixels that do not exist.
    named : tuple of str
        Names of its files in the metadata; one may have been renamed.
    kind : str
        "image"; or "thumbnail", "label" or "macro", where the file says so.
    held : bool
        Whether the file that was examined holds it, at least in part.
    source : Path or None
        The file to open for it; None for the file that was examined.
    """

    number: int
    name: str
    key: tuple[str | int, ...] = ()
    files: tuple[Path, ...] = ()
    missing: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    kind: str = "image"
    held: bool = True
    source: Path | None = None


class ImageChoiceError(ValueError):
    """There is no such image in a file, or nothing of it is there."""


Choice = str | int | ImageEntry | None
"""A name, a number, an image from a list, or None for the main image."""


def main_images(entries: Sequence[ImageEntry]) -> list[ImageEntry]:
    """Return the images that a file holds, without thumbnails, labels and macros.

    The latter are returned if there is nothing else.
    """
    held = [entry for entry in entries if entry.held] or list(entries)
    return [entry for entry in held if entry.kind == "image"] or held


def choose_image(entries: Sequence[ImageEntry], choice: Choice) -> ImageEntry:
    """Return one image of a file.

    Parameters
    ----------
    entries : sequence of ImageEntry
        All images; at least one.
    choice : str, int, ImageEntry or None
        Name or number; text that is no name is taken for a number. None is the first
        of `main_images`.

    Raises
    ------
    ImageChoiceError
        If there is no such image.
    """
    if choice is None:
        return main_images(entries)[0]
    if isinstance(choice, ImageEntry):
        found = [entry for entry in entries if entry.key == choice.key]
    else:
        found = [entry for entry in entries if entry.name == choice]
        if not found and re.fullmatch(r"\d+", str(choice)):
            found = [entry for entry in entries if entry.number == int(choice)]
    if not found:
        wanted = choice.name if isinstance(choice, ImageEntry) else choice
        raise ImageChoiceError(
            f"series: got {wanted!r}, wanted the name or number of one of its images: "
            f"{_listed(entries)}."
        )
    return found[0]


def with_choice(
    record: ImageRecord,
    entries: Sequence[ImageEntry],
    chosen: ImageEntry,
    choice: Choice,
) -> ImageRecord:
    """Return a record with the names of all images, and a note if none was asked for.

    Parameters
    ----------
    record : ImageRecord
        The image.
    entries : sequence of ImageEntry
        All images of its file.
    chosen : ImageEntry
        The image among them.
    choice : str, int, ImageEntry or None
        What was asked for.
    """
    if len(entries) == 1:
        return record
    names = tuple(entry.name for entry in entries)
    notes = _note_on_others(entries, chosen) if choice is None else ()
    return replace(
        record, name=chosen.name, series=names, notes=(*record.notes, *notes)
    )


def _note_on_others(
    entries: Sequence[ImageEntry], chosen: ImageEntry
) -> tuple[str, ...]:
    others = [entry for entry in entries if entry.held and entry is not chosen]
    if not others:
        return ()
    which = f"number {chosen.number}" if chosen.number else "the first"
    return (
        f"The file holds {len(others) + 1} images; only {which} was read "
        f"({chosen.name}). Not read: {_listed(others)}. Choose by --series with a "
        "name, a number or all (series= in Python).",
    )


def _listed(entries: Sequence[ImageEntry]) -> str:
    texts = [_label(entry) for entry in entries[:_LISTED]]
    if len(entries) > _LISTED:
        texts.append(f"and {len(entries) - _LISTED} more")
    return "; ".join(texts)


def _label(entry: ImageEntry) -> str:
    """Return the number of an image, with what else is known of it."""
    named = entry.name not in (f"image {entry.number}", entry.kind)
    label = (
        f'number {entry.number}, "{entry.name}"' if named else f"number {entry.number}"
    )
    return label if entry.kind == "image" else f"{label} ({entry.kind})"


def unique_names(names: Sequence[str], others: Sequence[str] = ()) -> list[str]:
    """Return a name for each image, all different.

    Parameters
    ----------
    names : sequence of str
        Names in the file, which may be empty or the same.
    others : sequence of str
        Names to take instead, as many, where a name is not unique; may be empty.
    """
    counts = Counter(names)
    found = [
        name if name and counts[name] == 1 else other or name
        for name, other in zip(names, others or [""] * len(names), strict=True)
    ]
    counts = Counter(found)
    return [
        name
        if name and counts[name] == 1
        else (f"{name} ({number})" if name else f"image {number}")
        for number, name in enumerate(found)
    ]


def kind_of(name: str) -> str:
    """Return the kind of an image by the name that scanners give it."""
    return _KINDS.get(name.strip().lower(), "image")
