"""Colour samples as channels, for OME-Zarr has no axis for them; and back again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.image.indexing import Bounds
from napari_inr_denoise.io.extras import extras_of, with_extras
from napari_inr_denoise.io.lazy.file_array import FileArray
from napari_inr_denoise.io.lazy.ordered_blocks import OrderedBlocks, Place
from napari_inr_denoise.io.record import ImageRecord

_ORDER = "TCZYX"
_OF_CHANNELS = ("channel_names", "channel_colours", "display_ranges")
_COLOURS = (("red", "#ff0000"), ("green", "#00ff00"), ("blue", "#0000ff"))
_GREY, _ALPHA = ("grey", "#ffffff"), ("alpha", "#ffffff")
_SAMPLES = {
    1: (_GREY,),
    2: (_GREY, _ALPHA),
    3: _COLOURS,
    4: (*_COLOURS, _ALPHA),
}
"""Name and colour of each sample of a pixel, by their number."""


def samples_as_channels(record: ImageRecord) -> ImageRecord:
    """Return what is said of an image as OME-Zarr has it: samples are channels.

    Parameters
    ----------
    record : ImageRecord
        Axes in any order, with or without S.

    Returns
    -------
    ImageRecord
        Axes as T, C, Z, Y, X, those that there are; the samples of a channel follow
        each other. Its shape and type are right, its values are zeros that take no
        memory.

    Raises
    ------
    ValueError
        If a pixel has more than four samples.
    """
    record = record.with_axes(record.axes)  # without what does not fit
    samples = record.size_of("S") if "S" in record.axes else 0
    axes = "".join(a for a in _ORDER if a in record.axes or (samples and a == "C"))
    sizes = {a: record.size_of(a) for a in axes}
    if samples:
        sizes["C"] *= samples
        record = replace(record, **_said_of_samples(record, samples))
    shape = tuple(sizes[a] for a in axes)
    zeros = np.broadcast_to(np.zeros((), record.data.dtype), shape)
    return replace(record, data=zeros, axes=axes)


def _said_of_samples(record: ImageRecord, samples: int) -> dict[str, Any]:
    """Return names, colours and ranges, one for each sample of each channel."""
    if samples not in _SAMPLES:
        raise ValueError(
            f"got {samples} samples a pixel, wanted at most {max(_SAMPLES)}. Name the "
            "axis C, if they are channels."
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
    """Return the range of an unsigned type: samples of a pixel need the same one."""
    return (0.0, float(np.iinfo(dtype).max)) if dtype.kind == "u" else None


def channel_blocks(
    view: OrderedBlocks, side: int | None
) -> Iterator[tuple[Place, NDArray[Any]]]:
    """Yield the blocks of a view with their places, each sample as a channel.

    Parameters
    ----------
    view : OrderedBlocks
        S last, if there is one. Each of its blocks is read once.
    side : int or None
        As `OrderedBlocks.blocks` takes it.
    """
    for place, block in view.blocks(side):
        if "S" not in view.axes:
            yield place, block
            continue
        at = dict(zip(view.axes, place, strict=True))
        channel, samples = at.get("C", 0), block.shape[-1]
        assert isinstance(channel, int)  # planes are yielded one by one
        for number in range(samples):
            where = at | {"C": channel * samples + number}
            yield tuple(where[a] for a in _ORDER if a in where), block[..., number]


def sample_extras(record: ImageRecord) -> dict[str, Any]:
    """Return what brings the samples back, as values for JSON; empty without any."""
    if "S" not in record.axes:
        return {}
    said = extras_of(record, _OF_CHANNELS)
    return {"count": record.size_of("S"), "has_channels": "C" in record.axes} | said


def channels_as_samples(record: ImageRecord, kept: Mapping[str, Any]) -> ImageRecord:
    """Return a record whose channels are samples again.

    Parameters
    ----------
    record : ImageRecord
        As it stands in the file; its values stay there.
    kept : mapping
        What `sample_extras` gave. Without anything the record is left as it is.

    Raises
    ------
    ValueError
        If there are not so many channels.
    """
    if not kept:
        return record
    count, channels = int(kept["count"]), record.size_of("C")
    if count not in _SAMPLES or channels % count:
        raise ValueError(f"got {channels} channels, wanted {count} for each pixel")
    axes = record.axes if kept["has_channels"] else record.axes.replace("C", "")
    data = _Samples(record.data, record.axes, f"{axes}S", count)
    nothing: dict[str, Any] = dict.fromkeys(_OF_CHANNELS, ())
    return with_extras(replace(record, data=data, axes=f"{axes}S", **nothing), kept)


class _Samples(FileArray):
    """Channels that are the samples of a pixel, S last; may be pickled.

    Parameters
    ----------
    channels : FileArray
        The samples of a channel follow each other along C.
    channel_axes : str
        Of `channels`.
    axes : str
        The same with S, and with C only if there is more than one channel left.
    count : int
        Samples of a pixel.
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

    def _read_block(self, bounds: list[Bounds]) -> NDArray[Any]:
        chosen = dict(zip(self._axes, bounds, strict=True))
        start, stop = chosen.get("C", (0, 1))
        chosen["C"] = start * self._count, stop * self._count
        block = self._channels._read_block([chosen[a] for a in self._channel_axes])
        at = self._channel_axes.index("C")
        split = (stop - start, self._count)
        block = block.reshape(*block.shape[:at], *split, *block.shape[at + 1 :])
        block = np.moveaxis(block, at + 1, -1)[..., slice(*chosen["S"])]
        return block if "C" in self._axes else block.squeeze(at)
