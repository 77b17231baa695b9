"""One image of a file of a microscope maker, as its library describes it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.image.indexing import Bounds


@dataclass(frozen=True)
class VendorImage:
    """One image of a file.

    Attributes
    ----------
    names : tuple of str
        Names of all images of the file.
    dims : tuple of str
        Names of the dimensions in the library; T, C, Z, Y, X and S are those of this
        package.
    shape : tuple of int
    dtype : dtype
    read : callable
        Returns the values of a block, given its bounds by dimension. Dimensions of
        length one may be missing in it.
    sizes : mapping of str to (float, str)
        Size along dimensions with its unit, where known.
    channel_names, channel_colours : tuple of str
        One per channel, or empty. A colour is "#rrggbb", or "" if it is not known.
    ome_xml : callable or None
        Returns all that the library says of this image as OME-XML.
    """

    names: tuple[str, ...]
    dims: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    read: Callable[[Mapping[str, Bounds]], NDArray[Any]]
    sizes: Mapping[str, tuple[float, str]] = field(default_factory=dict)
    channel_names: tuple[str, ...] = ()
    channel_colours: tuple[str, ...] = ()
    ome_xml: Callable[[], str] | None = None


def import_library(name: str, path: Path, *, at_least: str = "") -> Any:  # noqa: ANN401 - a module
    """Return a library; raise ImportError with its installation command.

    Parameters
    ----------
    name : str
        Name of the package.
    path : Path
        The file, for the message.
    at_least : str, optional
        Version of Python that the library needs, if it is newer than that of this
        package.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise missing_library(name, path, at_least=at_least) from error


def missing_library(name: str, path: Path, *, at_least: str = "") -> ImportError:
    """Return the error of a library that is not there, or too old."""
    where = f", with Python {at_least} or later" if at_least else ""
    return ImportError(
        f"{path}: files ending in {path.suffix.lower()} need the package {name}, which "
        "is not installed, or too old. Install it with: pip install "
        f'"napari-inr-denoise[formats]"{where}.'
    )


def check_number(number: int, names: tuple[str, ...]) -> None:
    """Raise ValueError if there is no image of a number."""
    if not 0 <= number < len(names):
        raise ValueError(f"got image {number}, wanted one of {len(names)} from 0 on")
