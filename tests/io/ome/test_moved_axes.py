from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from ome_types import from_tiff

from napari_inr_denoise import read_image, write_image
from napari_inr_denoise.io.read import with_named_axes

PLANES = "".join(
    f'<Plane TheZ="{z}" TheC="{c}" TheT="0" DeltaT="{10 * z + c}"/>'
    for c in range(2)
    for z in range(3)
)
OME = f"""<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">
<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16"
 SizeX="6" SizeY="5" SizeC="2" SizeZ="3" SizeT="1">
<Channel ID="Channel:0:0" EmissionWavelength="461"/><Channel ID="Channel:0:1"/>
<TiffData/>{PLANES}</Pixels></Image></OME>"""


@pytest.mark.parametrize(
    ("axes", "places", "words"),
    [
        ("CTYX", "the_c the_t", ""),
        ("CZYX", "the_c the_z", ""),
        ("ZCYX", "the_z the_c", "of 2 channels do not fit the 3"),
        ("TZYX", "the_t the_z", "of 2 channels do not fit the 1"),
    ],
)
def test_times_of_planes_stay_with_their_planes(
    tmp_path: Path, axes: str, places: str, words: str
) -> None:
    path = tmp_path / "a.ome.tif"
    values = np.arange(180, dtype=np.uint16).reshape(2, 3, 5, 6)
    form = {"metadata": None, "photometric": "minisblack"}
    tifffile.imwrite(path, values, description=OME, **form)
    record = with_named_axes(read_image(path), axes)
    assert words in " ".join(record.notes)
    assert bool(words) == bool(record.notes)
    write_image(tmp_path / "b.ome.tif", record)
    pixels = from_tiff(tmp_path / "b.ome.tif").images[0].pixels
    outer, inner = places.split()
    found = {(getattr(p, outer), getattr(p, inner)): p.delta_t for p in pixels.planes}
    assert found == {(c, z): 10 * z + c for c in range(2) for z in range(3)}
    wavelengths = [channel.emission_wavelength for channel in pixels.channels]
    assert (461 in wavelengths) == (not words)


def test_times_that_fit_no_planes_are_said(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.tif"
    values = np.zeros((2, 3, 5, 6), np.uint16)
    form = {"metadata": None, "photometric": "minisblack"}
    tifffile.imwrite(path, values, description=OME, **form)
    record = with_named_axes(read_image(path), "SZYX")
    assert "Times and positions of single planes do not fit" in " ".join(record.notes)
    write_image(tmp_path / "b.ome.tif", record)
    assert read_image(tmp_path / "b.ome.tif").axes == "ZYXS"
