from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_inr_denoise import read_image, write_image

OME = """<?xml version="1.0" encoding="UTF-8"?>
<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">
<Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" SizeX="6" SizeY="5" SizeC="1"
 SizeZ="2" SizeT="1" {}><Channel ID="Channel:0:0"/><TiffData/></Pixels></Image></OME>"""


def _write(path: Path, attributes: str, planes: int = 2) -> Path:
    tifffile.imwrite(
        path,
        np.zeros((planes, 5, 6), np.uint16),
        description=OME.format(attributes),
        metadata=None,
        photometric="minisblack",
    )
    return path


@pytest.mark.parametrize(
    ("attributes", "sizes", "words"),
    [
        ('PhysicalSizeZ="0.5"', {"Z": 0.5}, ""),
        ('PhysicalSizeZ="-0.5"', {"Z": 0.5}, "negative PhysicalSizeZ, -0.5"),
        ('PhysicalSizeZ="0"', {}, "PhysicalSizeZ of 0; it is not used"),
        ('PhysicalSizeZ="INF"', {}, "PhysicalSizeZ of inf"),
        ('PhysicalSizeZ="2" PhysicalSizeX="0,5"', {"Z": 2}, "PhysicalSizeX of 0,5"),
        ('PhysicalSizeZ="2" PhysicalSizeZUnit="cubit"', {}, "'cubit'"),
    ],
)
def test_sizes_that_are_none_are_said(
    tmp_path: Path, attributes: str, sizes: dict[str, float], words: str
) -> None:
    record = read_image(_write(tmp_path / "a.ome.tif", attributes))
    assert record.spacing_um == sizes
    assert words in " ".join(record.notes)
    assert bool(words) == bool(record.notes)


def test_sizes_wait_for_the_right_axes(tmp_path: Path) -> None:
    sizes = 'PhysicalSizeZ="0.5" TimeIncrement="3" TimeIncrementUnit="ms"'
    record = read_image(_write(tmp_path / "a.ome.tif", sizes))
    assert (record.spacing_um, record.time_step_s) == ({"Z": 0.5}, None)
    frames = record.with_axes("TYX")
    assert (frames.spacing_um, frames.time_step_s) == ({}, 0.003)
    assert frames.with_axes("ZYX") == record


@pytest.mark.parametrize(
    ("times", "unit", "step"),
    [
        ((0.1, 0.6, 1.11), "", 0.505),
        ((0, 500, 1000), 'DeltaTUnit="ms"', 0.5),
        ((0, 0.5, 9), "", None),
        ((1, 1, 1), "", None),
        ((0, 0.5), "", None),
        ((0, 0.5, "x"), "", None),
    ],
)
def test_even_times_of_planes_tell_the_time_step(
    tmp_path: Path, times: tuple[object, ...], unit: str, step: float | None
) -> None:
    planes = "".join(
        f'<Plane TheZ="0" TheC="0" TheT="{number}" DeltaT="{time}" {unit}/>'
        for number, time in enumerate(times)
    )
    text = OME.format("").replace("<TiffData/>", f"<TiffData/>{planes}")
    text = text.replace('SizeT="1"', 'SizeT="3"').replace('SizeZ="2"', 'SizeZ="1"')
    path = tmp_path / "a.ome.tif"
    form = {"metadata": None, "photometric": "minisblack"}
    tifffile.imwrite(path, np.zeros((3, 5, 6), np.uint16), description=text, **form)
    record = read_image(path)
    assert record.axes == "TYX"
    assert record.time_step_s == (None if step is None else pytest.approx(step))


def test_planes_that_the_description_leaves_out_are_said(tmp_path: Path) -> None:
    record = read_image(_write(tmp_path / "a.ome.tif", "", planes=3))
    assert record.data.shape == (2, 5, 6)
    assert "holds 3 planes; its description names 2" in record.notes[0]


def test_a_description_of_another_image_is_said(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.ome.tif", 'PhysicalSizeX="2"')
    path.write_bytes(path.read_bytes().replace(b'SizeX="6"', b'SizeX="9"'))
    record = read_image(path)
    assert (record.axes, record.spacing_um) == ("ZYX", {"X": 2})
    assert any("were read in their order" in note for note in record.notes)


MODULO = """<AnnotationRef ID="M"/></Image><StructuredAnnotations><XMLAnnotation ID="M"
 Namespace="openmicroscopy.org/omero/dimension/modulo"><Value><Modulo>
<ModuloAlong{} Type="lifetime" Start="0" Step="2" End="{}"/></Modulo></Value>
</XMLAnnotation></StructuredAnnotations>"""


@pytest.mark.parametrize("axis", ["Z", "C", "T"])
@pytest.mark.parametrize(("end", "shape"), [(2, (2, 2)), (6, (4,))])
def test_an_axis_inside_of_another_is_divided_once(
    tmp_path: Path, axis: str, end: int, shape: tuple[int, ...]
) -> None:
    text = OME.format("").replace('SizeZ="2"', 'SizeZ="1"')
    text = text.replace(f'Size{axis}="1"', f'Size{axis}="4"')
    text = text.replace("</Image>", MODULO.format(axis, end))
    values = np.arange(120, dtype=np.uint16).reshape(4, 5, 6)
    path = tmp_path / "a.ome.tif"
    form = {"metadata": None, "photometric": "minisblack"}
    tifffile.imwrite(path, values, description=text, **form)
    source = read_image(path)
    assert source.data.shape == (*shape, 5, 6)
    assert "along the axis 'lifetime'" in source.notes[-1]
    write_image(tmp_path / "b.ome.tif", source)
    found = read_image(tmp_path / "b.ome.tif")
    order = [source.axes.index(letter) for letter in found.axes]
    np.testing.assert_array_equal(found.data, source.data.transpose(order))
    assert not found.notes


def test_a_plate_without_its_other_images_is_kept_in_silence(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    path = tmp_path / "a.ome.tif"
    fields = "".join(
        f'<WellSample ID="WS:{k}" Index="{k}"><ImageRef ID="Image:{k}"/></WellSample>'
        for k in range(2)
    )
    plate = f'<Plate ID="P"><Well ID="W" Row="0" Column="0">{fields}</Well></Plate>'
    image = OME.format("").partition("<Image")[2].partition("</OME>")[0]
    other = image.replace("Image:0", "Image:1")
    other = other.replace("<TiffData", '<TiffData IFD="2" PlaneCount="2"')
    text = OME.format("").replace("</OME>", f"<Image{other}{plate}</OME>")
    tifffile.imwrite(
        path,
        np.zeros((4, 5, 6), np.uint16),
        description=text,
        metadata=None,
        photometric="minisblack",
    )
    recwarn.clear()
    record = read_image(path, series=1)
    assert 'ID="Image:1"' in record.ome_xml
    assert "Image:0" not in record.ome_xml
    assert not [one for one in recwarn if "ID" in str(one.message)]
