from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_inr_denoise import DenoiseSettings, denoise, read_image
from napari_inr_denoise.batch.interpolation import Interpolation, write_interpolated
from napari_inr_denoise.batch.options import RunOptions
from napari_inr_denoise.io.record import ImageRecord, Quantity

OME = """<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">
<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="float" SizeX="12"
 SizeY="16" SizeZ="4" SizeC="1" SizeT="1"><Channel ID="Channel:0:0"
 EmissionWavelength="461"/><Plane TheZ="3" TheC="0" TheT="0" DeltaT="2"/></Pixels>
</Image></OME>"""


def test_sizes_and_place_follow_the_grid(
    tmp_path: Path, tiny: DenoiseSettings, rng: np.random.Generator
) -> None:
    noisy = rng.poisson(40, (4, 16, 12)).astype(np.uint16)
    stated = {
        "Z": Quantity(500, "nm"),
        "Y": Quantity(100, "nm"),
        "X": Quantity(100, "nm"),
    }
    record = ImageRecord(noisy, "ZYX", origin={"X": 50.0}, ome_xml=OME).with_stated(
        stated
    )
    settings = replace(tiny, mode="volume")
    spacing = record.spatial_spacing_um()
    volumes = denoise(noisy, "ZYX", settings=settings, spacing_um=spacing).volumes
    path = tmp_path / "a.inr.interpolated.ome.tif"
    (note,) = write_interpolated(path, record, volumes, Interpolation(True, 2), {})
    assert note.startswith("a.inr.interpolated.ome.tif: Interpolated to 40x32x24")
    found = read_image(path)
    assert found.data.shape == (40, 32, 24)
    for axis in "ZYX":
        assert found.stated[axis].value == pytest.approx(50)
        assert found.stated[axis].unit == "nm"
    assert found.origin["X"] == pytest.approx(25.0)
    assert 'EmissionWavelength="461.0"' in found.ome_xml
    assert "<Plane" not in found.ome_xml  # no plane is where it was


def test_an_enlarged_image_keeps_its_size(
    tmp_path: Path, tiny: DenoiseSettings, rng: np.random.Generator
) -> None:
    noisy = rng.poisson(40, (4, 24, 20)).repeat(2, axis=1).repeat(3, axis=2)
    stated = {axis: Quantity(0.1, "µm") for axis in "ZYX"}
    record = ImageRecord(noisy, "ZYX").with_stated(stated)
    spacing = record.spatial_spacing_um()
    settings = replace(tiny, mode="volume")
    volumes = denoise(noisy, "ZYX", settings=settings, spacing_um=spacing).volumes
    path = tmp_path / "a.inr.interpolated.ome.tif"
    write_interpolated(path, record, volumes, Interpolation(zoom=2), {})
    found = read_image(path)
    for axis, size, before in zip("ZYX", found.data.shape, noisy.shape, strict=True):
        assert size * found.stated[axis].value == pytest.approx(0.1 * before)


def test_only_volumes_can_be_interpolated(tiny: DenoiseSettings) -> None:
    with pytest.raises(ValueError, match="wanted 'volume'"):
        RunOptions(tiny, interpolation=Interpolation(zoom=2))
