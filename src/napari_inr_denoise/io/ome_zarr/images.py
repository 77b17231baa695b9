"""Images of an OME-Zarr: fields of a plate or well, series, several multiscales."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from napari_inr_denoise.io.entries import (
    ImageChoiceError,
    ImageEntry,
    kind_of,
    unique_names,
)
from napari_inr_denoise.io.ome.companion import read_companion
from napari_inr_denoise.io.ome.images import keep_image
from napari_inr_denoise.io.ome_zarr.attributes import read_attributes
from napari_inr_denoise.io.ome_zarr.ngff_reader import ngff_metadata
from napari_inr_denoise.io.untrusted.size_limits import check_count
from napari_inr_denoise.io.untrusted.xml import children, parse_xml


def zarr_images(folder: Path) -> tuple[ImageEntry, ...]:
    """Return all images that a Zarr describes. Levels and labels are no images.

    The key of an image is its path in the Zarr, and its number among the multiscales
    of that group.

    Raises
    ------
    ValueError
        If a plate or well names no image, a path leads outside of the Zarr, or the
        metadata are damaged.
    """
    metadata = ngff_metadata(read_attributes(folder))
    for kind, paths_in in (("plate", _wells), ("well", _fields)):
        if kind not in metadata:
            continue
        paths = list(paths_in(folder, metadata[kind]))
        if not paths:
            raise ImageChoiceError(f"got a {kind} that names no image.")
        return _entries(folder, paths, paths)
    if "bioformats2raw.layout" in metadata and "multiscales" not in metadata:
        paths = _series(folder)
        return _entries(folder, paths, unique_names(_names(folder, len(paths))))
    multiscales = metadata.get("multiscales") or [{}]
    names = unique_names([str(each.get("name", "")) for each in multiscales])
    return tuple(
        ImageEntry(number, name, ("", number), (folder,))
        for number, name in enumerate(names)
    )


def _entries(
    folder: Path, paths: list[str], names: list[str]
) -> tuple[ImageEntry, ...]:
    check_count(len(paths), "images")
    there = [(folder / path).is_dir() for path in paths]
    return tuple(
        ImageEntry(
            number,
            name,
            (path, 0),
            (folder / path,) if exists else (),
            () if exists else (path,),
            (path,),
            kind_of(name),
        )
        for number, (path, name, exists) in enumerate(
            zip(paths, names, there, strict=True)
        )
    )


def _wells(folder: Path, plate: Mapping[str, Any]) -> Iterator[str]:
    """Yield the paths of all fields of a plate; of a well that is missing, its own."""
    for each in plate.get("wells", ()):
        path = inside(str(each["path"]))
        if not (folder / path).is_dir():
            yield path
            continue
        well = ngff_metadata(read_attributes(folder / path)).get("well", {})
        yield from (f"{path}/{field}" for field in _fields(folder / path, well))


def _fields(_folder: Path, well: Mapping[str, Any]) -> Iterator[str]:
    yield from (inside(str(each["path"])) for each in well.get("images", ()))


def _series(folder: Path) -> list[str]:
    """Return the paths of the images that bioformats2raw has written."""
    stated = ngff_metadata(read_attributes(folder / "OME")).get("series")
    if stated:
        return [inside(str(path)) for path in stated]
    paths = ["0"]
    while (folder / str(len(paths))).is_dir():
        paths.append(str(len(paths)))
    return paths


def _names(folder: Path, count: int) -> list[str]:
    """Return the names of the images in the OME-XML, as far as there are any."""
    root = _described(folder, count)
    images = [] if root is None else children(root, "Image")
    return [each.attrib.get("Name", "") for each in images] or [""] * count


def xml_of_series(folder: Path, path: str) -> str:
    """Return the OME-XML of an image that bioformats2raw has written, if there is any.

    Parameters
    ----------
    folder : Path
        The Zarr.
    path : str
        Path of the image in it.
    """
    paths = _series(folder)
    root = _described(folder, len(paths))
    if root is None or path not in paths:
        return ""
    keep_image(root, paths.index(path))
    return ElementTree.tostring(root, encoding="unicode")


def _described(folder: Path, count: int) -> Element | None:
    """Return the OME-XML of all images, if it describes as many as there are."""
    try:
        root = parse_xml(read_companion(folder / "OME" / "METADATA.ome.xml"))
    except (OSError, ValueError, SyntaxError):
        return None
    return root if len(children(root, "Image")) == count else None


def inside(path: str) -> str:
    """Return a path inside the Zarr; raise ValueError for a path outside of it."""
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts or "\\" in path or ":" in path:
        raise ValueError(
            f"the metadata name a path outside the Zarr, {path!r}, which is not read"
        )
    return path
