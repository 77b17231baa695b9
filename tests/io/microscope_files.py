"""Small files as microscopes and slide scanners write them."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

_BYTE, _LONG, _RATIONAL, _DOUBLE = 1, 4, 5, 12


def write_lsm(path: Path, values: NDArray[Any], step_s: float = 0.0) -> Path:
    """Write planes (Z or T, Y, X) as Zeiss LSM, each with a thumbnail."""
    info = np.zeros(1, tifffile.TIFF.CZ_LSMINFO)
    info["MagicNumber"], info["StructureSize"] = 0x0400494C, info.nbytes
    planes, height, width = values.shape
    sizes = {"X": width, "Y": height, "Z": 1, "Time": 1, "Channels": 1}
    sizes["Time" if step_s else "Z"] = planes
    for axis, size in sizes.items():
        info[f"Dimension{axis}"] = size
    info["VoxelSizeX"], info["VoxelSizeY"], info["VoxelSizeZ"] = 65e-9, 70e-9, 3e-7
    info["ScanType"], info["TimeIntervall"] = (3 if step_s else 0), step_s
    tag = (34412, _BYTE, info.nbytes, info.tobytes(), True)
    with tifffile.TiffWriter(path, byteorder="<") as writer:
        for number, plane in enumerate(values):
            writer.write(
                plane,
                photometric="minisblack",
                metadata=None,
                extratags=[tag] if number == 0 else [],
            )
            small = np.zeros((4, 4), np.uint8)
            rgb = np.stack([small] * 3, -1)
            writer.write(rgb, photometric="rgb", subfiletype=1, metadata=None)
    return path


def write_stk(path: Path, values: NDArray[Any]) -> Path:
    """Write planes (Z, Y, X) as MetaMorph STK: one directory for all planes."""
    planes = len(values)
    uic2 = np.zeros((planes, 6), np.uint32)  # distance, date and time of each plane
    uic2[:, :4] = 1, 4, 2451545, 0
    uic2[:, 3] = 500 * np.arange(planes)
    # XCalibration, YCalibration and CalibrationUnits, each with its place in the file.
    numbers = [4, 0, 5, 0, 6, 0]
    tifffile.imwrite(
        path,
        values,
        photometric="minisblack",
        metadata=None,
        byteorder="<",
        extratags=[
            (33628, _LONG, len(numbers), struct.pack("<6I", *numbers), True),
            (33629, _RATIONAL, 3 * planes, uic2.tobytes(), True),
        ],
    )
    content = bytearray(path.read_bytes())
    (directory,) = struct.unpack_from("<I", content, 4)
    (entries,) = struct.unpack_from("<H", content, directory)
    end = len(content)
    content += struct.pack("<4I", 26, 100, 27, 100) + struct.pack("<I", 3) + b"um\0"
    for at in range(directory + 2, directory + 2 + 12 * entries, 12):
        (code,) = struct.unpack_from("<H", content, at)
        if code == 33628:  # counted in pairs
            struct.pack_into("<I", content, at + 4, len(numbers) // 2)
            (pairs,) = struct.unpack_from("<I", content, at + 8)
            for number, place in enumerate((end, end + 8, end + 16)):
                struct.pack_into("<I", content, pairs + 8 * number + 4, place)
        elif code == 33629:  # counted in planes
            struct.pack_into("<I", content, at + 4, planes)
    struct.pack_into("<I", content, directory + 2 + 12 * entries, 0)  # the last one
    path.write_bytes(content)
    return path


def write_svs(path: Path, values: NDArray[Any]) -> Path:
    """Write a plane of colours as Aperio SVS."""
    tifffile.imwrite(
        path,
        values,
        photometric="rgb",
        tile=(32, 32),
        description="Aperio Image Library v10\r\n64x64|AppMag = 20|MPP = 0.4990",
        metadata=None,
    )
    return path


def write_scn(path: Path, values: NDArray[Any], channel: int = 0) -> Path:
    """Write a plane of colours as Leica SCN, with a number of its channel."""
    xml = (
        '<?xml version="1.0"?><scn xmlns="http://www.leica-microsystems.com/scn/'
        '2010/10/01"><collection><image name="slide"><pixels sizeX="64" sizeY="64">'
        f'<dimension sizeX="64" sizeY="64" c="{channel}" ifd="0"/></pixels></image>'
        "</collection></scn>"
    )
    tifffile.imwrite(
        path,
        values,
        photometric="rgb",
        tile=(32, 32),
        description=xml,
        metadata=None,
        resolution=(20000, 20000),
        resolutionunit="CENTIMETER",
    )
    return path


def write_scanimage(path: Path, values: NDArray[Any]) -> Path:
    """Write planes (Y, X) of two saved channels as ScanImage."""
    text = """SI.hChannels.channelName = {'green' 'red' 'blue'}
SI.hChannels.channelSave = [1 3]
SI.hRoiManager.imagingFovUm = [-9 -8;9 -8;9 8;-9 8]
SI.hRoiManager.scanFramePeriod = 0.03
SI.hStackManager.stackZStepSize = 2.5
"""
    tifffile.imwrite(
        path, values, photometric="minisblack", software=text, metadata=None
    )
    return path


def write_metaseries(path: Path, values: NDArray[Any]) -> Path:
    """Write a plane as MetaXpress."""
    prop = '<prop id="spatial-calibration-{}" type="{}" value="{}"/>'.format
    text = (
        "<MetaData><PlaneInfo>"
        + prop("state", "bool", "on")
        + prop("x", "float", "0.65")
        + prop("y", "float", "0.66")
        + prop("units", "string", "um")
        + "</PlaneInfo></MetaData>"
    )
    tifffile.imwrite(
        path,
        values,
        photometric="minisblack",
        description=text,
        software="MetaSeries",
        metadata=None,
    )
    return path


def write_ndtiff(
    folder: Path,
    values: NDArray[Any],
    names: tuple[str, ...] = ("z",),
    planes_per_file: int = 0,
    prefix: str = "data",
) -> Path:
    """Write planes (.., Y, X) of uint16 as NDTiff v3 with its index.

    A file holds `planes_per_file` planes; 0: all of them. Returns the first file.
    """
    planes = values.reshape(-1, *values.shape[-2:])
    places = list(np.ndindex(values.shape[:-2]))
    count, index, paths = planes_per_file or len(planes), b"", []
    for number, first in enumerate(range(0, len(planes), count)):
        end = f"_{number}" if number else ""
        paths.append(folder / f"{prefix}_NDTiffStack{end}.tif")
        part = slice(first, first + count)
        index += _write_ndtiff_file(paths[-1], planes[part], places[part], names)
    (folder / "NDTiff.index").write_bytes(index)
    return paths[0]


def _write_ndtiff_file(
    path: Path,
    planes: NDArray[Any],
    places: Sequence[tuple[int, ...]],
    names: tuple[str, ...],
) -> bytes:
    """Write a file of a dataset; return its part of the index."""
    summary = {"PixelSize_um": 0.1, "z-step_um": 0.5}
    summary |= {"ChNames": ["a", "b"]} if "channel" in names else {}
    text = json.dumps(summary).encode()
    head = struct.pack("<2sHI", b"II", 42, 0)
    head += struct.pack("<IIIII", 483729, 3, 3, 2355492, len(text)) + text
    head += bytes(len(head) % 2)
    size = planes[0].nbytes
    plane = json.dumps({"PixelSizeUm": 0.1}).encode()
    content, index = bytearray(head), b""
    previous = 4
    for values, place in zip(planes, places, strict=True):
        offset = len(content)
        content += values.astype("<u2").tobytes()
        text_at = len(content)
        content += plane + bytes(len(plane) % 2)
        struct.pack_into("<I", content, previous, len(content))
        entries = _entries(planes.shape[1:], offset, size, text_at, len(plane))
        content += struct.pack("<H", len(entries))
        content += b"".join(struct.pack("<HHII", *entry) for entry in entries)
        previous = len(content)
        content += bytes(4)
        axes = json.dumps(dict(zip(names, place, strict=True))).encode()
        file = path.name.encode()
        index += struct.pack("<I", len(axes)) + axes + struct.pack("<I", len(file))
        index += file + struct.pack(
            "<IiiiiIii", offset, *planes.shape[:0:-1], 1, 0, text_at, len(plane), 0
        )
    path.write_bytes(content)
    return index


def _entries(
    shape: tuple[int, ...], offset: int, size: int, text_at: int, length: int
) -> list[tuple[int, int, int, int]]:
    """Return the tags of a page: code, type, count, value."""
    return [
        (256, _LONG, 1, shape[1]),
        (257, _LONG, 1, shape[0]),
        (258, 3, 1, 16),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (273, _LONG, 1, offset),
        (277, 3, 1, 1),
        (278, _LONG, 1, shape[0]),
        (279, _LONG, 1, size),
        (51123, 2, length, text_at),
    ]


def write_fluoview(path: Path, values: NDArray[Any]) -> Path:
    """Write planes (C, Z, Y, X) as Olympus FluoView."""
    channels, slices, height, width = values.shape
    header = np.zeros(1, tifffile.TIFF.MM_HEADER)
    dimensions = [
        (b"X", width, 0, 0.2, b"um"),
        (b"Y", height, 0, 0.25, b"um"),
        (b"Z", slices, 0, 500, b"nm"),
        (b"Ch", channels, 0, 1, b"Ch"),
    ]
    for number, dimension in enumerate(dimensions):
        header["Dimensions"][0, number] = dimension
    tags = [
        (34361, _BYTE, header.nbytes, header.tobytes(), True),
        (34362, _DOUBLE, 8, (0.0,) * 8, True),
    ]
    with tifffile.TiffWriter(path, byteorder="<") as writer:
        for number, plane in enumerate(values.reshape(-1, height, width)):
            writer.write(
                plane,
                photometric="minisblack",
                metadata=None,
                contiguous=False,
                extratags=[] if number else tags,
            )
    return path


def write_sis(path: Path, values: NDArray[Any]) -> Path:
    """Write a plane as Olympus cellSens, with a resolution for printing."""
    place = 33560, _BYTE, 200, bytes(200), True
    tifffile.imwrite(
        path,
        values,
        photometric="minisblack",
        metadata=None,
        byteorder="<",
        resolution=(72, 72),
        resolutionunit="INCH",
        extratags=[place],
    )
    with tifffile.TiffFile(path) as tiff:
        at = tiff.pages.first.tags[33560].valueoffset
    entry = struct.pack("<hhI", 1, 1, at + 68)
    header = struct.pack("<4s22x32sH6x", b"SIS0", b"cells", 1)[:60]
    sizes = struct.pack("<10xhdd8xd2x34s32s", -6, 0.2, 0.25, 60.0, b"", b"")
    content = bytearray(path.read_bytes())
    content[at : at + 68 + len(sizes)] = header + entry + sizes
    path.write_bytes(content)
    return path


def write_qpi(path: Path, values: NDArray[Any]) -> Path:
    """Write planes (C, Y, X) as Akoya QPI, with a thumbnail."""
    text = (
        '<?xml version="1.0" encoding="utf-16"?><PerkinElmer-QPI-ImageDescription>'
        "<Name>{}</Name><Color>{}</Color><ExposureTime>1000</ExposureTime>"
        "</PerkinElmer-QPI-ImageDescription>"
    )
    with tifffile.TiffWriter(path) as writer:
        named = zip(values, ("DAPI", "CD8"), ("0,0,255", "255,0,0"), strict=True)
        for plane, name, colour in named:
            writer.write(
                plane,
                photometric="minisblack",
                metadata=None,
                contiguous=False,
                tile=(16, 16),
                software="PerkinElmer-QPI",
                description=text.format(name, colour),
                resolution=(20000, 20000),
                resolutionunit="CENTIMETER",
                extratags=[
                    (286, _RATIONAL, 1, (12345, 1000), True),
                    (287, _RATIONAL, 1, (5, 10), True),
                ],
            )
        small = np.zeros((8, 8, 3), np.uint8)
        writer.write(small, photometric="rgb", metadata=None)
    return path
