"""RGB samples as channels, because OME-Zarr has no axis S; and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.image.indexing import Bounds
from napari_inr_denoise.io.extras import extras_of, with_extras
from napari_inr_denoise.io.lazy.file_array import FileArray
from napari_inr_denoise.io.lazy.ordered_blocks import IndexedBlock, OrderedBlocks
from napari_inr_denoise.io.record import ImageRecord

_ORDER = "TCZYX"
_CHANNEL_FIELDS = ("channel_names", "channel_colours", "display_ranges")
_COLOURS = (("red", "#ff0000"), ("green", "#00ff00"), ("blue", "#0000ff"))
_GREY, _ALPHA = ("grey", "#ffffff"), ("alpha", "#ffffff")
_SAMPLES = {
    1: (_GREY,),
    2: (_GREY, _ALPHA),
    3: _COLOURS,
    4: (*_COLOURS, _ALPHA),
}
"""Name and colour of each sample, by the number of samples per pixel."""


def samples_as_channels(record: ImageRecord) -> ImageRecord:
    """Return the metadata of an image with its samples as channels.

    Parameters
    ----------
    record : ImageRecord
        Axes in any order, with or without S.

    Returns
    -------
    ImageRecord
        Axes in the order T, C, Z, Y, X; the samples of a channel are adjacent channels.
        Shape and data type are those of the file; the values are zeros without memory.

    Raises
    ------
    ValueError
        If a pixel has more than four samples.
    """
    record = record.with_axes(record.axes)  # drops metadata that do not fit
    samples = record.size_of("S") if "S" in record.axes else 0
    axes = "".join(a for a in _ORDER if a in record.axes or (samples and a == "C"))
    sizes = {a: record.size_of(a) for a in axes}
    if samples:
        sizes["C"] *= samples
        record = replace(record, **_sample_metadata(record, samples))
    shape = tuple(sizes[a] for a in axes)
    zeros = np.broadcast_to(np.zeros((), record.data.dtype), shape)
    return replace(record, data=zeros, axes=axes)


def _sample_metadata(record: ImageRecord, samples: int) -> dict[str, Any]:
    """Return names, colours and display ranges for each sample of each channel."""
    if samples not in _SAMPLES:
        raise ValueError(
            f"got {samples} samples a pixel, wanted at most {max(_SAMPLES)}. Name the "
            "axis C if they are channels."
        )
    count = record.size_of("C")
    numbered = [f"channel {k}" if count > 1 else "" for k in range(count)]
    names = record.channel_names or numbered
    ranges = record.display_ranges or (_whole_range(record.data.dtype),) * count
    each = _SAMPLES[samples]
    return {
        "channel_names": tuple(
            f"{name} {sample}".strip() for name in names for sample, _ in each
        ),
        "channel_colours": tuple(colour for _, colour in each) * count,
        "display_ranges": tuple(ends for ends in ranges for _ in each),
    }


def _whole_range(dtype: np.dtype[Any]) -> tuple[float, float] | None:
    """Return the range of an unsigned data type, common to all samples of a pixel."""
    return (0.0, float(np.iinfo(dtype).max)) if dtype.kind == "u" else None


def channel_blocks(image: OrderedBlocks, side: int | None) -> Iterator[IndexedBlock]:
    """Yield the index and the values of each block, with each sample as a channel.

    Parameters
    ----------
    image : OrderedBlocks
        Image with S last, if it has S. Each block is read once.
    side : int or None
        Side of the tiles, as for `OrderedBlocks.blocks`.
    """
    for index, block in image.blocks(side):
        if "S" not in image.axes:
            yield index, block
            continue
        at = dict(zip(image.axes, index, strict=True))
        channel, samples = at.get("C", 0), block.shape[-1]
        assert isinstance(channel, int)  # a block lies in one plane
        for number in range(samples):
            where = at | {"C": channel * samples + number}
            yield tuple(where[a] for a in _ORDER if a in where), block[..., number]


def sample_extras(record: ImageRecord) -> dict[str, Any]:
    """Return JSON values for `channels_as_samples`; empty without samples."""
    if "S" not in record.axes:
        return {}
    extras = extras_of(record, _CHANNEL_FIELDS)
    return {"count": record.size_of("S"), "has_channels": "C" in record.axes} | extras


def channels_as_samples(record: ImageRecord, extras: Mapping[str, Any]) -> ImageRecord:
    """Return a record with its channels converted back to samples.

    Parameters
    ----------
    record : ImageRecord
        Record with the axes of the file; its values stay in the file.
    extras : mapping
        Values from `sample_extras`. The record is unchanged if they are empty.

    Raises
    ------
    ValueError
        If the number of channels does not fit.
    """
    if not extras:
        return record
    count, channels = int(extras["count"]), record.size_of("C")
    if count not in _SAMPLES or channels % count:
        raise ValueError(f"got {channels} channels, wanted {count} for each pixel")
    axes = record.axes if extras["has_channels"] else record.axes.replace("C", "")
    data = _SampleArray(record.data, record.axes, f"{axes}S", count)
    nothing: dict[str, Any] = dict.fromkeys(_CHANNEL_FIELDS, ())
    return with_extras(replace(record, data=data, axes=f"{axes}S", **nothing), extras)


class _SampleArray(FileArray):
    """Array with adjacent channels as samples, S last. It can be pickled.

    Parameters
    ----------
    channels : FileArray
        Array with the samples of each channel along C.
    channel_axes : str
        Axes of `channels`.
    axes : str
        The same with S, and without C if the image had no C.
    count : int
        Samples per pixel.
    """

    def __init__(
        self, channels: FileArray, channel_axes: str, axes: str, count: int
    ) -> None:
        self.path, self.dtype = channels.path, channels.dtype
        self._channels, self._channel_axes = channels, channel_axes
        self._axes, self._count = axes, count
        sizes = dict(zip(channel_axes, channels.shape, strict=True))
        sizes |= {"C": sizes["C"] // count, "S": count}
        self.shape = tuple(sizes[a] for a in axes)

    @property
    def missing(self) -> str:
        """What is missing of the channels."""
        return self._channels.missing

    def find_damage(self) -> None:
        """Count as missing what the channels hold, but cut short."""
        self._channels.find_damage()

    def missing_in(self, bounds: list[Bounds]) -> NDArray[np.bool_]:
        """Return which values of a block are missing."""
        return self._as_samples(bounds, self._channels.missing_in)

    def _read_block(self, bounds: list[Bounds]) -> NDArray[Any]:
        return self._as_samples(bounds, self._channels._read_block)

    def _as_samples(
        self, bounds: list[Bounds], read: Callable[[list[Bounds]], NDArray[Any]]
    ) -> NDArray[Any]:
        """Read a block of the channels, and return it with samples."""
        chosen = dict(zip(self._axes, bounds, strict=True))
        start, stop = chosen.get("C", (0, 1))
        chosen["C"] = start * self._count, stop * self._count
        block = read([chosen[a] for a in self._channel_axes])
        at = self._channel_axes.index("C")
        split = (stop - start, self._count)
        block = block.reshape(*block.shape[:at], *split, *block.shape[at + 1 :])
        block = np.moveaxis(block, at + 1, -1)[..., slice(*chosen["S"])]
        return block if "C" in self._axes else block.squeeze(at)
