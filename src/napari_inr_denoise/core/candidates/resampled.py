"""An image at another resolution, from the functions fitted to its volumes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.core.candidates.volume_function import (
    FittedVolume,
    Grid,
    Region,
)

_VOLUME = "ZYXS"


class InterpolatedImage:
    """A lazy array of volumes on a new grid; planes are evaluated when they are read.

    Values between the measured voxels are interpolated, not measured. Interpolation
    shows nothing smaller than the resolution of the microscope. `words` states this;
    keep it with the image.

    Parameters
    ----------
    volumes : sequence of FittedVolume
        Fitted functions from a run in the mode "volume" (`DenoiseResult.volumes`).
    axes : str
        Axes of the image, one letter per dimension.
    shape : tuple of int
        Shape of the image.
    isotropic : bool
        Whether to choose the number of planes so that voxels are as deep as wide.
    zoom : int
        New pixels along Y and X per pixel of the image.
    region : tuple of (start, stop), optional
        Planes, rows and columns of the image; all if omitted.

    Attributes
    ----------
    axes : str
        One letter per dimension.
    shape : tuple of int
        Shape of the new grid.
    ndim : int
        Number of dimensions.
    dtype : dtype
        float32.
    spacing_zyx : tuple of float
        Size of the new voxels, in the unit of the run's spacing.

    Raises
    ------
    ValueError
        If the number of functions is not that of the volumes, or the grid is invalid.
    """

    dtype: np.dtype[Any] = np.dtype(np.float32)

    def __init__(
        self,
        volumes: Sequence[FittedVolume],
        axes: str,
        shape: tuple[int, ...],
        *,
        isotropic: bool = False,
        zoom: int = 1,
        region: Region | None = None,
    ) -> None:
        sizes = dict(zip(axes, shape, strict=True))
        self._outer = [letter for letter in axes if letter not in _VOLUME]
        self._counts = [sizes[letter] for letter in self._outer]
        if len(volumes) != math.prod(self._counts):
            raise ValueError(
                f"volumes: got {len(volumes)}, wanted {math.prod(self._counts)}, one "
                "for each channel and time point. Denoise in the mode 'volume', to the "
                "end; a volume without noise has no function."
            )
        self._volumes = volumes
        self._grid: Grid = volumes[0].grid(
            isotropic=isotropic, zoom=zoom, region=region
        )
        self.axes, self.ndim = axes, len(axes)
        sizes |= dict(zip("ZYX", self._grid.shape_zyx, strict=True))
        self.shape = tuple(sizes[letter] for letter in axes)
        self.spacing_zyx = self._grid.spacing_zyx
        self._kept: tuple[tuple[int, int], NDArray[np.float32]] | None = None

    @property
    def words(self) -> str:
        """A sentence that tells the user that the image is interpolated."""
        size = "x".join(str(n) for n in self._grid.shape_zyx)
        return (
            f"Interpolated to {size} voxels from the function fitted to the volume: "
            "what lies between the measured voxels was not measured."
        )

    def __getitem__(self, selection: Any) -> NDArray[np.float32]:  # noqa: ANN401 - as numpy
        """Evaluate a part, selected by an integer or a slice per dimension."""
        given = selection if isinstance(selection, tuple) else (selection,)
        given += (slice(None),) * (self.ndim - len(given))
        chosen = {
            letter: np.arange(size)[at]
            for letter, size, at in zip(self.axes, self.shape, given, strict=True)
        }
        order = [letter for letter in self.axes if letter not in "YXS"]
        inner = "".join(letter for letter in self.axes if letter in "YXS")
        block = np.empty(
            [np.size(chosen[letter]) for letter in (*order, *inner)], dtype=np.float32
        )
        places = [list(enumerate(np.atleast_1d(chosen[letter]))) for letter in order]
        for position in product(*places):
            at = tuple(number for number, _ in position)
            index = {
                letter: int(k) for letter, (_, k) in zip(order, position, strict=True)
            }
            block[at] = self._part(index, chosen, inner)
        return self._as_selected(block, order, inner, chosen)

    def _part(
        self, index: dict[str, int], chosen: dict[str, NDArray[np.intp]], inner: str
    ) -> NDArray[np.float32]:
        """Return the selected part of one plane, with axes in the image's order."""
        plane = self._plane(index)
        rows, columns = (np.atleast_1d(chosen[letter]) for letter in "YX")
        samples = np.atleast_1d(chosen.get("S", np.zeros(1, dtype=np.intp)))
        part = plane[np.ix_(rows, columns, samples)]
        if "S" not in inner:
            part = part[..., 0]
        here = [letter for letter in "YXS" if letter in inner]
        return part.transpose([here.index(letter) for letter in inner])

    def _as_selected(
        self,
        block: NDArray[np.float32],
        order: Sequence[str],
        inner: str,
        chosen: dict[str, NDArray[np.intp]],
    ) -> NDArray[np.float32]:
        """Transpose a block to the image's axes; drop axes indexed by an integer."""
        here = [*order, *inner]
        ordered = block.transpose([here.index(letter) for letter in self.axes])
        single = [k for k, letter in enumerate(self.axes) if chosen[letter].ndim == 0]
        return np.squeeze(ordered, axis=tuple(single))

    def _plane(self, index: dict[str, int]) -> NDArray[np.float32]:
        """Return a plane, (Y, X, samples); the last one is cached."""
        number = 0
        for letter, count in zip(self._outer, self._counts, strict=True):
            number = number * count + index[letter]
        key = number, index.get("Z", 0)
        if self._kept is None or self._kept[0] != key:
            depth = float(self._grid.depths[key[1]])
            self._kept = key, self._volumes[number].plane(depth, self._grid)
        return self._kept[1]
