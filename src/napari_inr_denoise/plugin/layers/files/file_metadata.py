"""Metadata of a file that a layer has no field for: kept from reading to writing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

from napari_inr_denoise.io.ome.of_channels import xml_of_channels
from napari_inr_denoise.io.ome_zarr.ngff_reader import ngff_metadata
from napari_inr_denoise.io.record import ImageRecord, with_metadata
from napari_inr_denoise.plugin.layers.metadata_keys import (
    NUMBER_KEY,
    OF_FILE_KEY,
)


def kept_metadata(record: ImageRecord) -> dict[str, Any]:
    """Return the metadata of layers that `with_kept_metadata` reads."""
    if not (record.ome_xml or record.attributes):
        return {}
    kept = {
        "ome_xml": record.ome_xml,
        "attributes": dict(record.attributes),
        "ngff_version": record.ngff_version,
        "size": (record.size_of("Y"), record.size_of("X")),
    }
    return {OF_FILE_KEY: kept}


def with_kept_metadata(
    record: ImageRecord, layers: Sequence[Mapping[str, Any]]
) -> ImageRecord:
    """Return a record with the metadata of the file that its layers were read from.

    Instruments, wavelengths, times of planes; and, if the layers show all of each
    plane, ROIs and other attributes.

    Parameters
    ----------
    record : ImageRecord
        The image of the layers.
    layers : sequence of mapping
        Metadata of the layers; more than one if each is a channel of the image.
    """
    first, *others = (each.get(OF_FILE_KEY) for each in layers)
    if not isinstance(first, Mapping) or any(each != first for each in others):
        return record
    return with_metadata(record, lambda one: _with_kept(one, first, layers))


def _with_kept(
    record: ImageRecord, kept: Mapping[str, Any], layers: Sequence[Mapping[str, Any]]
) -> ImageRecord:
    xml = str(kept["ome_xml"])
    attributes = deepcopy(dict(kept["attributes"]))
    # A channel that is there twice counts once: its metadata are then not written, as
    # their number is not that of the channels, and no channel has those of another.
    numbers = list(dict.fromkeys(e[NUMBER_KEY] for e in layers if NUMBER_KEY in e))
    if numbers:
        xml = xml_of_channels(xml, numbers) if xml else ""
        _take_channels(attributes, numbers)
    if (record.size_of("Y"), record.size_of("X")) != tuple(kept["size"]):
        return replace(record, ome_xml=xml)
    return replace(
        record,
        ome_xml=xml,
        attributes=attributes,
        ngff_version=str(kept["ngff_version"]),
    )


def _take_channels(attributes: Mapping[str, Any], numbers: Sequence[int]) -> None:
    """Leave only some channels, in a new order, in the attributes of an OME-Zarr."""
    omero = ngff_metadata(attributes).get("omero") or {}
    channels = omero.get("channels", ())
    if max(numbers) < len(channels):
        omero["channels"] = [channels[number] for number in numbers]
