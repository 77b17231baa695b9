"""Metadata of TIFF files as microscopes and slide scanners write them.

tifffile parses them; here they become fields of a record. To add a program, write a
function that returns a `_Found` and add it to `_READERS` under tifffile's name of the
format.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from tifffile import TIFF, TiffFile, matlabstr2py
from tifffile.tifffile import shaped_description_metadata, svs_description_metadata

from napari_inr_denoise.io.extras import to_json
from napari_inr_denoise.io.record import (
    ImageRecord,
    Quantity,
    as_number,
    usable_size,
    with_metadata,
)
from napari_inr_denoise.io.tiff.ndtiff import lacks_index
from napari_inr_denoise.io.tiff.tags import (
    INCH_NOTE,
    pixel_sizes,
    with_position,
    with_tag_metadata,
)
from napari_inr_denoise.io.units import unit_symbol
from napari_inr_denoise.io.untrusted.xml import descendants, local_name, parse_xml

_NO_INDEX = (
    "The file is part of an NDTiff dataset, but no NDTiff.index beside it names it. "
    "Its planes were read in their order; those of other files are not known. Copy the "
    "index and all files of the dataset into one folder."
)
_SETTINGS = ("lsm", "stk", "fluoview", "sis", "andor", "nuvu", "sem", "fei")
"""tifffile's names of programs that write settings into tags of their own."""
_MAX_CHARACTERS = 2**22
_SHAPE = ("shape", "axes", "truncated")
"""Keywords of tifffile that are fields of a record."""
_METRE, _MICROMETRE, _SECOND = "m", "\u00b5m", "s"


@dataclass(frozen=True)
class _Found:
    """Sizes with their units, one name and colour per channel, and all the rest."""

    sizes: Mapping[str, tuple[object, str]] = field(default_factory=dict)
    channel_names: Sequence[object] = ()
    channel_colours: Sequence[str] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)


def with_microscope_metadata(record: ImageRecord, tiff: TiffFile) -> ImageRecord:
    """Return a record with the metadata of TIFF tags, and of the program that wrote.

    Sizes that the program states win over those of the resolution tags.
    """
    record = with_tag_metadata(record, tiff)
    if lacks_index(tiff):
        record = replace(record, notes=(*record.notes, _NO_INDEX))
    for kind, read in _READERS.items():
        if getattr(tiff, f"is_{kind}"):
            record = _with_found(record, read(record, tiff))
    record = with_metadata(
        record, lambda one: _with_settings(one, tiff), "settings of the microscope"
    )
    if {"Y", "X"} <= set(record.stated):  # known from elsewhere
        notes = tuple(note for note in record.notes if note != INCH_NOTE)
        record = replace(record, notes=notes)
    return with_position(record)


def _with_settings(record: ImageRecord, tiff: TiffFile) -> ImageRecord:
    """Return a record with all that tifffile reads in tags of microscopes' programs."""
    stated = {
        kind: to_json(settings)
        for kind in _SETTINGS
        if (settings := getattr(tiff, f"{kind}_metadata", None))
    }
    if len(str(stated)) > _MAX_CHARACTERS:
        note = "Settings of the microscope were too many to be kept."
        return replace(record, notes=(*record.notes, note))
    return replace(record, attributes={**record.attributes, **stated})


def _with_found(record: ImageRecord, found: _Found) -> ImageRecord:
    stated = dict(record.stated)
    notes: tuple[str, ...] = ()
    for axis, (value, unit) in found.sizes.items():
        symbol = unit_symbol(unit, "time" if axis == "T" else "length")
        if not symbol or not as_number(value):
            continue  # 0 stands for an unknown size
        size, said = usable_size(f"size along {axis}", value)
        if size is not None:
            stated[axis] = Quantity(size, symbol)
        notes += said if value is not None and axis in record.axes else ()
    names = tuple(map(str, found.channel_names))
    return replace(
        record.with_stated(stated),
        channel_names=names or record.channel_names,
        channel_colours=tuple(found.channel_colours) or record.channel_colours,
        attributes={**record.attributes, **to_json(found.attributes)},
        notes=record.notes + notes,
    )


def _step(values: object) -> float:
    """Return the median difference of increasing values; 0 without two."""
    numbers = np.asarray(values, np.float64).ravel()
    return float(np.median(np.diff(numbers))) if numbers.size > 1 else 0.0


def _shaped(record: ImageRecord, _: TiffFile) -> _Found:
    """tifffile: keywords as JSON, mostly those of ImageJ or of OME."""
    page = record.data.keyframe
    stated = shaped_description_metadata(page.shaped_description or "")
    rest = {k: v for k, v in stated.items() if k not in _SHAPE}
    unit = str(stated.get("unit", ""))
    sizes: dict[str, tuple[object, str]] = {
        axis: (size, str(stated.get(f"{axis.lower()}unit", unit)))
        for axis, size in pixel_sizes(page).items()
        if unit and axis not in record.stated
    }
    sizes["Z"] = stated.get("spacing"), str(stated.get("zunit", unit))
    sizes["T"] = stated.get("finterval"), str(stated.get("tunit", _SECOND))
    of_ome = {axis: (f"PhysicalSize{axis}", _MICROMETRE) for axis in "ZYX"}
    for axis, (name, usual) in (of_ome | {"T": ("TimeIncrement", _SECOND)}).items():
        if name in stated:
            sizes[axis] = stated[name], str(stated.get(f"{name}Unit", usual))
    channel = stated.get("Channel")
    names = channel.get("Name", ()) if isinstance(channel, Mapping) else ()
    return _Found(
        sizes,
        [names] if isinstance(names, str) else names,
        attributes={"tifffile": rest} if rest else {},
    )


def _lsm(_: ImageRecord, tiff: TiffFile) -> _Found:
    """Zeiss LSM: sizes in metres, times in seconds."""
    metadata = tiff.lsm_metadata or {}
    sizes = {a: (metadata.get(f"VoxelSize{a}"), _METRE) for a in "XYZ"}
    period = _step(metadata.get("TimeStamps", ())) or metadata.get("TimeIntervall")
    colours = metadata.get("ChannelColors") or {}
    return _Found(
        sizes | {"T": (period, _SECOND)},
        colours.get("ColorNames", ()),
        [f"#{r:02x}{g:02x}{b:02x}" for r, g, b, *_ in colours.get("Colors", ())],
    )


def _stk(_: ImageRecord, tiff: TiffFile) -> _Found:
    """MetaMorph STK: distances of planes in micrometres, times in milliseconds."""
    metadata = tiff.stk_metadata or {}
    unit = str(metadata.get("CalibrationUnits", ""))
    distances = np.abs(np.asarray(metadata.get("ZDistance", ()), np.float64))
    used = distances[distances > 0]
    return _Found(
        {
            "X": (metadata.get("XCalibration"), unit),
            "Y": (metadata.get("YCalibration"), unit),
            "Z": (np.median(used) if used.size else None, _MICROMETRE),
            "T": (_step(metadata.get("TimeCreated", ())), "ms"),
        }
    )


def _metaseries(_: ImageRecord, tiff: TiffFile) -> _Found:
    """MetaMorph and MetaXpress: XML in the description of each plane."""
    root = parse_xml(tiff.pages.first.description)
    texts = {
        p.attrib.get("id"): p.attrib.get("value") for p in descendants(root, "prop")
    }
    if texts.get("spatial-calibration-state") not in ("on", "1", "true"):
        return _Found()
    unit = str(texts.get("spatial-calibration-units", ""))
    sizes = {a: (texts.get(f"spatial-calibration-{a.lower()}"), unit) for a in "XY"}
    return _Found(sizes)


def _scanimage(record: ImageRecord, tiff: TiffFile) -> _Found:
    """ScanImage: the field of view in micrometres, and the periods of the scanner."""
    found = (tiff.scanimage_metadata or {}).get("FrameData")
    stated = found or matlabstr2py(str(tiff.pages.first.software))
    stated = stated if isinstance(stated, Mapping) else {}
    corners = np.asarray(stated.get("SI.hRoiManager.imagingFovUm", ()), np.float64)
    sizes: dict[str, tuple[object, str]] = {
        "Z": (stated.get("SI.hStackManager.stackZStepSize"), _MICROMETRE),
        "T": (stated.get("SI.hRoiManager.scanFramePeriod"), _SECOND),
    }
    if corners.ndim == 2 and corners.shape[1] == 2:
        width, height = np.ptp(corners, axis=0)
        sizes["X"] = (width / record.size_of("X"), _MICROMETRE)
        sizes["Y"] = (height / record.size_of("Y"), _MICROMETRE)
    return _Found(sizes, _saved_names(stated))


def _saved_names(stated: Mapping[str, Any]) -> list[object]:
    """Return the names of the channels of ScanImage that were saved."""
    names = stated.get("SI.hChannels.channelName", ())
    saved = np.atleast_1d(stated.get("SI.hChannels.channelSave", ()))
    if not isinstance(names, list | tuple) or not len(saved):
        return []
    return [names[int(k) - 1] for k in saved if 0 < int(k) <= len(names)]


def _svs(_: ImageRecord, tiff: TiffFile) -> _Found:
    """Aperio SVS: micrometres per pixel in the description."""
    size = svs_description_metadata(tiff.pages.first.description).get("MPP")
    return _Found(dict.fromkeys("XY", (size, _MICROMETRE)))


def _fluoview(_: ImageRecord, tiff: TiffFile) -> _Found:
    """Olympus FluoView: name, size, origin, distance and unit of each dimension."""
    stated = (tiff.fluoview_metadata or {}).get("Dimensions", ())
    letters = [(TIFF.MM_DIMENSIONS.get(name.upper()), each) for name, *each in stated]
    return _Found({a: (each[2], each[3]) for a, each in letters if a in set("TZYX")})


def _sis(_: ImageRecord, tiff: TiffFile) -> _Found:
    """Olympus cellSens and analySIS: height and width of a pixel in metres."""
    stated = tiff.sis_metadata or {}
    return _Found({a: (stated.get(f"pixelsize{a.lower()}"), _METRE) for a in "YX"})


def _qpi(record: ImageRecord, _: TiffFile) -> _Found:
    """Akoya and PerkinElmer QPI: name and colour in the XML of each channel."""
    pages = record.data.opened.series.pages
    texts = [
        {local_name(each): each.text or "" for each in parse_xml(page.description)}
        for page in pages
        if page is not None
    ]
    colours = [each.get("Color", "").split(",") for each in texts]
    names = [each.get("Name") or each.get("Biomarker", "") for each in texts]
    return _Found(
        channel_names=names if any(names) else (),
        channel_colours=["#" + "".join(f"{int(k):02x}" for k in c) for c in colours]
        if all(len(c) == 3 for c in colours)
        else (),
    )


def _micromanager(_: ImageRecord, tiff: TiffFile) -> _Found:
    """NDTiff and Micro-Manager without OME-XML: settings of dataset and plane."""
    summary = dict((tiff.micromanager_metadata or {}).get("Summary") or {})
    tag = tiff.pages.first.tags.get("MicroManagerMetadata")
    plane = tag.value if tag is not None and isinstance(tag.value, Mapping) else {}
    size = plane.get("PixelSizeUm") or summary.get("PixelSize_um")
    names = summary.get("ChNames", ())
    return _Found(
        {
            "X": (size, _MICROMETRE),
            "Y": (size, _MICROMETRE),
            "Z": (summary.get("z-step_um"), _MICROMETRE),
            "T": (summary.get("Interval_ms"), "ms"),
        },
        names if isinstance(names, list) else (),
    )


_READERS: dict[str, Callable[[ImageRecord, TiffFile], _Found]] = {
    "shaped": _shaped,
    "fluoview": _fluoview,
    "sis": _sis,
    "qpi": _qpi,
    "lsm": _lsm,
    "stk": _stk,
    "metaseries": _metaseries,
    "scanimage": _scanimage,
    "svs": _svs,
    "micromanager": _micromanager,
}
