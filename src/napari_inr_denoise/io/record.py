"""An image as it stands in a file: values, axes, sizes and names."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class ImageRecord:
    """One image read from a file, or about to be written to one.

    Attributes
    ----------
    data : ndarray, or anything that is read by whole numbers and slices
        Values as stored.
    axes : str
        One letter per dimension out of T, C, Z, Y, X, S (S: RGB samples).
    spacing_um : dict
        Pixel size in micrometres along those of Z, Y and X for which it is known.
    time_step_s : float or None
        Seconds between time points.
    channel_names : tuple of str
        One per channel, or empty.
    notes : tuple of str
        What a user should know of how the file was read, in sentences.
    """

    data: Any = field(repr=False)
    axes: str
    spacing_um: dict[str, float] = field(default_factory=dict)
    time_step_s: float | None = None
    channel_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.axes) != self.data.ndim:
            raise ValueError(
                f"axes: got {self.axes!r} for {self.data.ndim} dimensions, wanted one "
                "letter per dimension."
            )

    def with_axes(self, axes: str) -> ImageRecord:
        """Return the same values under other axes, chosen by the user.

        Sizes and names of axes that are no longer there, or that no longer fit, are
        dropped.
        """
        moved = replace(self, axes=axes, channel_names=())
        count = moved.data.shape[axes.index("C")] if "C" in axes else 0
        return replace(
            moved,
            spacing_um={k: v for k, v in self.spacing_um.items() if k in axes},
            time_step_s=self.time_step_s if "T" in axes else None,
            channel_names=self.channel_names
            if len(self.channel_names) == count
            else (),
        )

    def spatial_spacing_um(self) -> tuple[float, ...] | None:
        """Return the sizes along all of the spatial axes, in the order of `axes`.

        None if the height or width of a pixel is unknown. An unknown distance of
        planes is taken for the pixel's width: planes are denoised one by one.
        """
        known = self.spacing_um
        if not {"Y", "X"} <= set(known):
            return None
        spatial = (letter for letter in self.axes if letter in "ZYX")
        return tuple(known.get(letter, known["X"]) for letter in spatial)
