"""Zeiss CZI, by czifile."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.image.indexing import Bounds
from napari_inr_denoise.io.vendors.image import (
    VendorImage,
    check_number,
    import_library,
    missing_library,
)

_PLANE = "YXS"
_PYTHON = "3.12"


def open_czi(path: Path, number: int) -> VendorImage:
    """Return a scene of a CZI file at full resolution."""
    library = import_library("czifile", path, at_least=_PYTHON)
    if not hasattr(library.CziFile, "scenes"):  # the release of 2019
        raise missing_library("czifile", path, at_least=_PYTHON)
    file = library.CziFile(path)
    scenes = dict(file.scenes.items())
    names = tuple(f"scene {key}" for key in scenes)
    check_number(number, names)
    scene = list(scenes.values())[number]
    units = scene.coord_units
    return VendorImage(
        names,
        tuple(scene.dims),
        tuple(scene.shape),
        np.dtype(scene.dtype),
        lambda bounds: _read(scene, bounds),
        {a: (size, units[a]) for a, size in scene.coord_scales.items() if a != "C"},
        tuple(map(str, scene.channels)),
    )


def _read(scene: Any, bounds: Mapping[str, Bounds]) -> NDArray[Any]:  # noqa: ANN401 - of czifile
    """Return a block. czifile counts from the first pixel and plane of the file."""
    first = dict(zip(scene.dims, scene.start, strict=True))
    outer = {
        dim: slice(first[dim] + start, first[dim] + stop)
        for dim, (start, stop) in bounds.items()
        if dim not in _PLANE
    }
    left, top, width, height = scene.bbox
    (y0, y1), (x0, x1) = bounds.get("Y", (0, height)), bounds.get("X", (0, width))
    part = scene(**outer) if outer else scene
    block = part(roi=(left + x0, top + y0, x1 - x0, y1 - y0)).asarray()
    samples = bounds.get("S")
    return np.asarray(block if samples is None else block[..., slice(*samples)])
