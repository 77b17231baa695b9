"""An image as it stands in a file: values, axes, sizes and names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from napari_inr_denoise.io.units import to_micrometres, to_seconds


class Quantity(NamedTuple):
    """A length or a time in a unit as OME spells it, such as 65.0 and "nm"."""

    value: float
    unit: str


@dataclass(frozen=True)
class ImageRecord:
    """One image read from a file, or about to be written to one.

    Two are equal if all is but their values, which are for numpy to compare.

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
        One per channel, also for a single one without a C axis; "" for one without a
        name; or empty.
    notes : tuple of str
        What a user should know of how the file was read, in sentences.
    stated : dict
        Sizes along Z, Y, X and T as the file has them, in its own unit. What is not
        given, or does not agree with `spacing_um` and `time_step_s`, is made from
        these, in micrometres and seconds.
    origin : dict
        Position of the first pixel along an axis, in that axis's unit of `stated`.
    channel_colours : tuple of str
        One per channel, "#rrggbb", "#rrggbbaa" or "" for none; or empty.
    display_ranges : tuple of (float, float) or None
        Intensities shown as darkest and brightest, one pair per channel; or empty.
    luts : tuple of bytes
        Colour tables, one per channel: 256 reds, 256 greens, 256 blues; or empty.
    ome_xml : str
        What OME-XML says besides all that: instruments, times and positions of single
        planes, annotations; empty if nothing.
    attributes : dict
        Whatever else the file says, as values for JSON: the information of ImageJ,
        attributes of a Zarr group.
    ngff_version : str
        Version of OME-Zarr; empty for other files.
    """

    data: Any = field(repr=False, compare=False)
    axes: str
    spacing_um: dict[str, float] = field(default_factory=dict)
    time_step_s: float | None = None
    channel_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    stated: Mapping[str, Quantity] = field(default_factory=dict)
    origin: Mapping[str, float] = field(default_factory=dict)
    channel_colours: tuple[str, ...] = ()
    display_ranges: tuple[tuple[float, float] | None, ...] = ()
    luts: tuple[bytes, ...] = field(default=(), repr=False)
    ome_xml: str = field(default="", repr=False)
    attributes: Mapping[str, Any] = field(default_factory=dict, repr=False)
    ngff_version: str = ""

    def __post_init__(self) -> None:
        if len(self.axes) != self.data.ndim:
            raise ValueError(
                f"axes: got {self.axes!r} for {self.data.ndim} dimensions, wanted one "
                "letter per dimension."
            )
        object.__setattr__(self, "stated", self._agreeing())

    def _agreeing(self) -> dict[str, Quantity]:
        """Return the stated sizes that agree with the others, and what is missing."""
        known = dict(self.spacing_um)
        if self.time_step_s is not None:
            known["T"] = self.time_step_s
        stated = {
            axis: Quantity(*size)
            for axis, size in self.stated.items()
            if to_standard_unit(axis, Quantity(*size)) == known.get(axis)
        }
        made = {
            axis: Quantity(float(size), "s" if axis == "T" else "\u00b5m")
            for axis, size in known.items()
        }
        return made | stated

    def with_stated(self, stated: Mapping[str, Quantity]) -> ImageRecord:
        """Return the image with sizes as a file has them, and what follows of them."""
        sizes = {axis: to_standard_unit(axis, size) for axis, size in stated.items()}
        step = sizes.pop("T", None)
        known = {axis: size for axis, size in sizes.items() if size is not None}
        return replace(self, stated=stated, spacing_um=known, time_step_s=step)

    def with_axes(self, axes: str) -> ImageRecord:
        """Return the same values under other axes, chosen by the user.

        Sizes and names of axes that are no longer there, or that no longer fit, are
        dropped.
        """
        moved = replace(
            self,
            axes=axes,
            channel_names=(),
            channel_colours=(),
            display_ranges=(),
            luts=(),
            spacing_um={k: v for k, v in self.spacing_um.items() if k in axes},
            time_step_s=self.time_step_s if "T" in axes else None,
            stated={k: v for k, v in self.stated.items() if k in axes},
            origin={k: v for k, v in self.origin.items() if k in axes},
        )
        count = moved.size_of("C")
        told = ("channel_names", "channel_colours", "display_ranges", "luts")
        fitting = [name for name in told if len(getattr(self, name)) == count]
        return replace(moved, **{name: getattr(self, name) for name in fitting})

    def size_of(self, axis: str) -> int:
        """Return the number of pixels along an axis, 1 if it is not there."""
        return int(self.data.shape[self.axes.index(axis)]) if axis in self.axes else 1

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


def to_standard_unit(axis: str, size: Quantity) -> float | None:
    """Return a size in micrometres, or seconds along T; None where there is none."""
    return (to_seconds if axis == "T" else to_micrometres)(size.value, size.unit)
