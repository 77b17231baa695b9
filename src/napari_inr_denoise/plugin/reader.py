"""The reader: TIFF, OME-Zarr and PNG with axes, pixel size and units."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from napari_inr_denoise.io.formats import READABLE_SUFFIXES, has_suffix, is_zarr
from napari_inr_denoise.io.lazy import guessed_axes
from napari_inr_denoise.io.read import list_images, read_image, read_images
from napari_inr_denoise.io.record import ImageRecord
from napari_inr_denoise.plugin.layers.files.colormaps import colormap_of
from napari_inr_denoise.plugin.layers.files.file_metadata import kept_metadata
from napari_inr_denoise.plugin.layers.files.layer_kwargs import (
    LayerTuple,
    record_kwargs,
)
from napari_inr_denoise.plugin.layers.files.provenance import (
    made_by,
    provenance_metadata,
)
from napari_inr_denoise.plugin.layers.metadata_keys import (
    CHANNEL_KEY,
    GUESSED_KEY,
    NOTES_KEY,
    NUMBER_KEY,
)

MAX_IMAGES = 16
"""Largest number of images of a file that are all opened without being asked for."""
_RESULT = " [denoised"
"""In the name of a layer that a run has made."""
_TWO_CHANNELS = ("magenta", "green")
_CHANNELS = ("cyan", "yellow", "magenta", "red", "green", "blue")

Paths = str | Path | Sequence[str | Path]


def get_reader(path: Paths) -> Callable[[Paths], list[LayerTuple]] | None:
    """Return the function that reads the paths, or None if their type is unknown."""
    paths = _as_list(path)
    # napari asks for any folder.
    known = all(
        has_suffix(Path(one), READABLE_SUFFIXES) or is_zarr(Path(one)) for one in paths
    )
    return read_layers if paths and known else None


def read_layers(path: Paths, series: str | int | None = None) -> list[LayerTuple]:
    """Read files; each channel of each image becomes a layer.

    Parameters
    ----------
    path : str, Path or sequence of them
        TIFF or PNG files, or folders of OME-Zarr.
    series : str, int or None
        Name or number of the image of each file, or "all". None: all images of a file
        that holds up to `MAX_IMAGES`, otherwise its main image with a note.

    Returns
    -------
    list of (data, keyword arguments, "image")
        The scale is in micrometres and seconds if the file has these sizes. The
        metadata of a result have its report.
    """
    layers = []
    for one in map(Path, _as_list(path)):
        for record in _records(one, series):
            made = made_by(one, tuple(record.data.shape))
            layers += record_layers(record, f"{_stem(one)} {record.name}".strip(), made)
    return layers


def _stem(path: Path) -> str:
    return path.stem.removesuffix(".ome")


def _records(path: Path, series: str | int | None) -> Iterator[ImageRecord]:
    if series is not None:
        return read_images(path, series=series)
    several = 1 < len(list_images(path)) <= MAX_IMAGES
    return read_images(path) if several else iter([read_image(path)])


def record_layers(
    record: ImageRecord, name: str, made: Mapping[str, Any] | None = None
) -> list[LayerTuple]:
    """Return an image as layer tuples, one per channel.

    Parameters
    ----------
    record : ImageRecord
        Its axes may have any order; in the layers Y, X and samples come last.
    name : str
        Name of the layer; the name of the channel is appended.
    made : mapping, optional
        How the image was made, from `made_by`.
    """
    made = made or {}
    order = [letter for letter in record.axes if letter not in "YXS"]
    order += [letter for letter in "YXS" if letter in record.axes]
    data = record.data.transpose([record.axes.index(letter) for letter in order])
    notes = [*record.notes, *([made["note"]] if "note" in made else [])]
    if "S" in order and data.shape[-1] < 3:
        data = data[..., 0]
        order.remove("S")
        notes.append("Only the grey values are shown, without the alpha channel.")
    outer = "".join(letter for letter in order if letter not in "CS")
    keywords = {
        **record_kwargs(outer, record),
        **_colour_kwargs(data, "S" in order),
    }
    metadata = kept_metadata(record)
    if notes:
        metadata[NOTES_KEY] = notes
    if guessed := guessed_axes(record.notes):
        metadata[GUESSED_KEY] = guessed
    names = record.channel_names or ("",) * record.size_of("C")
    if "C" not in order:
        own = metadata | provenance_metadata(made) | _channel_metadata(names[0])
        shown = {} if "S" in order else _display_kwargs(record, 0)
        # A file that was named after its channel need not say it twice.
        shown["name"] = name if names[0] in name else _layer_name(name, names[0])
        return [(data, {**keywords, **shown, "metadata": own}, "image")]
    count = record.size_of("C")
    axis = order.index("C")
    colours = _TWO_CHANNELS if count == 2 else _CHANNELS
    return [
        (
            data.take(k, axis=axis),
            {
                **keywords,
                "name": _layer_name(name, names[k] or f"channel {k}"),
                "blending": "additive",
                "colormap": colours[k % len(colours)],
                "metadata": metadata
                | provenance_metadata(made, k)
                | _channel_metadata(names[k])
                | {NUMBER_KEY: k},
                **_display_kwargs(record, k),
            },
            "image",
        )
        for k in range(count)
    ]


def _layer_name(name: str, channel: str) -> str:
    """Return the name of a layer; a result that was saved gets that of its layer."""
    return channel if _RESULT in channel else f"{name} {channel}"


def _channel_metadata(name: str) -> dict[str, str]:
    return {CHANNEL_KEY: name} if name else {}


def _display_kwargs(record: ImageRecord, channel: int) -> dict[str, Any]:
    """Return the colours and the intensity range that the file states."""
    shown: dict[str, Any] = {}
    colour = record.channel_colours[channel] if record.channel_colours else ""
    table = record.luts[channel] if record.luts else b""
    if colour or table:
        shown["colormap"] = colormap_of(colour, table)
    ends = record.display_ranges[channel] if record.display_ranges else None
    if ends and ends[0] < ends[1]:
        shown["contrast_limits"] = ends
    return shown


def _colour_kwargs(data: NDArray[Any], rgb: bool) -> dict[str, Any]:
    """Return whether samples are colours, and the range of floating-point colours.

    napari assumes 0 to 1; results of 8- and 16-bit images keep the scale of the image.
    """
    if not rgb or data.dtype.kind != "f" or data.max(initial=0) <= 1:
        return {"rgb": rgb}
    largest = 255 if data.max() < 256 else 65535
    return {"rgb": rgb, "contrast_limits": (0, largest)}


def _as_list(path: Paths) -> list[str | Path]:
    return [path] if isinstance(path, str | Path) else list(path)
