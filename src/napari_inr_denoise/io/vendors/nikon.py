"""Nikon ND2, by nd2."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.image.indexing import Bounds
from napari_inr_denoise.io.vendors.image import (
    VendorImage,
    check_number,
    import_library,
)

_FRAME = "CYXS"
_POSITION = "P"


def open_nd2(path: Path, number: int) -> VendorImage:
    """Return a position of an ND2 file."""
    file = import_library("nd2", path).ND2File(path)
    sizes = dict(file.sizes)
    names = _positions(file, sizes.get(_POSITION, 1))
    check_number(number, names)
    voxel = file.voxel_size()
    found = {"X": voxel.x, "Y": voxel.y, "Z": voxel.z}
    steps = {dim: (float(size), "\u00b5m") for dim, size in found.items() if size}
    period = _period_ms(file)
    kept = {dim: size for dim, size in sizes.items() if dim != _POSITION}
    channels = [each.channel for each in file.metadata.channels or ()]
    return VendorImage(
        names,
        tuple(kept),
        tuple(kept.values()),
        np.dtype(file.dtype),
        lambda bounds: _read(file, sizes, {**bounds, _POSITION: (number, number + 1)}),
        steps | ({"T": (period, "ms")} if period else {}),
        tuple(str(channel.name) for channel in channels),
        tuple("#{:02x}{:02x}{:02x}".format(*channel.color[:3]) for channel in channels),
        lambda: _ome_xml(file, number),
    )


def _ome_xml(file: Any, number: int) -> str:  # noqa: ANN401 - of nd2
    """Return the OME-XML of a position."""
    from ome_types import to_xml

    ome = file.ome_metadata(include_unstructured=False)
    ome.images = ome.images[number : number + 1]
    return to_xml(ome)


def _positions(file: Any, count: int) -> tuple[str, ...]:  # noqa: ANN401 - of nd2
    """Return the names of the positions of the stage."""
    names = [""] * count
    for loop in file.experiment:
        if loop.type == "XYPosLoop":
            names = [str(point.name or "") for point in loop.parameters.points]
    return tuple(name or f"position {k}" for k, name in enumerate(names))


def _period_ms(file: Any) -> float:  # noqa: ANN401 - of nd2
    """Return the time between frames; 0 if it is not known or not the same for all."""
    for loop in file.experiment:
        if loop.type == "TimeLoop":
            return float(loop.parameters.periodMs)
    return 0.0


def _read(
    file: Any,  # noqa: ANN401 - of nd2
    sizes: Mapping[str, int],
    bounds: Mapping[str, Bounds],
) -> NDArray[Any]:
    """Return a block. Frames are counted along all dimensions outside of a frame."""
    outer = [dim for dim in sizes if dim not in _FRAME]
    inner = [dim for dim in _FRAME if dim in sizes]
    counts = [sizes[dim] for dim in outer]
    part = tuple(slice(*bounds[dim]) for dim in inner)
    frames = []
    for position in product(*(range(*bounds[dim]) for dim in outer)):
        number = int(np.ravel_multi_index(position, counts)) if position else 0
        frame = np.asarray(file.read_frame(number))
        frames.append(frame.reshape([sizes[dim] for dim in inner])[part])
    kept = [dim for dim in outer if dim != _POSITION]
    shape = [bounds[dim][1] - bounds[dim][0] for dim in kept]
    return np.stack(frames).reshape(*shape, *frames[0].shape)
