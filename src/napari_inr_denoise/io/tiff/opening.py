"""Open TIFF files of unknown origin, and one of their images."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from tifffile import TiffFile, TiffPageSeries

from napari_inr_denoise.io.entries import (
    Choice,
    ImageChoiceError,
    ImageEntry,
    choose_image,
    kind_of,
    unique_names,
)
from napari_inr_denoise.io.faults import UnsupportedError
from napari_inr_denoise.io.formats import COMPANION_SUFFIXES, has_suffix, names_on_disk
from napari_inr_denoise.io.ome.companion import read_companion
from napari_inr_denoise.io.ome.images import HERE, OmeImage, ome_images, xml_of_image
from napari_inr_denoise.io.tiff.claims import claimed_series
from napari_inr_denoise.io.tiff.imagej_dimensions import correct_dimensions
from napari_inr_denoise.io.tiff.micromanager import positions
from napari_inr_denoise.io.tiff.ndtiff import (
    ndtiff_entries,
    ndtiff_planes,
    ndtiff_series,
)
from napari_inr_denoise.io.untrusted.size_limits import check_count
from napari_inr_denoise.io.untrusted.xml import (
    children,
    declared_planes,
    descendants,
    parse_xml,
)

# tifffile logs hundreds of lines for some damaged files; they appear only if logging is
# configured. This package reports damage by its own errors and notes.
logging.getLogger("tifffile").addHandler(logging.NullHandler())


@dataclass(frozen=True)
class OpenedImage:
    """An image of a TIFF file or of a set of files, with its file open.

    Attributes
    ----------
    tiff : TiffFile
        The open file; its OME-XML describes this image only.
    series : TiffPageSeries or None
        The image; None if the file has no pages.
    entry : ImageEntry
        The image among those of the file.
    entries : tuple of ImageEntry
        All images that the file describes.
    """

    tiff: TiffFile
    series: TiffPageSeries | None
    entry: ImageEntry
    entries: tuple[ImageEntry, ...]


def open_image(path: Path, choice: Choice = None) -> OpenedImage:
    """Open a TIFF file after a check of its OME-XML, and choose one of its images.

    Parameters
    ----------
    path : Path
        The file, or the companion OME-XML of a set.
    choice : str, int, ImageEntry or None
        The image, see `choose_image`. None is the main image of the file itself: of a
        file that holds only a part of an image that another file describes, that part.

    Raises
    ------
    ValueError
        If the metadata name files outside the folder, or declare too many planes, if
        no TIFF file of a set exists, or if there is no such image.
    """
    described = _described(path)
    if described is None or (choice is None and described.only_parts):
        tiff = _open(path)
        if tiff.is_ndtiff:
            return _open_indexed(tiff, ndtiff_entries(path), choice)
        found = _series(tiff)
        entries = described.entries if described else _entries(path, found)
        entry = choose_image(entries, choice)
        number = 0 if described else entry.number
        return OpenedImage(tiff, found[number] if found else None, entry, entries)
    entry = choose_image(described.entries, choice)
    tiff = described.open(entry)
    found = _series(tiff)
    several = len(described.entries) > 1 or entry.missing
    if several and found and found[0].kind != "ome":
        # Without a plane that the XML names tifffile takes all pages of the file.
        tiff.close()
        raise _nothing_of(entry)
    return OpenedImage(tiff, found[0] if found else None, entry, described.entries)


def _open_indexed(
    tiff: TiffFile, entries: tuple[ImageEntry, ...], choice: Choice
) -> OpenedImage:
    """Return an image of a dataset that an index describes."""
    entry = choose_image(entries, choice)
    series = ndtiff_series(tiff, entry.number)
    if series is None:
        tiff.close()
        raise _nothing_of(entry)
    return OpenedImage(tiff, series, entry, entries)


def _nothing_of(entry: ImageEntry) -> ImageChoiceError:
    lost = ", ".join(entry.missing) or "the file is cut short or damaged"
    return ImageChoiceError(
        f"found no plane of the image {entry.name}: {lost}. Copy it again."
    )


def tiff_images(path: Path) -> tuple[ImageEntry, ...]:
    """Return all images that a TIFF file describes; its pixels are not read.

    Raises
    ------
    ValueError
        See `open_image`.
    """
    described = _described(path)
    if described is not None:
        return described.entries
    with _open(path) as tiff:
        if tiff.is_ndtiff:
            return ndtiff_entries(path)
        return _entries(path, _series(tiff))


def _series(tiff: TiffFile) -> list[TiffPageSeries]:
    """Return the images of an open file; none without pages."""
    if not _has_pages(tiff):
        return []
    return (positions(tiff) if not tiff.is_ome else []) or claimed_series(tiff)


def _entries(path: Path, found: list[TiffPageSeries]) -> tuple[ImageEntry, ...]:
    """Return the images of a file without OME-XML."""
    names = [series.name for series in found] or [""]
    kinds = [kind_of(name) for name in names]
    for number, series in enumerate(found):
        if series.keyframe.is_reduced and kinds[number] == "image":
            kinds[number] = "thumbnail"
    return tuple(
        ImageEntry(number, name, (number,), (path,), kind=kind)
        for number, (name, kind) in enumerate(
            zip(unique_names(names), kinds, strict=True)
        )
    )


@dataclass(frozen=True)
class _Described:
    """Images that OME-XML describes, as seen from one of their files.

    Attributes
    ----------
    path : Path
        The file.
    described_in : Path
        The file with the OME-XML.
    xml : str
        OME-XML.
    images : list of OmeImage
        All images.
    alias : str
        Another name of `path` in the XML, if it was renamed.
    respelled : bool
        Whether `xml` spells names in another way than the file itself, see
        `names_on_disk`.
    """

    path: Path
    described_in: Path
    xml: str
    images: list[OmeImage]
    alias: str = HERE
    respelled: bool = False

    @cached_property
    def entries(self) -> tuple[ImageEntry, ...]:
        """All images. Parts of an image are read through the file with the XML."""
        found = tuple(
            self._entry(number, image) for number, image in enumerate(self.images)
        )
        if self.path == self.described_in:
            return found
        alone = all(
            entry.files == (self.path,) and not entry.missing
            for entry in found
            if entry.held
        )
        if alone:
            return found
        return tuple(replace(entry, source=self.described_in) for entry in found)

    @property
    def only_parts(self) -> bool:
        """Whether this file holds parts of images that another one describes."""
        return any(entry.source is not None for entry in self.entries)

    def _entry(self, number: int, image: OmeImage) -> ImageEntry:
        named = sorted({self._file(name) for name in image.files})
        files = tuple(file for file in named if file.is_file())
        companion = has_suffix(self.path, COMPANION_SUFFIXES)
        return ImageEntry(
            number,
            image.name,
            (image.element,),
            files,
            tuple(file.name for file in named if file not in files),
            image.named,
            image.kind,
            held=companion or self.path in named,
        )

    def _file(self, name: str) -> Path:
        if name == HERE:
            return self.described_in
        return self.path if name == self.alias else self.path.parent / name

    def open(self, entry: ImageEntry) -> TiffFile:
        """Open a file with pixels of an image, with the XML of this image only."""
        if not entry.files:
            listed = ", ".join(entry.missing[:3]) or "none"
            raise ImageChoiceError(
                f"found none of the TIFF files that it names ({listed}), wanted them "
                "in the same folder. Copy them there."
            )
        host = self.path if self.path in entry.files else entry.files[0]
        image = self.images[entry.number]
        others, named = image.files - {HERE}, set(image.named)
        clear = self.alias == HERE and not self.respelled
        clear = clear and others <= named <= others | {self.path.name}
        only = clear and len(self.images) == 1
        if only and host == self.described_in == self.path:
            return _open(host)
        hosts = frozenset(name for name in image.files if self._file(name) == host)
        root, name = parse_xml(self.xml), self.described_in.name
        return _open(host, xml_of_image(root, name, image, hosts))


def _described(path: Path) -> _Described | None:
    """Return what OME-XML says of a file; None without OME-XML that names it."""
    if has_suffix(path, COMPANION_SUFFIXES):
        described, _ = _describe(path, path, read_companion(path))
        if not described.images:
            described.open(ImageEntry(0, ""))  # raises an error
        return described
    with _open(path) as tiff:
        if not (_has_pages(tiff) and tiff.is_ome):
            return None
        xml = tiff.ome_metadata or ""
    described, root = _describe(path, path, xml)
    for elsewhere in children(root, "BinaryOnly"):
        return _described_in(path, elsewhere.attrib.get("MetadataFile", ""))
    if not described.images:
        return None
    names = frozenset().union(*(image.files for image in described.images))
    if len(names) == 1 and HERE not in names:
        (alias,) = names
        found = any(entry.files for entry in described.entries)
        # It was renamed. Another file may have got the name, unless a UUID says that
        # this is a file without planes.
        if not found or "UUID" not in root.attrib:
            return replace(described, alias=alias)
    return described


def _described_in(path: Path, name: str) -> _Described | None:
    """Return what the OME-XML in another file says of a file."""
    other = path.parent / name
    if not is_in_same_folder(path, name) or not other.is_file() or other == path:
        return None
    try:
        if has_suffix(other, COMPANION_SUFFIXES):
            xml = read_companion(other)
        else:
            with _open(other) as tiff:
                xml = (tiff.ome_metadata if tiff.is_ome else None) or "<OME/>"
        described, _ = _describe(path, other, xml)
    except Exception:  # noqa: BLE001 - reading the other file reports the error
        return None
    return described if any(one.held for one in described.entries) else None


def _describe(path: Path, described_in: Path, xml: str) -> tuple[_Described, Element]:
    """Return what OME-XML says of a file, and its root, with names as on the disk."""
    root = parse_xml(xml)
    kinds = (("UUID", "FileName"), ("BinaryOnly", "MetadataFile"))
    naming = [
        (element.attrib, key)
        for kind, key in kinds
        for element in descendants(root, kind)
        if key in element.attrib
    ]
    spelled = names_on_disk({stated[key] for stated, key in naming}, path)
    for stated, key in naming:
        stated[key] = spelled.get(stated[key], stated[key])
    if spelled:
        xml = ElementTree.tostring(root, encoding="unicode")
    images = _images(described_in, root)
    return (
        _Described(path, described_in, xml, images, respelled=bool(spelled)),
        root,
    )


def _images(path: Path, root: Element) -> list[OmeImage]:
    """Return the images in OME-XML, after a check before anything follows it."""
    check_count(declared_planes(root), "planes declared by the OME-XML")
    images = ome_images(root, path.name)
    for name in sorted(frozenset().union(*(image.files for image in images))):
        if name != HERE and not is_in_same_folder(path, name):
            raise UnsupportedError(
                f"the OME-XML names a file outside the folder, {name!r}, which is not "
                "read"
            )
    return images


def _open(path: Path, xml: str | None = None) -> TiffFile:
    # The index of Micro-Manager's files is not needed to read their pages and OME-XML.
    indexed = None if xml is None and _is_indexed(path) else False
    # What a file says of itself does not count where another one describes it.
    shaped = None if xml is None else False
    tiff = TiffFile(
        path, omexml=xml, is_ndtiff=indexed, is_mmstack=False, is_shaped=shaped
    )
    try:
        if _has_pages(tiff) and tiff.is_scn:
            _check_scn(tiff.pages.first.description)
        elif _has_pages(tiff) and tiff.is_imagej and not tiff.is_ome:
            correct_dimensions(tiff)
    except Exception:
        tiff.close()
        raise
    return tiff


def _is_indexed(path: Path) -> bool:
    """Return whether a file is in a dataset of NDTiff, after a check of its index."""
    for name in (names := {plane.file for plane in ndtiff_planes(path)}):
        if not is_in_same_folder(path, name):
            raise UnsupportedError(
                f"the index names a file outside the folder, {name!r}, which is not "
                "read"
            )
    return bool(names)


def _has_pages(tiff: TiffFile) -> bool:
    """Return whether there is a first page, without reading all pages."""
    try:
        return tiff.pages.first is not None
    except IndexError:
        return False


def _check_scn(xml: str) -> None:
    """Check the XML of a Leica slide scanner before tifffile follows it."""
    for each in descendants(parse_xml(xml), "dimension"):
        channels, planes = (int(each.attrib.get(name, 0)) + 1 for name in "cz")
        check_count(channels * planes, "planes declared by the XML")


def is_in_same_folder(path: Path, name: str) -> bool:
    """Return whether a name, of a file or of none, stays in the folder of a path."""
    if not name or Path(name).name != name or "\\" in name or ":" in name:
        return False
    target = path.parent / name
    homes = {path.parent.resolve(), path.resolve().parent}
    return target.resolve().parent in homes and (
        target.is_file() or not target.exists()
    )
