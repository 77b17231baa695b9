"""The images of any file, and images in several files: OME-TIFF sets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from napari_inr_denoise.io.entries import (
    Choice,
    ImageChoiceError,
    ImageEntry,
    choose_image,
    main_images,
)
from napari_inr_denoise.io.formats import (
    COMPANION_SUFFIXES,
    TIFF_SUFFIXES,
    VENDOR_SUFFIXES,
    has_suffix,
)
from napari_inr_denoise.io.tiff.opening import tiff_images


def images_of(path: Path) -> tuple[ImageEntry, ...]:
    """Return all images that a file or a Zarr describes; pixels are not read.

    Raises
    ------
    ValueError
        If the file is damaged.
    ImportError
        If it is a Zarr and the package `zarr` is not installed.
    """
    if path.is_dir():
        from napari_inr_denoise.io.ome_zarr.images import zarr_images

        return zarr_images(path)
    if has_suffix(path, (*COMPANION_SUFFIXES, *TIFF_SUFFIXES)):
        return tiff_images(path)
    if has_suffix(path, VENDOR_SUFFIXES):
        from napari_inr_denoise.io.vendors.reader import vendor_images

        return vendor_images(path)
    return (_plain(path),)


@dataclass
class FileImages:
    """Images to read from one of several files.

    Attributes
    ----------
    entries : list of ImageEntry
        Images to read from it, each without a key if it is what opening the file
        without a choice gives.
    part_of : Path or None
        The file that is read instead, if there are none.
    """

    entries: list[ImageEntry] = field(default_factory=list)
    part_of: Path | None = None


def images_by_file(
    files: Iterable[Path], choice: str | int | None = "all"
) -> dict[Path, FileImages]:
    """Return the images to read from each of several files, each image once.

    Parameters
    ----------
    files : iterable of Path
        Files, in the order in which they are preferred. Each is opened once.
    choice : str, int or None
        "all": all images but thumbnails, labels and macros, also those whose files are
        all missing; or one image of each file, None for the main one.

    Returns
    -------
    dict of Path to FileImages
        For each file the images to read from it. A file that cannot be read has an
        entry: the error appears when it is read.
    """
    listed = {file: _listed(file) for file in files}
    found = {file: FileImages() for file in listed}
    owners: dict[tuple[object, ...], Path] = {}
    described = _described_by_companions(listed)
    for file, entries in listed.items():
        if file in described:
            found[file].part_of = described[file]
            continue
        for entry in _chosen(entries, choice):
            _assign(file, entry, listed, found, owners, choice)
    there = {
        (file.parent, entry.named)
        for file, images in found.items()
        for entry in images.entries
    }
    for file, entries in listed.items() if choice == "all" else ():
        for entry in entries:
            lost = not entry.files and (file.parent, entry.named) not in there
            if lost and entry.kind == "image":
                _assign(file, entry, listed, found, owners, choice)
    return found


def _described_by_companions(
    listed: Mapping[Path, tuple[ImageEntry, ...]],
) -> dict[Path, Path]:
    """Return the files that describe nothing themselves, with their companions."""
    return {
        part: file
        for file, entries in listed.items()
        if has_suffix(file, COMPANION_SUFFIXES)
        for entry in entries
        for part in entry.files
        if not any(own.named or own.source for own in listed.get(part, ()))
    }


def _assign(
    file: Path,
    entry: ImageEntry,
    listed: Mapping[Path, tuple[ImageEntry, ...]],
    found: Mapping[Path, FileImages],
    owners: dict[tuple[object, ...], Path],
    choice: Choice,
) -> None:
    """Assign an image of a file to the file that it is read from, unless it is."""
    if entry.source is not None and entry.source not in listed:
        # Without the file that describes it, each part is an image.
        found[file].entries.append(_plain(file))
        return
    image = entry.files, entry.missing, entry.name
    if image in owners:
        found[file].part_of = owners[image]
        return
    owner = entry.source or file
    if entry.source or not entry.files or entry.files[0] in listed:
        owners[image] = owner
    if owner != file:
        found[file].part_of = owner
    main = main_images(listed[owner])
    opened = main[:1] if choice is None else main
    plain = opened == [replace(entry, source=None)]
    found[owner].entries.append(replace(entry, key=()) if plain else entry)


def _chosen(entries: tuple[ImageEntry, ...], choice: Choice) -> Sequence[ImageEntry]:
    if choice == "all":
        return main_images(entries)
    try:
        return [choose_image(entries, choice)]
    except ImageChoiceError:  # the error appears when the file is read
        return [replace(entries[0], key=(str(choice),), name=str(choice))]


def _listed(file: Path) -> tuple[ImageEntry, ...]:
    try:
        return images_of(file)
    except Exception:  # noqa: BLE001 - reading the image reports the error
        return (_plain(file),)


def _plain(file: Path) -> ImageEntry:
    return ImageEntry(0, "image 0", files=(file,))


def secondary_files(files: Iterable[Path]) -> dict[Path, Path]:
    """Return the files that only contain parts of images read from another file.

    Parameters
    ----------
    files : iterable of Path
        Files to examine.

    Returns
    -------
    dict of Path to Path
        Secondary file to primary file; both are among `files`.
    """
    return {
        file: images.part_of
        for file, images in images_by_file(files).items()
        if not images.entries and images.part_of is not None
    }


def files_of_image(path: Path) -> tuple[Path, ...]:
    """Return the files of the main image of a file, the primary file first.

    The primary file is the one that describes the set if the others refer to it. If
    each file describes the whole set, it is the first by name.

    Parameters
    ----------
    path : Path
        One of the files, or a Zarr.

    Returns
    -------
    tuple of Path
        The folder of the image in a Zarr, or the files that exist; only `path` if it
        is not part of a set or cannot be read.
    """
    entry = choose_image(_listed(path), None)
    if has_suffix(path, COMPANION_SUFFIXES):
        return (path, *entry.files)
    if entry.source is not None:
        others = tuple(file for file in entry.files if file != entry.source)
        return (entry.source, *others)
    if path.is_dir():
        return entry.files or (path,)
    if path not in entry.files:
        return (path,)
    earlier = entry.files[: entry.files.index(path)]
    first = next((file for file in earlier if _describes(file, entry)), path)
    return (first, *(file for file in entry.files if file != first))


def _describes(file: Path, image: ImageEntry) -> bool:
    """Return whether a file describes all of an image itself."""
    own = (entry for entry in _listed(file) if entry.source is None)
    return any(entry.files == image.files for entry in own)
