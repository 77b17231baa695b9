"""Pixel size, time step and channel names out of a TIFF file's metadata."""

from __future__ import annotations

from dataclasses import dataclass, field

from tifffile import RESUNIT, TiffFile

from napari_inr_denoise.io.units import micrometres, seconds


@dataclass(frozen=True)
class Calibration:
    """What a file says of sizes and names; fields as in `ImageRecord`."""

    spacing_um: dict[str, float] = field(default_factory=dict)
    time_step_s: float | None = None
    channel_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def read_calibration(tiff: TiffFile) -> Calibration:
    """Return what the OME or ImageJ metadata, or else the plain tags, say.

    Damaged metadata cost the sizes, never the image: a note says so.
    """
    try:
        if tiff.is_ome:
            return _from_ome(tiff.ome_metadata or "")
        return _from_imagej(tiff) if tiff.is_imagej else _from_tags(tiff)
    except Exception as error:  # noqa: BLE001 - any damage ends here
        kind = type(error).__name__
        note = f"The file's pixel size and names could not be read ({kind})."
        return Calibration(notes=(note,))


def _from_ome(xml: str) -> Calibration:
    from ome_types import from_xml

    pixels = from_xml(xml).images[0].pixels
    sizes = {
        "Z": (pixels.physical_size_z, pixels.physical_size_z_unit),
        "Y": (pixels.physical_size_y, pixels.physical_size_y_unit),
        "X": (pixels.physical_size_x, pixels.physical_size_x_unit),
    }
    lengths = {
        axis: micrometres(size, unit.value)
        for axis, (size, unit) in sizes.items()
        if size is not None
    }
    step = pixels.time_increment
    names = [channel.name for channel in pixels.channels]
    return Calibration(
        {axis: size for axis, size in lengths.items() if size is not None},
        None if step is None else seconds(step, pixels.time_increment_unit.value),
        tuple(str(name) for name in names) if all(names) else (),
    )


def _from_imagej(tiff: TiffFile) -> Calibration:
    metadata = tiff.imagej_metadata or {}
    unit = str(metadata.get("unit", ""))
    lengths = {"Y": _pixel_size(tiff, "YResolution", unit)}
    lengths["X"] = _pixel_size(tiff, "XResolution", unit)
    lengths["Z"] = micrometres(float(metadata.get("spacing", 0)), unit)
    return Calibration(
        {axis: size for axis, size in lengths.items() if size is not None},
        seconds(float(metadata.get("finterval", 0)), str(metadata.get("tunit", "s"))),
    )


def _from_tags(tiff: TiffFile) -> Calibration:
    """Read the resolution tags if they are in centimetres.

    In inches they are almost always a printer's 72 or 300 dots, not a pixel size.
    """
    tag = tiff.pages.first.tags.get("ResolutionUnit")
    if tag is None or tag.value != RESUNIT.CENTIMETER:
        return Calibration()
    lengths = {
        axis: _pixel_size(tiff, f"{axis}Resolution", "cm") for axis in ("Y", "X")
    }
    return Calibration({axis: s for axis, s in lengths.items() if s is not None})


def _pixel_size(tiff: TiffFile, tag_name: str, unit: str) -> float | None:
    """Return micrometres a pixel from a tag that holds pixels a unit."""
    tag = tiff.pages.first.tags.get(tag_name)
    if tag is None:
        return None
    pixels, units = tag.value
    return micrometres(units / pixels, unit) if pixels else None
