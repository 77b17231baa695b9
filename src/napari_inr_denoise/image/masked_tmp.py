"""An image of which only the pixels of a mask are denoised."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_inr_denoise.image.axes import Plane

if TYPE_CHECKING:
    from napari_inr_denoise.image.source import LazyArray

NOTE = "Only the pixels of a mask were denoised; the others are as they were."
"""For the report."""


@dataclass(frozen=True)
class MaskedImage:
    """An image and its mask; it may be given wherever an image is denoised.

    What is outside is left out of the fit and of the noise, as pixels that are not
    finite are, and comes back as it was.

    Attributes
    ----------
    image : array_like
        See `denoise`.
    mask : array_like
        Above 0 in pixels that are denoised: bool, or labels. It has the image's
        dimensions without S, or fewer of them, which are then the last ones: a mask
        (Y, X) holds for all planes of (Z, Y, X). Read part by part where it can be.
    """

    image: ArrayLike | LazyArray = field(repr=False)
    mask: ArrayLike | LazyArray = field(repr=False)


class Mask:
    """Which pixels of an image count.

    Parameters
    ----------
    array : array
        See `MaskedImage`.
    """

    def __init__(self, array: Any) -> None:  # noqa: ANN401 - as numpy has it
        self._array = array
        self.shape: tuple[int, ...] = tuple(int(n) for n in array.shape)

    def check(self, axes: str, shape: tuple[int, ...]) -> None:
        """Raise a sentence if it does not fit an image.

        Parameters
        ----------
        axes : str
            Of the image, one letter per dimension.
        shape : tuple of int
            Of the image.

        Raises
        ------
        ValueError
            If it does not.
        """
        named = [pair for pair in zip(axes, shape, strict=True) if pair[0] != "S"]
        last = named[-len(self.shape) :]
        letters = "".join(letter for letter, _ in last)
        fits = self.shape == tuple(size for _, size in last)
        if not (fits and {"Y", "X"} <= set(letters)):
            wanted = " x ".join(f"{letter} {size}" for letter, size in named)
            raise ValueError(
                f"mask: got an array of shape {self.shape}, wanted {wanted}, as the "
                "image has it, or the last of these with Y and X. Make the mask on "
                "the image's own pixels."
            )

    def inside_yx(self, plane: Plane, rows: slice, columns: slice) -> NDArray[np.bool_]:
        """Return which pixels of a part of a plane count, of shape (Y, X)."""
        part, letters = plane.part(rows, columns), iter(plane.axes)
        at = [
            one for one in part if not (isinstance(one, slice) and next(letters) == "S")
        ]
        block = np.asarray(self._array[tuple(at[-len(self.shape) :])]) > 0
        down_first = plane.axes.index("Y") < plane.axes.index("X")
        return np.asarray(block if down_first else block.T, dtype=np.bool_)
