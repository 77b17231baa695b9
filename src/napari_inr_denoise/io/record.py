"""Image with its metadata: values, axes, pixel sizes and names."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from napari_inr_denoise.image.conversion import NaNWhere
from napari_inr_denoise.io.units import to_micrometres, to_seconds


class Quantity(NamedTuple):
    """Length or time with its unit symbol as in OME, such as 65.0 and "nm"."""

    value: float
    unit: str


_OF_CHANNELS = {
    "channel_names": "names",
    "channel_colours": "colours",
    "display_ranges": "display ranges",
    "luts": "colour tables",
}
"""Fields with one value per channel, and what they are called in a note."""


class Calibration(NamedTuple):
    """Numbers of a file and the values that they stand for: offset + slope * number."""

    offset: float
    slope: float
    dtype: str
    """Data type of the numbers, such as "uint16"."""
    unit: str = ""
    """Unit of the values; empty if unknown."""


@dataclass(frozen=True)
class ImageRecord:
    """One image that was read from a file, or will be written to one.

    Comparison with == ignores `data`.

    Attributes
    ----------
    data : ndarray, or any array that is indexed by integers and slices
        Values as stored.
    axes : str
        One letter per dimension out of T, C, Z, Y, X, S (S: RGB samples).
    spacing_um : dict
        Pixel size in micrometres along Z, Y and X, where known.
    time_step_s : float or None
        Seconds between time points.
    channel_names : tuple of str
        One per channel, also for one channel without a C axis; "" for a channel
        without a name; or empty.
    notes : tuple of str
        Sentences for the user about how the file was read.
    stated : dict
        Sizes along Z, Y, X and T in the units of the file. Sizes that are missing
        here, or differ from `spacing_um` and `time_step_s`, are taken from those, in
        micrometres and seconds.
    origin : dict
        Position of the first pixel along each axis, in the unit of `stated`.
    flipped : str
        Axes along which positions decrease: the file states a negative size. Sizes
        here are positive.
    calibration : Calibration or None
        Numbers that the file stores instead of the values in `data`.
    channel_colours : tuple of str
        One per channel: "#rrggbb", "#rrggbbaa", or "" for none; or empty.
    display_ranges : tuple of (float, float) or None
        Intensities displayed as darkest and brightest, one pair per channel; or empty.
    luts : tuple of bytes
        Lookup tables, one per channel: 256 reds, 256 greens, 256 blues; or empty.
    ome_xml : str
        All other OME-XML metadata: instruments, times and positions of single planes,
        annotations; or empty.
    attributes : dict
        All other metadata as JSON values: ImageJ properties, TIFF tags, attributes of
        a Zarr group.
    ngff_version : str
        Version of OME-Zarr; empty for other files.
    name : str
        Name of the image among those of its file; empty if it is the only one.
    series : tuple of str
        Names of all images that its file, or set of files, describes; empty for one.
        `read_image` takes one of them by `series=`.
    missing : array of bool, or None
        True for values that the file should hold but does not, see `read_image`; of
        the shape of `data`. None if the image is whole.
    unused : dict
        Sizes that the file states along axes that the image does not have. `with_axes`
        takes them up: the axes may be wrong where the sizes are right.
    """

    data: Any = field(repr=False, compare=False)
    axes: str
    spacing_um: dict[str, float] = field(default_factory=dict)
    time_step_s: float | None = None
    channel_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    stated: Mapping[str, Quantity] = field(default_factory=dict)
    origin: Mapping[str, float] = field(default_factory=dict)
    flipped: str = ""
    calibration: Calibration | None = None
    channel_colours: tuple[str, ...] = ()
    display_ranges: tuple[tuple[float, float] | None, ...] = ()
    luts: tuple[bytes, ...] = field(default=(), repr=False)
    ome_xml: str = field(default="", repr=False)
    attributes: Mapping[str, Any] = field(default_factory=dict, repr=False)
    ngff_version: str = ""
    name: str = field(default="", compare=False)
    series: tuple[str, ...] = field(default=(), repr=False, compare=False)
    missing: Any = field(default=None, repr=False, compare=False)
    unused: Mapping[str, Quantity] = field(
        default_factory=dict, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        if len(self.axes) != self.data.ndim:
            raise ValueError(
                f"axes: got {self.axes!r} for {self.data.ndim} dimensions, wanted one "
                "letter per dimension."
            )
        object.__setattr__(self, "stated", self._consistent_sizes())

    def _consistent_sizes(self) -> dict[str, Quantity]:
        """Return stated sizes that agree with the other fields, and missing ones."""
        known = dict(self.spacing_um)
        if self.time_step_s is not None:
            known["T"] = self.time_step_s
        stated = {
            axis: Quantity(*size)
            for axis, size in self.stated.items()
            if to_standard_unit(axis, Quantity(*size)) == known.get(axis)
        }
        converted = {
            axis: Quantity(float(size), "s" if axis == "T" else "\u00b5m")
            for axis, size in known.items()
        }
        return converted | stated

    def with_stated(self, stated: Mapping[str, Quantity]) -> ImageRecord:
        """Return the record with sizes in the units of a file, and converted ones."""
        sizes = {axis: to_standard_unit(axis, size) for axis, size in stated.items()}
        step = sizes.pop("T", None)
        known = {axis: size for axis, size in sizes.items() if size is not None}
        return replace(self, stated=stated, spacing_um=known, time_step_s=step)

    def with_axes(self, axes: str) -> ImageRecord:
        """Return the record with other axis letters for the same values.

        Metadata of axes that do not exist any more, or that do not fit, are dropped;
        their sizes are `unused`, and a note tells what is lost of the channels.
        """
        sizes = {**self.unused, **self.stated}
        moved = replace(
            self.with_stated({k: v for k, v in sizes.items() if k in axes}),
            unused={k: v for k, v in sizes.items() if k not in axes},
            axes=axes,
            channel_names=(),
            channel_colours=(),
            display_ranges=(),
            luts=(),
            origin={k: v for k, v in self.origin.items() if k in axes},
            flipped="".join(k for k in self.flipped if k in axes),
        )
        count = moved.size_of("C")
        of_channels = {name: getattr(self, name) for name in _OF_CHANNELS}
        fitting = {k: v for k, v in of_channels.items() if len(v) == count}
        lost = {k: len(v) for k, v in of_channels.items() if v and k not in fitting}
        notes = self.notes
        if lost:
            words = ", ".join(_OF_CHANNELS[name] for name in lost)
            notes += (
                f"The file states {words} of {max(lost.values())} channels, but the "
                f"image has {count}; they are not used.",
            )
        return replace(moved, **fitting, notes=notes)

    @property
    def measured(self) -> Any:  # noqa: ANN401 - an array like `data`
        """The values to denoise: `data`, as float with NaN where values are missing."""
        if self.missing is None:
            return self.data
        return NaNWhere(self.data, self.missing)

    def size_of(self, axis: str) -> int:
        """Return the number of pixels along an axis; 1 if the axis does not exist."""
        return int(self.data.shape[self.axes.index(axis)]) if axis in self.axes else 1

    def spatial_spacing_um(self) -> tuple[float, ...] | None:
        """Return the pixel sizes along all spatial axes, in the order of `axes`.

        None if the height or width of a pixel is unknown. An unknown distance of
        planes is set to the width of a pixel: planes are denoised one by one.
        """
        known = self.spacing_um
        if not {"Y", "X"} <= set(known):
            return None
        spatial = (letter for letter in self.axes if letter in "ZYX")
        return tuple(known.get(letter, known["X"]) for letter in spatial)


def with_metadata(
    record: ImageRecord,
    add: Callable[[ImageRecord], ImageRecord],
    what: str = "pixel size and names",
) -> ImageRecord:
    """Return a record with metadata, or a note: damaged ones never prevent reading.

    Parameters
    ----------
    record : ImageRecord
        The image.
    add : callable
        Returns the record with further fields.
    what : str
        What these are, for the note.
    """
    try:
        return add(record)
    except Exception as error:  # noqa: BLE001 - any damage becomes a note
        kind = type(error).__name__
        note = f"The file's {what} could not be read ({kind})."
        return replace(record, notes=(*record.notes, note))


def as_number(value: object) -> float:
    """Return a number that a file states; NaN for what is none."""
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return math.nan


def usable_size(
    name: str, value: object, meaning: str = "its size is used"
) -> tuple[float | None, tuple[str, ...]]:
    """Return a size that a file states, as a positive number, and notes on it.

    Parameters
    ----------
    name : str
        What the size is, for the note, such as "size along Z".
    value : object
        As in the file, also as text.
    meaning : str
        What is made of a negative number, for the note.

    Returns
    -------
    size : float or None
        None if it is 0, not finite, or no number.
    notes : tuple of str
        Sentences for the user.
    """
    number = as_number(value)
    if 0 < abs(number) < math.inf:
        note = f"The file states a negative {name}, {number:g}; {meaning}."
        return abs(number), (note,) if number < 0 else ()
    spelled = value if math.isnan(number) else f"{number:g}"
    return None, (f"The file states a {name} of {spelled}; it is not used.",)


def to_standard_unit(axis: str, size: Quantity) -> float | None:
    """Return a size in micrometres, or seconds along T; None for unknown units."""
    return (to_seconds if axis == "T" else to_micrometres)(size.value, size.unit)
