"""Names of the result files.

`cells.tif` gives the denoised image `cells.inr.ome.tif` and beside it, where they are
asked for, companions such as `cells.inr.uncertainty.ome.tif`. A Zarr gives `.ome.zarr`.
Where `cells.png` would give the same name, it is `cells.tif.inr.ome.tif`.
"""

from __future__ import annotations

import re
from pathlib import Path

from napari_inr_denoise.core.ensemble.maps import MAPS
from napari_inr_denoise.io.formats import COMPANION_SUFFIXES, is_zarr

_MARK = ".inr"
_NOT_IN_NAMES = re.compile(r'[\x00-\x1f<>:"/\\|?*]')
"""Characters that some system does not allow in the name of a file."""
_TIFF, _ZARR = ".ome.tif", ".ome.zarr"
_DOUBLE_SUFFIXES = (
    *(".ome.tif", ".ome.tiff", ".ome.btf", ".ome.tf2", ".ome.tf8", ".ome.zarr"),
    *COMPANION_SUFFIXES,
)
INTERPOLATED = "interpolated"
_RESULT_SUFFIXES = tuple(
    f"{_MARK}{kind}{ending}"
    for kind in ("", f".{INTERPOLATED}", *(f".{name}" for name in MAPS))
    for ending in (_TIFF, _ZARR)
)


def output_name(source: Path, image: str = "") -> str:
    """Return the name of the denoised image.

    Parameters
    ----------
    source : Path
        The input.
    image : str
        Name of the image, if the input holds several.
    """
    ending = _MARK + (_ZARR if is_zarr(source) else _TIFF)
    if image:
        ending = f".{_NOT_IN_NAMES.sub('_', image).strip('. ')}{ending}"
    return _stem(source) + ending


def with_source_suffix(output: Path, source: Path) -> Path:
    """Return the path of a denoised image whose name keeps the ending of its source."""
    return output.with_name(source.name + output.name.removeprefix(_stem(source)))


def _stem(source: Path) -> str:
    name = source.name
    for suffix in _DOUBLE_SUFFIXES:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return source.stem


def companion_path(output: Path, kind: str) -> Path:
    """Return the path of a further file beside a denoised image.

    Parameters
    ----------
    output : Path
        The denoised image, named by `output_name`.
    kind : str
        Name of a map, or `INTERPOLATED`.
    """
    start, mark, ending = output.name.rpartition(f"{_MARK}.")
    return output.with_name(f"{start}{mark}{kind}.{ending}")


def is_result(path: Path) -> bool:
    """Return whether a path is named like a result: a denoised image or a companion."""
    return path.name.endswith(_RESULT_SUFFIXES)
