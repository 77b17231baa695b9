"""Read OME-Zarr and plain Zarr arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from napari_inr_denoise.io.ome_zarr.attributes import read_attributes
from napari_inr_denoise.io.ome_zarr.axes import axes_of
from napari_inr_denoise.io.ome_zarr.lazy import ZarrArray
from napari_inr_denoise.io.ome_zarr.ngff_reader import ngff_metadata, with_ngff_metadata
from napari_inr_denoise.io.record import ImageRecord
from napari_inr_denoise.io.untrusted.links import check_links

_EXAMPLES = {"plate": "A/1/0", "well": "0"}
"""Path of one image in a group of many images."""


def read_zarr(folder: Path) -> ImageRecord:
    """Return the first image of a Zarr at full resolution; its values stay there.

    Raises
    ------
    ValueError
        If it contains no image, is damaged, or has a link that leads outside of it.
    ImportError
        If the package `zarr` is not installed.
    """
    check_links(folder)
    return _read(folder)


def _read(folder: Path) -> ImageRecord:
    attributes = read_attributes(folder)
    metadata = ngff_metadata(attributes)
    for kind, one in _EXAMPLES.items():
        if kind in metadata:
            raise ValueError(
                f"got a {kind} of many images, wanted one of them; name it, such as "
                f"{folder.name}/{one}"
            )
    if "bioformats2raw.layout" in metadata and "multiscales" not in metadata:
        return _first_of_many(folder)
    if "multiscales" in metadata:
        return _read_multiscale(folder, attributes)
    return _read_array(folder)


def _first_of_many(folder: Path) -> ImageRecord:
    record = _read(folder / "0")
    if not (folder / "1").is_dir():
        return record
    note = "The file holds several images; only the first was read."
    return replace(record, notes=(*record.notes, note))


def _read_multiscale(folder: Path, attributes: Mapping[str, Any]) -> ImageRecord:
    multiscale = ngff_metadata(attributes)["multiscales"][0]
    data = ZarrArray(folder / _inside(multiscale["datasets"][0]["path"]))
    multiscale.setdefault("axes", list("tczyx"[-data.ndim :]))
    axes, notes = axes_of(multiscale["axes"], data.shape)
    record = ImageRecord(data, axes, notes=notes)
    try:
        record = with_ngff_metadata(record, attributes)
    except Exception as error:  # noqa: BLE001 - any damage becomes a note
        kind = type(error).__name__
        note = f"The file's pixel size and names could not be read ({kind})."
        record = replace(record, notes=(*record.notes, note))
    return record.with_axes(record.axes)


def _read_array(folder: Path) -> ImageRecord:
    data = ZarrArray(folder)
    names = [name or "?" for name in data.dimension_names]
    note = "This Zarr is not an OME-Zarr: it has no pixel sizes or channel names."
    if set(names) == {"?"}:
        names = list("tczyx"[-data.ndim :])
        note += f" Its axes were taken for {''.join(names).upper()}."
    axes, notes = axes_of(names, data.shape)
    return ImageRecord(data, axes, notes=(note, *notes))


def _inside(path: str) -> str:
    """Return a path inside the Zarr; raise ValueError for a path outside of it."""
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts or "\\" in path or ":" in path:
        raise ValueError(
            f"the metadata name a path outside the Zarr, {path!r}, which is not read"
        )
    return path
