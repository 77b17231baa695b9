"""A small LIF file, and stand-ins for libraries that cannot write a file."""

from __future__ import annotations

import struct
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ome_types import OME, from_xml

_SCHEMA = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
_DIMENSION = (
    '<DimensionDescription DimID="{}" NumberOfElements="{}" Origin="0" Length="{}" '
    'Unit="m" BytesInc="{}" BitInc="0"/>'
)
_CHANNEL = (
    '<ChannelDescription DataType="0" ChannelTag="0" Resolution="16" '
    'NameOfMeasuredQuantity="" Min="0" Max="1" Unit="" LUTName="{}" '
    'IsLUTInverted="0" BytesInc="{}" BitInc="0"/>'
)


def write_lif(path: Path, images: dict[str, NDArray[np.uint16]]) -> Path:
    """Write images (Z, C, Y, X) of two channels; pixels of 0.1 and planes of 0.5 um."""
    elements, blocks = "", b""
    for number, (name, values) in enumerate(images.items()):
        planes, channels, height, width = values.shape
        steps = np.array(values.strides)
        dimensions = "".join(
            _DIMENSION.format(code, size, (size - 1) * length, step)
            for code, size, length, step in (
                (1, width, 1e-7, steps[3]),
                (2, height, 1e-7, steps[2]),
                (3, planes, 5e-7, steps[0]),
            )
        )
        described = "".join(
            _CHANNEL.format(("Green", "Red")[k], k * steps[1]) for k in range(channels)
        )
        elements += (
            f'<Element Name="{name}" UniqueID="{number}"><Data><Image>'
            f"<ImageDescription><Channels>{described}</Channels>"
            f"<Dimensions>{dimensions}</Dimensions></ImageDescription></Image></Data>"
            f'<Memory Size="{values.nbytes}" MemoryBlockID="MemBlock_{number}"/>'
            "</Element>"
        )
        block = f"MemBlock_{number}".encode("utf-16-le")
        blocks += struct.pack("<IIBQB", 0x70, 0, 0x2A, values.nbytes, 0x2A)
        blocks += struct.pack("<I", len(block) // 2) + block + values.tobytes()
    xml = (
        '<LMSDataContainerHeader Version="2"><Element Name="test" UniqueID="p">'
        f"<Children>{elements}</Children></Element></LMSDataContainerHeader>"
    ).encode("utf-16-le")
    head = struct.pack("<IIBI", 0x70, len(xml) + 5, 0x2A, len(xml) // 2)
    path.write_bytes(head + xml + blocks)
    return path


class Nd2Stub:
    """What is used of `nd2.ND2File`, for values (T, P, Z, C, Y, X)."""

    def __init__(self, values: NDArray[Any]) -> None:
        self.sizes = dict(zip("TPZCYX", values.shape, strict=True))
        self.dtype, self._frames = values.dtype, values.reshape(-1, *values.shape[3:])
        self.read: list[int] = []
        points = [SimpleNamespace(name="A1"), SimpleNamespace(name=None)]
        self.experiment = [
            SimpleNamespace(
                type="TimeLoop", parameters=SimpleNamespace(periodMs=500.0)
            ),
            SimpleNamespace(
                type="XYPosLoop", parameters=SimpleNamespace(points=points)
            ),
        ]
        colours = {"a": (0, 0, 255, 1.0), "b": (255, 128, 0, 1.0)}
        channels = [
            SimpleNamespace(channel=SimpleNamespace(name=name, color=colour))
            for name, colour in colours.items()
        ]
        self.metadata = SimpleNamespace(channels=channels)

    def __call__(self, _: Path) -> Nd2Stub:
        return self

    def ome_metadata(self, *, include_unstructured: bool) -> OME:
        assert not include_unstructured
        times, positions, planes, channels, height, width = self.sizes.values()
        images = "".join(
            f'<Image ID="Image:{p}"><Pixels ID="Pixels:{p}" DimensionOrder="XYCZT" '
            f'Type="uint16" SizeX="{width}" SizeY="{height}" SizeZ="{planes}" '
            f'SizeC="{channels}" SizeT="{times}"><Channel ID="Channel:{p}:0" '
            f'EmissionWavelength="{500 + p}"/><Channel ID="Channel:{p}:1"/>'
            f'<MetadataOnly/><Plane TheZ="1" TheC="0" TheT="2" PositionX="{p}"/>'
            "</Pixels></Image>"
            for p in range(positions)
        )
        return from_xml(f'<OME xmlns="{_SCHEMA}">{images}</OME>')

    def voxel_size(self) -> SimpleNamespace:
        return SimpleNamespace(x=0.1, y=0.1, z=0.4)

    def read_frame(self, number: int) -> NDArray[Any]:
        self.read.append(number)
        return self._frames[number]


class CziStub:
    """What is used of `czifile.CziFile`: one scene (C, Z, Y, X) that begins at 7."""

    dims, start, bbox = ("C", "Z", "Y", "X"), (0, 7, 50, 100), (100, 50, 9, 8)
    coord_scales = {"C": 5.0, "Z": 3e-7, "Y": 7e-8, "X": 6.5e-8}  # noqa: RUF012
    coord_units = {"C": "nanometer", **dict.fromkeys("ZYX", "meter")}  # noqa: RUF012
    channels = {"DAPI": {}, "GFP": {}}  # noqa: RUF012

    def __init__(self, values: NDArray[Any]) -> None:
        self._values, self.shape, self.dtype = values, values.shape, values.dtype
        self.scenes = {0: self}
        self._planes: dict[str, slice] = {}

    def __call__(
        self,
        _: object = None,
        roi: tuple[int, ...] | None = None,
        **planes: slice,
    ) -> CziStub:
        if planes:
            self._planes = planes
        if roi is not None:
            self._roi = roi
        return self

    def asarray(self) -> NDArray[Any]:
        z, c = self._planes["Z"], self._planes["C"]
        left, top, width, height = self._roi
        rows = slice(top - 50, top - 50 + height)
        columns = slice(left - 100, left - 100 + width)
        return self._values[c, z.start - 7 : z.stop - 7, rows, columns]
