"""The images of any file, and images in several files: OME-TIFF sets."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from napari_inr_denoise.io.entries import ImageEntry, choose_image, main_images
from napari_inr_denoise.io.formats import (
    COMPANION_SUFFIXES,
    TIFF_SUFFIXES,
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
    return (ImageEntry(0, "image 0", files=(path,)),)


def images_by_file(files: Iterable[Path]) -> dict[Path, list[ImageEntry]]:
    """Return the images to read from each of several files, each image once.

    Parameters
    ----------
    files : iterable of Path
        Files, in the order in which they are preferred. Each is opened once.

    Returns
    -------
    dict of Path to list of ImageEntry
        For each file the images to read from it, without thumbnails, labels and
        macros. A file without any holds parts of the images of others only. Images
        whose files are all missing belong to the first file that describes them. A
        file that cannot be read has an entry without a key.
    """
    listed = {file: _listed(file) for file in files}
    found: dict[Path, list[ImageEntry]] = {file: [] for file in listed}
    known: set[tuple[object, ...]] = set()
    for lost in (False, True):
        for file, entries in listed.items():
            for entry in entries if lost else main_images(entries):
                if lost and (entry.files or entry.kind != "image"):
                    continue
                source = entry.source if entry.source in listed else None
                image = entry.files, entry.missing, entry.name
                first = entry.source or (entry.files[0] if entry.files else file)
                if entry.source is not None and source is None:
                    # Without the file that describes it, each part is an image.
                    found[file].append(ImageEntry(0, "image 0", files=(file,)))
                elif image not in known:
                    if first in listed:
                        known.add(image)
                    found[source or file].append(entry)
    return found


def _listed(file: Path) -> tuple[ImageEntry, ...]:
    try:
        return images_of(file)
    except Exception:  # noqa: BLE001 - reading the image reports the error
        return (ImageEntry(0, "image 0", files=(file,)),)


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
    found = images_by_file(files)
    owners = {
        part: file for file, entries in found.items() for e in entries for part in e.files
    }
    return {file: owners[file] for file, entries in found.items() if not entries}


def files_of_image(path: Path) -> tuple[Path, ...]:
    """Return the files of the main image of a file, the primary file first.

    The primary file is the one that describes the set if the others refer to it. If
    each file describes the whole set, it is the first by name.

    Parameters
    ----------
    path : Path
        One of the files.

    Returns
    -------
    tuple of Path
        The files that exist; only `path` if it is not part of a set or cannot be read.
    """
    entry = choose_image(_listed(path), None)
    if has_suffix(path, COMPANION_SUFFIXES):
        return (path, *entry.files)
    if entry.source is not None:
        others = tuple(file for file in entry.files if file != entry.source)
        return (entry.source, *others)
    if path not in entry.files:
        return (path,)
    first = next(file for file in entry.files if file == path or _describes(file, entry))
    return (first, *(file for file in entry.files if file != first))


def _describes(file: Path, image: ImageEntry) -> bool:
    """Return whether a file describes all of an image itself."""
    own = (entry for entry in _listed(file) if entry.source is None)
    return any(entry.files == image.files for entry in own)
