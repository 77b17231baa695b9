"""Leica LIF, by liffile."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.image.indexing import Bounds, as_slices
from napari_inr_denoise.io.faults import UnsupportedError
from napari_inr_denoise.io.vendors.image import (
    VendorImage,
    check_number,
    import_library,
)

_CHANNELS = "./Data/Image/ImageDescription/Channels/ChannelDescription"
_COLOURS = {
    "red": "#ff0000",
    "green": "#00ff00",
    "blue": "#0000ff",
    "cyan": "#00ffff",
    "magenta": "#ff00ff",
    "yellow": "#ffff00",
    "gray": "#ffffff",
    "grey": "#ffffff",
}
"""Brightest colours of the tables of channels, by their names."""
_UNITS = {"X": "m", "Y": "m", "Z": "m", "T": "s"}


def open_lif(path: Path, number: int) -> VendorImage:
    """Return an image of a LIF file."""
    library = import_library("liffile", path)
    file = library.LifFile(path)
    if file.type != library.LifFileType.LIF:  # others name files elsewhere
        raise UnsupportedError(f"got a file of type {file.type.name}, wanted LIF")
    images = list(file.images)
    names = tuple(str(image.path) for image in images)
    check_number(number, names)
    image = images[number]
    if image.is_flim:
        raise UnsupportedError("got histograms of photon times, wanted intensities")
    channels = [c.attrib.get("LUTName", "") for c in _described(image)]
    dims = tuple(image.dims)
    count = image.sizes.get("C", 1)
    return VendorImage(
        names,
        dims,
        tuple(image.shape),
        np.dtype(image.dtype).newbyteorder("="),
        lambda bounds: _read(image, bounds),
        {dim: (step, _UNITS[dim]) for dim, step in _steps(image).items()},
        tuple(channels) if len(channels) == count else (),
        tuple(_COLOURS.get(name.lower(), "") for name in channels)
        if len(channels) == count
        else (),
    )


def _described(image: Any) -> list[Any]:  # noqa: ANN401 - of liffile
    """Return the XML elements of the channels."""
    return list(image.xml_element.findall(_CHANNELS))


def _steps(image: Any) -> dict[str, float]:  # noqa: ANN401 - of liffile
    """Return the distance of pixels, planes and frames."""
    coordinates = {dim: image.coords.get(dim, ()) for dim in _UNITS}
    return {
        dim: float(abs(at[-1] - at[0])) / (len(at) - 1)
        for dim, at in coordinates.items()
        if len(at) > 1
    }


def _read(image: Any, bounds: Mapping[str, Bounds]) -> NDArray[Any]:  # noqa: ANN401 - of liffile
    """Return a block, read frame by frame."""
    inner = tuple(image.frames.frame_dims)
    outer = [dim for dim in image.dims if dim not in inner]
    part = as_slices([bounds[dim] for dim in inner])
    frames = [
        np.asarray(image.frame(**dict(zip(outer, position, strict=True))))[part]
        for position in product(*(range(*bounds[dim]) for dim in outer))
    ]
    shape = [bounds[dim][1] - bounds[dim][0] for dim in outer]
    stacked = np.stack(frames).reshape(*shape, *frames[0].shape)
    order = [*outer, *inner]
    return stacked.transpose([order.index(dim) for dim in image.dims])
