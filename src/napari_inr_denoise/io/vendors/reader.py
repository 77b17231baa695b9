"""Read files of microscope makers."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.image.indexing import Bounds, block_shape
from napari_inr_denoise.io.entries import (
    Choice,
    ImageEntry,
    choose_image,
    unique_names,
    with_choice,
)
from napari_inr_denoise.io.lazy.axis_letters import (
    MAX_SAMPLES,
    alpha_note,
    standard_axes,
)
from napari_inr_denoise.io.lazy.file_array import FileArray
from napari_inr_denoise.io.ome.remainder import remainder_of
from napari_inr_denoise.io.record import ImageRecord, Quantity, with_metadata
from napari_inr_denoise.io.units import unit_symbol
from napari_inr_denoise.io.untrusted.size_limits import check_compression_ratio
from napari_inr_denoise.io.vendors.image import VendorImage
from napari_inr_denoise.io.vendors.leica import open_lif
from napari_inr_denoise.io.vendors.nikon import open_nd2
from napari_inr_denoise.io.vendors.zeiss import open_czi

_OPENERS: dict[str, Callable[[Path, int], VendorImage]] = {
    ".czi": open_czi,
    ".lif": open_lif,
    ".nd2": open_nd2,
}


class VendorArray(FileArray):
    """Image of a microscope maker's file, read in blocks. It can be pickled.

    Parameters
    ----------
    path : str or Path
        The file.
    number : int
        Number of the image in it, from 0.

    Attributes
    ----------
    image : VendorImage
        What the library says of it.

    Raises
    ------
    ImportError
        If the library is not installed.
    ValueError
        If there is no such image, or the file cannot contain its size.
    """

    def __init__(self, path: str | Path, number: int = 0) -> None:
        self.path, self._number = Path(path), number
        self._lock = threading.Lock()
        self.image = _OPENERS[self.path.suffix.lower()](self.path, number)
        self.shape = tuple(map(int, self.image.shape))
        self.dtype: np.dtype[Any] = np.dtype(self.image.dtype)
        if not math.prod(self.shape):
            raise ValueError(f"got an image of shape {self.shape}, which has no pixels")
        check_compression_ratio(self.nbytes, self.path.stat().st_size)

    def __reduce__(self) -> tuple[type[VendorArray], tuple[Any, ...]]:
        return VendorArray, (self.path, self._number)

    def _read_block(self, bounds: list[Bounds]) -> NDArray[Any]:
        with self._lock:
            block = self.image.read(dict(zip(self.image.dims, bounds, strict=True)))
        return block.reshape(block_shape(bounds))


def vendor_images(path: Path) -> tuple[ImageEntry, ...]:
    """Return the images of a file; its pixels are not read. Errors: `read_vendor`."""
    return _entries(path, VendorArray(path).image.names)


def _entries(path: Path, names: tuple[str, ...]) -> tuple[ImageEntry, ...]:
    return tuple(
        ImageEntry(number, name, (number,), (path,))
        for number, name in enumerate(unique_names(names))
    )


def read_vendor(path: Path, choice: Choice = None) -> ImageRecord:
    """Return an image of a file; its values stay there.

    Parameters
    ----------
    path : Path
        The file.
    choice : str, int, ImageEntry or None
        The image, see `choose_image`.

    Raises
    ------
    ImportError
        If the library is not installed.
    ValueError
        See `VendorArray`.
    """
    data = VendorArray(path)
    entries = _entries(path, data.image.names)
    entry = choose_image(entries, choice)
    if entry.number:
        data = VendorArray(path, entry.number)
    image = data.image
    letters = "".join(dim if len(dim) == 1 else "?" for dim in image.dims)
    count = dict(zip(image.dims, image.shape, strict=True)).get("S", 1)
    if count > MAX_SAMPLES:
        letters = letters.replace("S", "?" if "C" in letters else "C")
    axes, notes = standard_axes(letters, image.dims)
    if "S" in axes and count in (2, MAX_SAMPLES):
        notes += (alpha_note(axes),)
    record = ImageRecord(
        data,
        axes,
        channel_names=image.channel_names,
        channel_colours=image.channel_colours if any(image.channel_colours) else (),
        notes=notes,
    )
    record = record.with_stated(_stated(image, axes)).with_axes(axes)
    record = with_metadata(record, lambda one: _with_ome(one, image), "OME metadata")
    return with_choice(record, entries, entry, choice)


def _with_ome(record: ImageRecord, image: VendorImage) -> ImageRecord:
    """Return a record with what the library says of the image as OME-XML."""
    if image.ome_xml is None:
        return record
    rest, notes = remainder_of(image.ome_xml())
    return replace(record, ome_xml=rest, notes=record.notes + notes)


def _stated(image: VendorImage, axes: str) -> dict[str, Quantity]:
    """Return sizes, but none of axes that the file calls something else."""
    stated = {}
    for axis, (value, unit) in image.sizes.items():
        symbol = unit_symbol(unit, "time" if axis == "T" else "length")
        named = axis in image.dims or axis not in axes
        if axis in "TZYX" and named and symbol and 0 < value < math.inf:
            stated[axis] = Quantity(float(value), symbol)
    return stated
