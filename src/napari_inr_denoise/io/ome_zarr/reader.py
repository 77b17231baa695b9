"""Read OME-Zarr and plain Zarr arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_inr_denoise.io.entries import (
    Choice,
    ImageChoiceError,
    choose_image,
    with_choice,
)
from napari_inr_denoise.io.ome.remainder import remainder_of
from napari_inr_denoise.io.ome.schema import newest_version
from napari_inr_denoise.io.ome_zarr.attributes import is_array, read_attributes
from napari_inr_denoise.io.ome_zarr.axes import axes_of
from napari_inr_denoise.io.ome_zarr.images import inside, xml_of_series, zarr_images
from napari_inr_denoise.io.ome_zarr.lazy import ZarrArray
from napari_inr_denoise.io.ome_zarr.ngff_reader import (
    as_known,
    ngff_metadata,
    with_ngff_metadata,
)
from napari_inr_denoise.io.record import ImageRecord, with_metadata
from napari_inr_denoise.io.untrusted.links import check_links

_LISTED = 12
"""Number of folders or labels that are listed by name."""
_DIMENSIONS = "_ARRAY_DIMENSIONS"


def read_zarr(folder: Path, choice: Choice = None) -> ImageRecord:
    """Return an image of a Zarr at full resolution; its values stay there.

    Parameters
    ----------
    folder : Path
        The Zarr, or a group or array in it.
    choice : str, int, ImageEntry or None
        The image, see `choose_image`.

    Raises
    ------
    ValueError
        If it contains no such image, is damaged, or has a link that leads outside of
        it.
    ImportError
        If the package `zarr` is not installed.
    """
    check_links(folder)
    entries = zarr_images(folder)
    entry = choose_image(entries, choice)
    if entry.missing:
        raise ImageChoiceError(
            f"its image {entry.name} is missing. Copy the Zarr again."
        )
    path, number = entry.key
    record = _read(folder / str(path), int(number))
    record = with_metadata(record, lambda one: _with_ome_xml(one, folder, str(path)))
    return with_choice(record, entries, entry, choice)


def _with_ome_xml(record: ImageRecord, folder: Path, path: str) -> ImageRecord:
    """Add what OME-XML beside the image says, if bioformats2raw has written it."""
    xml = xml_of_series(folder, path)
    if not xml:
        return record
    rest, notes = remainder_of(newest_version(xml))
    return replace(record, ome_xml=rest, notes=record.notes + notes)


def _read(folder: Path, number: int) -> ImageRecord:
    attributes = read_attributes(folder)
    if not ngff_metadata(attributes).get("multiscales"):
        return _read_array(folder)
    return _read_multiscale(folder, _with_one_multiscale(attributes, number))


def _with_one_multiscale(attributes: Mapping[str, Any], number: int) -> dict[str, Any]:
    """Return the attributes of a group with only one of its multiscales."""
    one = {"multiscales": [as_known(ngff_metadata(attributes)["multiscales"][number])]}
    if "ome" in attributes:
        return {**attributes, "ome": {**attributes["ome"], **one}}
    return {**attributes, **one}


def _read_multiscale(folder: Path, attributes: Mapping[str, Any]) -> ImageRecord:
    multiscale = ngff_metadata(attributes)["multiscales"][0]
    path = inside(_first_level(multiscale))
    if not is_array(folder / path):
        raise ImageChoiceError(
            f"its full resolution, {path!r}, is missing. Copy the Zarr again."
        )
    data = ZarrArray(folder / path)
    multiscale.setdefault("axes", list("tczyx"[-data.ndim :]))
    axes, notes = axes_of(multiscale["axes"], data.shape)
    record = ImageRecord(data, axes, notes=notes + _note_on_labels(folder))
    record = with_metadata(record, lambda one: with_ngff_metadata(one, attributes))
    return record.with_axes(record.axes)


def _note_on_labels(folder: Path) -> tuple[str, ...]:
    """Return a note on the labels (masks of objects) of an image, if there are any."""
    try:
        names = ngff_metadata(read_attributes(folder / "labels")).get("labels")
    except ValueError:
        names = None
    if not isinstance(names, list) or not names:
        return ()
    listed = ", ".join(map(str, names[:_LISTED]))
    note = f"The Zarr also holds labels ({listed}); they are not in the result."
    return (note,)


def _first_level(multiscale: Mapping[str, Any]) -> str:
    """Return the path of the full resolution; raise an error if none is named."""
    datasets = multiscale.get("datasets") or [{}]
    path = datasets[0].get("path") if isinstance(datasets[0], Mapping) else None
    if not isinstance(path, str):
        raise ImageChoiceError(
            f"its metadata name no array of the image (datasets: {datasets}), wanted "
            "the path of at least one. Copy the Zarr again, or name an array in it."
        )
    return path


def _read_array(folder: Path) -> ImageRecord:
    if not is_array(folder):
        groups = sorted(each.name for each in folder.iterdir() if each.is_dir())
        listed = ", ".join(groups[:_LISTED])
        raise ImageChoiceError(
            "got a folder of a Zarr that is no image, wanted an OME-Zarr image or an "
            "array. "
            + (f"Name one of those in it: {listed}." if groups else "It is empty.")
        )
    data = ZarrArray(folder)
    # xarray names the dimensions of Zarr 2 in an attribute.
    attributes = read_attributes(folder)
    stated = data.dimension_names or attributes.pop(_DIMENSIONS, ())
    names = [str(name or "?") for name in stated] or ["?"] * data.ndim
    note = "This Zarr is not an OME-Zarr: it has no pixel sizes or channel names."
    if set(names) == {"?"}:
        names = list("tczyx"[-data.ndim :])
        note += f" Its axes were taken for {''.join(names).upper()}."
    axes, notes = axes_of(names, data.shape)
    return ImageRecord(data, axes, notes=(note, *notes), attributes=attributes)
