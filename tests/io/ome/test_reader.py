from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_inr_denoise import read_image

OME = """<?xml version="1.0" encoding="UTF-8"?>
<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">
<Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" SizeX="6" SizeY="5" SizeC="1"
 SizeZ="2" SizeT="1" {}><Channel ID="Channel:0:0"/><TiffData/></Pixels></Image></OME>"""


@pytest.mark.parametrize(
    ("attributes", "sizes", "words"),
    [
        ('PhysicalSizeZ="0.5"', {"Z": 0.5}, ""),
        ('PhysicalSizeZ="-0.5"', {"Z": 0.5}, "negative PhysicalSizeZ, -0.5"),
        ('PhysicalSizeZ="0"', {}, "PhysicalSizeZ of 0; it is not used"),
        ('PhysicalSizeZ="INF"', {}, "PhysicalSizeZ of inf"),
        ('PhysicalSizeZ="2" PhysicalSizeZUnit="cubit"', {}, "'cubit'"),
    ],
)
def test_sizes_that_are_none_are_said(
    tmp_path: Path, attributes: str, sizes: dict[str, float], words: str
) -> None:
    tifffile.imwrite(
        tmp_path / "a.ome.tif",
        np.zeros((2, 5, 6), np.uint16),
        description=OME.format(attributes),
        metadata=None,
        photometric="minisblack",
    )
    record = read_image(tmp_path / "a.ome.tif")
    assert record.spacing_um == sizes
    assert words in " ".join(record.notes)
    assert bool(words) == bool(record.notes)
