"""Plates, wells, series and several multiscales of an OME-Zarr."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from napari_inr_denoise import list_images, read_image, write_image

FIELDS = ("A/1/0", "A/1/1", "B/2/0", "B/2/1")
AXES = [{"name": name, "type": "space"} for name in "zyx"]

SERIES = """<Image ID="Image:{0}" Name="{1}"><Pixels ID="Pixels:{0}" Type="uint8"
 DimensionOrder="XYZCT" SizeX="4" SizeY="4" SizeZ="2" SizeC="1" SizeT="1"
 PhysicalSizeX="9"><Channel ID="Channel:{0}:0" EmissionWavelength="{2}"/>
<MetadataOnly/></Pixels></Image>"""


def _multiscale(name: str = "", path: str = "0") -> dict[str, Any]:
    scale = {"type": "scale", "scale": [1.0, 0.5, 0.5]}
    dataset = {"path": path, "coordinateTransformations": [scale]}
    named = {"name": name} if name else {}
    return {"version": "0.4", "axes": AXES, "datasets": [dataset], **named}


@pytest.fixture
def plate(tmp_path: Path) -> Path:
    """A plate of four fields; field k holds k + 1."""
    root = zarr.create_group(tmp_path / "plate.zarr", zarr_format=2)
    root.attrs["plate"] = {"wells": [{"path": "A/1"}, {"path": "B/2"}]}
    for well in ("A/1", "B/2"):
        images = [{"path": "0"}, {"path": "1"}]
        root.create_group(well).attrs["well"] = {"images": images}
    for value, path in enumerate(FIELDS, 1):
        field = root.create_group(path)
        field.attrs["multiscales"] = [_multiscale()]
        data = np.full((2, 8, 8), value, np.uint8)
        field.create_array("0", data=data, chunks=(1, 8, 4))
        labels = field.create_group("labels/cells")
        labels.create_array("0", data=data)
    return tmp_path / "plate.zarr"


def test_fields_of_a_plate_and_of_a_well(plate: Path) -> None:
    record = read_image(plate)
    assert (record.name, record.series) == ("A/1/0", FIELDS)
    assert record.data.max() == 1
    assert record.spacing_um == {}
    assert "holds 4 images; only the first was read (A/1/0)" in record.notes[0]
    for number, name in enumerate(FIELDS):
        chosen = read_image(plate, series=name)
        assert chosen.data.min() == chosen.data.max() == number + 1
        assert chosen.data.shape == read_image(plate, series=number).data.shape
    assert read_image(plate / "B" / "2", series="1").data.max() == 4
    assert read_image(plate / "B" / "2" / "0").data.max() == 3


def test_what_is_missing_of_a_plate_is_named(plate: Path) -> None:
    shutil.rmtree(plate / "B" / "2")
    shutil.rmtree(plate / "A" / "1" / "0")
    entries = list_images(plate)
    assert [(one.name, one.missing) for one in entries] == [
        ("A/1/0", ("A/1/0",)),
        ("A/1/1", ()),
        ("B/2", ("B/2",)),
    ]
    with pytest.raises(ValueError, match=r"its image A/1/0 is missing"):
        read_image(plate)
    assert read_image(plate, series="A/1/1").data.max() == 2


def test_a_path_outside_of_a_plate_is_not_read(plate: Path) -> None:
    root = zarr.open_group(plate)
    root.attrs["plate"] = {"wells": [{"path": "../elsewhere"}]}
    with pytest.raises(ValueError, match="outside the Zarr"):
        read_image(plate)


def test_series_of_bioformats_have_the_names_of_their_xml(tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    root = zarr.create_group(path, zarr_format=2)
    root.attrs["bioformats2raw.layout"] = 3
    for number in range(3):
        image = root.create_group(str(number))
        image.attrs["multiscales"] = [_multiscale()]
        image.create_array("0", data=np.full((2, 4, 4), number + 5, np.uint8))
    (path / "OME").mkdir()
    xml = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        + SERIES.format(0, "left", 400)
        + SERIES.format(1, "right", 500)
        + SERIES.format(2, "macro image", 600)
        + "</OME>"
    )
    (path / "OME" / "METADATA.ome.xml").write_text(xml, encoding="utf-8")
    assert [entry.name for entry in list_images(path)] == ["left", "right"]
    record = read_image(path, series="right")
    assert (record.data.max(), record.stated["X"].value) == (6, 0.5)
    write_image(tmp_path / "b.zarr", record)
    xml = read_image(tmp_path / "b.zarr").ome_xml
    assert re.findall(r'Wavelength="(\d+)', xml) == ["500"]


def test_several_multiscales_of_a_group(tmp_path: Path) -> None:
    root = zarr.create_group(tmp_path / "a.zarr", zarr_format=2)
    root.attrs["multiscales"] = [_multiscale("raw", "x"), _multiscale("mean", "y")]
    for value, name in enumerate("xy", 1):
        root.create_array(name, data=np.full((2, 4, 4), value, np.uint8))
    record = read_image(tmp_path / "a.zarr", series="mean")
    assert (record.name, record.data.max()) == ("mean", 2)
    assert "only the first was read (raw)" in read_image(tmp_path / "a.zarr").notes[0]
