"""Converts layers to an image record: pixels and what a file can store of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.image.indexing import Bounds, as_slices
from napari_inr_denoise.image.virtual_array import VirtualArray
from napari_inr_denoise.io.record import ImageRecord, Quantity
from napari_inr_denoise.io.units import unit_symbol
from napari_inr_denoise.plugin.layers.axis_labels import axis_letters
from napari_inr_denoise.plugin.layers.files.colormaps import (
    as_table,
    colour_of,
    is_even,
)
from napari_inr_denoise.plugin.layers.files.file_metadata import with_kept_metadata
from napari_inr_denoise.plugin.layers.files.layer_kwargs import PIXEL
from napari_inr_denoise.plugin.layers.metadata_keys import CHANNEL_KEY

_BLACK = "#000000"


class LayersDifferError(Exception):
    """Layers cannot be the channels of one file.

    Not a ValueError, which napari takes for a file name without a writer.
    """


def layer_record(data: Any, attributes: Mapping[str, Any]) -> ImageRecord:  # noqa: ANN401 - numpy, dask, Zarr
    """Return an image layer as a record.

    Parameters
    ----------
    data : array
        Data of the layer; of a multiscale layer the full resolution is used.
    attributes : mapping
        Attributes of the layer, as napari passes them to a writer. Used are scale,
        units, axis labels, name, contrast limits, colormap and translation; rotation
        and shear are lost.

    Raises
    ------
    ValueError
        If there are more than five dimensions.
    """
    image = data[0] if isinstance(data, Sequence) else data
    rgb = bool(attributes.get("rgb"))
    count = image.ndim - rgb
    name = str(attributes.get("name", ""))
    labels = [str(label) for label in attributes.get("axis_labels") or [""] * count]
    letters = axis_letters(labels, _plane(labels), name)
    stated = _sizes(letters, attributes)
    record = ImageRecord(
        image,
        letters + ("S" if rgb else ""),
        origin=_origin(letters, attributes),
    )
    if not rgb:
        record = replace(record, **_channels(record.size_of("C"), attributes))
    return with_kept_metadata(record.with_stated(stated), [_metadata(attributes)])


def channels_record(layers: Sequence[tuple[Any, Mapping[str, Any]]]) -> ImageRecord:
    """Return several image layers as the channels of one record.

    Parameters
    ----------
    layers : sequence of (data, attributes)
        As for `layer_record`. Data stay where they are until they are read.

    Raises
    ------
    LayersDifferError
        If the layers differ in shape, axes, pixel size or place, or have channels or
        colours of their own.
    """
    records = [layer_record(data, attributes) for data, attributes in layers]
    first = records[0]
    for record, (_, attributes) in zip(records, layers, strict=True):
        if set("CS") & set(record.axes) or _place(record) != _place(first):
            raise LayersDifferError(
                f"layer {attributes.get('name')!r}: got axes {record.axes} and shape "
                f"{tuple(record.data.shape)}. Layers become the channels of one file "
                "if they have no channels or colours of their own and agree in axes, "
                "shape, pixel size and place. Save the layers one by one."
            )
    names, colours, ranges = (
        tuple(value for record in records for value in getattr(record, field))
        for field in ("channel_names", "channel_colours", "display_ranges")
    )
    record = replace(
        first,
        data=_Channels([record.data for record in records]),
        axes=f"C{first.axes}",
        channel_names=names,
        channel_colours=colours,
        display_ranges=ranges,
        luts=_tables(attributes for _, attributes in layers),
        ome_xml="",
        attributes={},
    )
    return with_kept_metadata(record, [_metadata(each) for _, each in layers])


def _metadata(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return dict(attributes.get("metadata") or {})


def _place(record: ImageRecord) -> tuple[object, ...]:
    return record.axes, tuple(record.data.shape), record.stated, record.origin


class _Channels(VirtualArray):
    """Arrays of one shape as channels; C comes first."""

    def __init__(self, arrays: Sequence[Any]) -> None:
        self._arrays = arrays
        self.shape = (len(arrays), *arrays[0].shape)
        self.dtype = np.result_type(*(array.dtype for array in arrays))

    def _block(self, bounds: list[Bounds]) -> NDArray[Any]:
        inner = as_slices(bounds[1:])
        parts = [np.asarray(array[inner]) for array in self._arrays[slice(*bounds[0])]]
        return np.stack(parts).astype(self.dtype)


def _channels(count: int, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return name, display range and colours for each of the channels of a layer."""
    ranges = (_range(attributes),) * count
    if count > 1:  # one colormap for all, which tells of none
        return {"display_ranges": ranges}
    tables = _tables([attributes])
    colour = (
        colour_of(as_table(attributes["colormap"])) if "colormap" in attributes else ""
    )
    return {
        "channel_names": (_channel_name(attributes),),
        # In black, which is the last colour of an inverted table, nothing shows.
        "channel_colours": ("" if colour == _BLACK else colour,),
        "display_ranges": ranges,
        "luts": tables,
    }


def _tables(layers: Iterable[Mapping[str, Any]]) -> tuple[bytes, ...]:
    """Return the colour table of each layer; nothing if a colour says as much."""
    tables = tuple(as_table(each.get("colormap", "gray")) for each in layers)
    return () if all(map(is_even, tables)) else tables


def _channel_name(attributes: Mapping[str, Any]) -> str:
    """Return the name that the file had for the channel, or that of a renamed layer."""
    name = str(attributes.get("name", ""))
    own = _metadata(attributes).get(CHANNEL_KEY)
    return own if isinstance(own, str) and own in name else name


def _plane(labels: list[str]) -> tuple[int, int]:
    """Return the dimensions of the plane: those labelled y and x, else the last two."""
    named = [label.lower() for label in labels]
    if named.count("y") == 1 and named.count("x") == 1:
        return named.index("y"), named.index("x")
    return len(labels) - 2, len(labels) - 1


def _sizes(letters: str, attributes: Mapping[str, Any]) -> dict[str, Quantity]:
    """Return pixel sizes in the units of the layer; "pixel" may be the unit."""
    scale = attributes.get("scale")
    if scale is None:
        return {}
    units = attributes.get("units") or [PIXEL] * len(letters)
    stated = {}
    for letter, size, unit in zip(letters, scale, units, strict=True):
        symbol = unit_symbol(str(unit), "time" if letter == "T" else "length")
        said = symbol is not None and letter != "C"
        if said and (symbol != PIXEL or size != 1):
            stated[letter] = Quantity(abs(float(size)), str(symbol))
    return stated


def _origin(letters: str, attributes: Mapping[str, Any]) -> dict[str, float]:
    translation = attributes.get("translate")
    if translation is None:
        return {}
    places = zip(letters, translation, strict=True)
    return {letter: float(at) for letter, at in places if at != 0}


def _range(attributes: Mapping[str, Any]) -> tuple[float, float] | None:
    limits = attributes.get("contrast_limits")
    return None if limits is None else (float(limits[0]), float(limits[1]))
