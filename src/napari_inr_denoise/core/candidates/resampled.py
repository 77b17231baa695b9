"""An image at another resolution, out of the functions fitted to its volumes."""

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
    """Volumes on a new grid, evaluated plane by plane where they are read.

    What lies between the measured voxels is interpolation, not measurement: nothing
    smaller than the microscope resolved becomes visible. `words` says so; keep it with
    the image.

    Parameters
    ----------
    volumes : sequence of FittedVolume
        Of a run in the mode "volume" (`DenoiseResult.volumes`).
    axes : str
        The image's, one letter per dimension.
    shape : tuple of int
        The image's.
    isotropic : bool
        As many planes as make voxels as deep as they are wide.
    zoom : int
        Pixels along Y and X for each of the image's own.
    region : tuple of (first, last but one), optional
        Planes, rows and columns of the image; all if omitted.

    Attributes
    ----------
    axes : str
    shape : tuple of int
    ndim : int
    dtype : dtype
        float32.
    spacing_zyx : tuple of float
        Of the new voxels, in the unit of the run's spacing.

    Raises
    ------
    ValueError
        If there is not one function for each volume, or there is no such grid.
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
        """What a user must know of the image, in a sentence."""
        size = "x".join(str(n) for n in self._grid.shape_zyx)
        return (
            f"Interpolated to {size} voxels from the function fitted to the volume: "
            "what lies between the measured voxels was not measured."
        )

    def __getitem__(self, selection: Any) -> NDArray[np.float32]:  # noqa: ANN401 - as numpy
        """Evaluate a part, given by a whole number or a slice for each dimension."""
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
        """Return what is chosen of one plane, its axes in the image's order."""
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
        """Bring a block's axes into the image's order; whole numbers have none."""
        here = [*order, *inner]
        ordered = block.transpose([here.index(letter) for letter in self.axes])
        single = [k for k, letter in enumerate(self.axes) if chosen[letter].ndim == 0]
        return np.squeeze(ordered, axis=tuple(single))

    def _plane(self, index: dict[str, int]) -> NDArray[np.float32]:
        """Return a plane, (Y, X, samples); the last one is kept."""
        number = 0
        for letter, count in zip(self._outer, self._counts, strict=True):
            number = number * count + index[letter]
        key = number, index.get("Z", 0)
        if self._kept is None or self._kept[0] != key:
            depth = float(self._grid.depths[key[1]])
            self._kept = key, self._volumes[number].plane(depth, self._grid)
        return self._kept[1]
