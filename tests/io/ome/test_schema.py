from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_inr_denoise import read_image, write_image
from napari_inr_denoise.io.ome import remainder
from napari_inr_denoise.io.ome.remainder import remainder_of
from napari_inr_denoise.io.record import ImageRecord

NEWEST = "2016-06"
PLANE = '<Plane TheZ="0" TheC="0" TheT="0" DeltaT="0.5" {}/>'
OME = """<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/{version}">
<Instrument ID="Instrument:0"><Objective ID="Objective:0" LensNA="1.4"/></Instrument>
<Image ID="Image:0" Name="a">{image}<InstrumentRef ID="Instrument:0"/>
<Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" SizeX="6" SizeY="5"
 SizeC="2" SizeZ="1" SizeT="1" PhysicalSizeX="0.1" PhysicalSizeY="0.1">
<Channel ID="Channel:0:0" SamplesPerPixel="1" Name="DAPI" ExcitationWavelength="405"
 {channel}/><Channel ID="Channel:0:1" SamplesPerPixel="1" Name="GFP"/>
<TiffData IFD="0" PlaneCount="2"/>{planes}</Pixels></Image></OME>"""


def _xml(
    version: str = NEWEST, image: str = "", channel: str = "", plane: str = ""
) -> str:
    planes = PLANE.format(plane)
    return OME.format(version=version, image=image, channel=channel, planes=planes)


def _read(folder: Path, xml: str) -> ImageRecord:
    path = folder / "a.ome.tif"
    values = np.zeros((2, 5, 6), np.uint16)
    form = {"metadata": None, "photometric": "minisblack"}
    tifffile.imwrite(path, values, description=xml.encode(), **form)
    return read_image(path)


@pytest.mark.parametrize("version", ["2007-06", "2010-06", "2013-06", "2015-01"])
def test_older_versions_are_kept(tmp_path: Path, version: str) -> None:
    record = _read(tmp_path, _xml(version))
    assert record == _read(tmp_path, _xml())
    assert not record.notes


def test_xml_without_a_version_is_taken_for_the_newest(tmp_path: Path) -> None:
    bare = _xml().replace(
        ' xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"', ""
    )
    assert bare != _xml()
    assert _read(tmp_path, bare) == _read(tmp_path, _xml())


def test_names_of_the_oldest_channels_are_read(tmp_path: Path) -> None:
    xml = """<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2008-02">
<Image ID="Image:0" Name="a" DefaultPixels="Pixels:0">
<CreationDate>2008-01-01T00:00:00</CreationDate>
<LogicalChannel ID="LogicalChannel:0" Name="DAPI" EmWave="461" SamplesPerPixel="1">
<ChannelComponent Index="0" Pixels="Pixels:0"/></LogicalChannel>
<LogicalChannel ID="LogicalChannel:1" Name="GFP" SamplesPerPixel="1">
<ChannelComponent Index="1" Pixels="Pixels:0"/></LogicalChannel>
<Pixels ID="Pixels:0" BigEndian="false" DimensionOrder="XYCZT" PixelType="uint16"
 SizeX="6" SizeY="5" SizeC="2" SizeZ="1" SizeT="1" PhysicalSizeX="0.1">
<TiffData IFD="0" NumPlanes="2"/></Pixels></Image></OME>"""
    record = _read(tmp_path, xml)
    assert record.channel_names == ("DAPI", "GFP")
    assert record.spacing_um == {"X": 0.1}
    assert "461" in record.ome_xml


def test_a_version_that_is_not_supported_is_said(tmp_path: Path) -> None:
    started = time.perf_counter()
    record = _read(tmp_path, _xml("2003-FC"))
    assert record.spacing_um == {"X": 0.1, "Y": 0.1}
    assert record.channel_names == ("DAPI", "GFP")
    assert "version is not supported" in record.notes[0]
    assert "2003-FC" in record.notes[0]
    assert time.perf_counter() - started < 30


@pytest.mark.parametrize(
    ("parts", "word"),
    [
        ({"channel": 'EmissionWavelength="0"'}, "EmissionWavelength of Channel ('0')"),
        ({"channel": 'EmissionWavelength=""'}, "EmissionWavelength of Channel"),
        ({"channel": 'PinholeSize="a" Color="b"'}, "PinholeSize of Channel ('a')"),
        ({"channel": 'AcquisitionMode="Fast"'}, "AcquisitionMode of Channel ('Fast')"),
        ({"plane": 'ExposureTime="x"'}, "ExposureTime of Plane ('x')"),
        ({"plane": 'PositionX="1" PositionXUnit="cubit"'}, "PositionX of Plane ('1')"),
        ({"image": "<AcquisitionDate>noon</AcquisitionDate>"}, "('noon')"),
        ({"image": "<Mine>7</Mine>"}, "Mine of Image ('7')"),
    ],
)
def test_a_value_that_is_not_valid_costs_only_itself(
    tmp_path: Path, parts: dict[str, str], word: str
) -> None:
    record = _read(tmp_path, _xml(**parts))
    assert record.ome_xml == _read(tmp_path, _xml()).ome_xml
    (note,) = record.notes
    assert "not valid were left out" in note
    assert word in note
    write_image(tmp_path / "b.ome.tif", record)
    assert read_image(tmp_path / "b.ome.tif") == replace(record, notes=())


def test_several_values_that_are_not_valid(tmp_path: Path) -> None:
    record = _read(
        tmp_path,
        _xml(
            image="<AcquisitionDate/>",
            channel='EmissionWavelength="0" AcquisitionMode="Fast"',
            plane='ExposureTime="x"',
        ),
    )
    assert record.ome_xml == _read(tmp_path, _xml()).ome_xml


def test_units_are_spelled_as_ome_does(tmp_path: Path) -> None:
    plane = 'ExposureTime="20" ExposureTimeUnit="{}" PositionX="1" PositionXUnit="{}"'
    record = _read(tmp_path, _xml(plane=plane.format("msec", "um")))
    assert record == _read(tmp_path, _xml(plane=plane.format("ms", "\u00b5m")))
    assert not record.notes


def test_what_is_not_of_the_image_costs_no_times_of_planes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(remainder, "_MAX_CHARACTERS", 3000)
    image = OME.format(version=NEWEST, image="", channel="", planes=PLANE.format(""))
    start, _, end = image.partition("<Image ")
    end = f"<Image {end}"
    other = (
        end.removesuffix("</OME>").replace(":0", ":1").replace('"a"', f'"{5000 * "b"}"')
    )
    rest, notes = remainder_of(start + end.replace("</OME>", f"{other}</OME>"))
    assert rest.count("<Plane") == 1
    assert not notes
    many = image.replace("<Plane", f"{PLANE.format('') * 60}<Plane")
    rest, notes = remainder_of(many)
    assert rest.count("<Plane") == 0
    assert "too many to be kept" in notes[0]


def test_one_plane_of_many_is_found_quickly() -> None:
    planes = [PLANE.format("").replace("0.5", str(k)) for k in range(200)]
    planes[77] = PLANE.format('ExposureTime="x"')
    xml = OME.format(version=NEWEST, image="", channel="", planes="".join(planes))
    rest, notes = remainder_of(xml)
    assert rest.count("<Plane") == 200
    assert notes == (
        "OME metadata that are not valid were left out: ExposureTime of Plane ('x').",
    )


def test_one_fault_of_all_planes_costs_only_itself() -> None:
    planes = "".join(PLANE.format('ExposureTime="x"') for _ in range(60))
    xml = OME.format(version=NEWEST, image="", channel="", planes=planes)
    rest, notes = remainder_of(xml)
    assert rest.count("DeltaT") == 60
    assert "ExposureTime of Plane ('x')" in notes[0]


def test_too_many_faults_cost_the_planes_alone() -> None:
    planes = "".join(PLANE.format(f'ExposureTime="x{k}"') for k in range(60))
    xml = OME.format(version=NEWEST, image="", channel="", planes=planes)
    rest, notes = remainder_of(xml)
    assert "<Plane" not in rest
    assert 'LensNA="1.4"' in rest
    assert "and 13 more" in notes[0]
