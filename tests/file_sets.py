"""OME-TIFFs whose planes are spread over several files, to test with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tifffile

SIDE = 16


def _ome(inner: str, number: int) -> str:
    space = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
    return f'<OME xmlns="{space}" UUID="urn:uuid:{number}">{inner}</OME>'


def _whole(names: list[str]) -> str:
    blocks = "".join(
        f'<TiffData FirstZ="{z}" IFD="0" PlaneCount="1">'
        f'<UUID FileName="{name}">urn:uuid:{z}</UUID></TiffData>'
        for z, name in enumerate(names)
    )
    return (
        '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" '
        f'Type="uint16" SizeX="{SIDE}" SizeY="{SIDE}" SizeZ="{len(names)}" SizeC="1" '
        f'SizeT="1"><Channel ID="Channel:0:0" SamplesPerPixel="1"/>{blocks}'
        "</Pixels></Image>"
    )


def write_set(folder: Path, names: list[str], described_in: str | None) -> list[Path]:
    """Write planes that are one image, described in one of the files or in each.

    Or in a file of its own: a name that ends in .companion.ome.
    """
    paths = [folder / name for name in names]
    if described_in is not None and described_in.endswith(".companion.ome"):
        text = _ome(_whole(names), len(names))
        (folder / described_in).write_text(text, encoding="utf-8")
    for number, path in enumerate(paths):
        inner = _whole(names)
        if described_in not in {None, path.name}:
            inner = f'<BinaryOnly MetadataFile="{described_in}" UUID="urn:uuid:0"/>'
        plane = np.full((SIDE, SIDE), number, np.uint16)
        text = _ome(inner, number)
        tifffile.imwrite(path, plane, description=text.encode(), metadata=None)
    return paths


def write_positions(
    folder: Path,
    count: int,
    *,
    described_in_first: bool = False,
    named: list[str] | None = None,
) -> list[Path]:
    """Write one plane a position, one file each, named p0.ome.tif and so on.

    Position k holds noise around 100 (k + 1). Each file holds the XML of all, or only
    the first does. The XML calls the files by their names, or as `named`.
    """
    names = [f"p{k}.ome.tif" for k in range(count)]
    images = "".join(
        f'<Image ID="Image:{k}" Name="Pos{k}"><Pixels ID="Pixels:{k}" '
        f'DimensionOrder="XYCZT" Type="uint16" SizeX="{SIDE}" SizeY="{SIDE}" SizeZ="1" '
        f'SizeC="1" SizeT="1" PhysicalSizeX="0.{k + 1}"><Channel ID="Channel:{k}:0" '
        'SamplesPerPixel="1"/><TiffData IFD="0" PlaneCount="1">'
        f'<UUID FileName="{name}">urn:uuid:{k}</UUID></TiffData></Pixels></Image>'
        for k, name in enumerate(named or names)
    )
    elsewhere = f'<BinaryOnly MetadataFile="{names[0]}" UUID="urn:uuid:0"/>'
    rng = np.random.default_rng(0)
    for k, name in enumerate(names):
        inner = elsewhere if described_in_first and k else images
        plane = rng.poisson(100 * (k + 1), (SIDE, SIDE)).astype(np.uint16)
        text = _ome(inner, k)
        tifffile.imwrite(folder / name, plane, description=text.encode(), metadata=None)
    return [folder / name for name in names]
