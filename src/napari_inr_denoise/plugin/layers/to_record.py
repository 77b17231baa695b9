"""Converts a layer to an image record: pixels and what a file can store of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from napari_inr_denoise.io.record import ImageRecord, Quantity
from napari_inr_denoise.io.units import unit_symbol
from napari_inr_denoise.plugin.layers.axis_labels import axis_letters
from napari_inr_denoise.plugin.layers.layer_kwargs import PIXEL


def layer_record(data: Any, attributes: Mapping[str, Any]) -> ImageRecord:  # noqa: ANN401 - numpy, dask, Zarr
    """Return an image layer as a record.

    Parameters
    ----------
    data : array
        Data of the layer; of a multiscale layer the full resolution is used.
    attributes : mapping
        Attributes of the layer, as napari passes them to a writer. Used are scale,
        units, axis labels, name, contrast limits and translation; rotation and shear
        are lost.

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
    single = "C" not in letters and not rgb
    record = ImageRecord(
        image,
        letters + ("S" if rgb else ""),
        channel_names=(name,) if single else (),
        display_ranges=(_range(attributes),) if single else (),
        origin=_origin(letters, attributes),
    )
    return record.with_stated(stated)


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
