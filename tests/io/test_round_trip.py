"""Round trips of records through both formats."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ome_types import from_tiff, from_xml
from ome_types._conversion import validate_xml

from napari_inr_denoise import read_image, write_image
from napari_inr_denoise.io.provenance import read_provenance
from napari_inr_denoise.io.record import ImageRecord, Quantity

SIZES = {"T": 2, "C": 3, "Z": 4, "Y": 7, "X": 6, "S": 3}
LENGTHS = ["\u00b5m", "nm", "mm", "\u00c5", "pm", "in", "pixel"]
TIMES = ["s", "ms", "\u00b5s", "min", "h"]
NOT_XML = st.characters(
    exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"
)
FAST = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@st.composite
def records(draw: st.DrawFn, outer: str = "TCZ", dtypes: str = "u1 u2 f4") -> Any:
    """Draw a record with any of its fields set or empty."""
    letters = [*draw(st.lists(st.sampled_from(outer), unique=True)), "Y", "X"]
    axes = "".join(draw(st.permutations(letters)))
    sizes = {a: draw(st.sampled_from([1, SIZES[a]])) for a in axes if a != "S"}
    shape = tuple(sizes.get(a, SIZES["S"]) for a in axes)
    dtype = draw(st.sampled_from([*dtypes.split(), ">u2", "i2", "f8", "?"]))
    record = ImageRecord(np.arange(np.prod(shape)).reshape(shape).astype(dtype), axes)
    value = st.floats(1e-6, 1e6)
    stated = {
        a: Quantity(draw(value), draw(st.sampled_from(TIMES if a == "T" else LENGTHS)))
        for a in axes
        if a in "TZYX" and draw(st.booleans())
    }
    record = replace(
        record.with_stated(stated),
        origin={a: draw(value) for a in stated if draw(st.booleans())},
        flipped=draw(st.sampled_from(["", *stated])),
    )
    return replace(record, **draw(_channels(record.size_of("C"))))


def _channels(count: int) -> st.SearchStrategy[dict[str, Any]]:
    """Draw channel metadata: one value per channel, or an empty tuple."""

    def each(one: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
        lists = st.lists(one, min_size=count, max_size=count).map(tuple)
        return st.just(()) | lists.filter(any)

    finite = st.floats(-1e9, 1e9)
    text = st.text(NOT_XML, max_size=8)
    return st.fixed_dictionaries(
        {
            "channel_names": each(text),
            "channel_colours": each(
                st.just("") | st.from_regex("#[0-9a-f]{6}", fullmatch=True)
            ),
            "display_ranges": each(st.none() | st.tuples(finite, finite)),
            "luts": each(st.binary(min_size=768, max_size=768)),
            "attributes": st.dictionaries(text.map("own {}".format), text, max_size=2),
        }
    )


def _check(path: Path, record: ImageRecord, order: str) -> None:
    found = read_image(path)
    wanted = "".join(a for a in order if a in record.axes)
    assert found.axes == wanted
    values = np.asarray(record.data).transpose([record.axes.index(a) for a in wanted])
    np.testing.assert_array_equal(found.data, values)
    stored = np.uint8 if values.dtype == bool else values.dtype
    assert found.data.dtype == np.dtype(stored).newbyteorder("=")
    for field in fields(ImageRecord):
        if field.name not in ("data", "axes", "notes", "ngff_version"):
            assert getattr(found, field.name) == getattr(record, field.name), field.name


@FAST
@given(record=records("TCZS"))
def test_an_ome_tiff_comes_back_equal(
    record: ImageRecord, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("tiff") / "a.ome.tif"
    write_image(path, record, {"seed": 1})
    _check(path, record, "TCZYXS")
    with tifffile.TiffFile(path) as tiff:
        xml = tiff.ome_metadata or ""
        np.testing.assert_array_equal(
            tiff.series[0].asarray().ravel(), np.asarray(read_image(path).data).ravel()
        )
    validate_xml(xml)
    pixels = from_tiff(path).images[0].pixels
    for axis in set(record.stated) - {"T"}:
        name = f"physical_size_{axis.lower()}"
        size = getattr(pixels, name), getattr(pixels, f"{name}_unit").value
        assert size == record.stated[axis]
    names = tuple(channel.name or "" for channel in pixels.channels)
    assert names == record.channel_names or not record.channel_names


@FAST
@given(
    record=records("TCZS", dtypes="u1 i8 f2 f4"),
    version=st.sampled_from(["", "0.4", "0.5"]),
)
def test_an_ome_zarr_comes_back_equal(
    record: ImageRecord, version: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("zarr") / "a.ome.zarr"
    write_image(path, replace(record, ngff_version=version), {"seed": 1})
    _check(path, record, "TCZYXS")
    assert read_image(path).ngff_version == (version or "0.5")
    assert read_provenance(path) == {"seed": 1}
    group = zarr.open_group(path, mode="r")
    assert group.metadata.zarr_format == (2 if version == "0.4" else 3)


OME = """<?xml version="1.0" encoding="UTF-8"?>
<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:1">
<Instrument ID="Instrument:0"><Objective ID="Objective:0" LensNA="1.4"/></Instrument>
<Image ID="Image:0" Name="Zellen \u00e4">
<AcquisitionDate>2020-01-02T03:04:05</AcquisitionDate>
<InstrumentRef ID="Instrument:0"/>
<Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" SizeX="6" SizeY="5"
 SizeC="2" SizeZ="1" SizeT="1" PhysicalSizeX="65" PhysicalSizeXUnit="nm">
<Channel ID="Channel:0:0" Name="DAPI" EmissionWavelength="461" Color="65535"/>
<Channel ID="Channel:0:1"/><TiffData IFD="0" PlaneCount="2"/>
<Plane TheZ="0" TheC="0" TheT="0" DeltaT="0.5" PositionX="12.5"/></Pixels>
<AnnotationRef ID="Annotation:9"/></Image>
<StructuredAnnotations><MapAnnotation ID="Annotation:9"><Value>
<M K="stain">blue &amp; green</M></Value></MapAnnotation></StructuredAnnotations>
</OME>"""


@pytest.fixture
def annotated(tmp_path: Path) -> Path:
    path = tmp_path / "source.ome.tif"
    values = np.arange(60, dtype=np.uint16).reshape(2, 5, 6)
    tifffile.imwrite(
        path,
        values,
        description=OME.encode(),
        metadata=None,
        photometric="minisblack",
    )
    return path


def test_what_else_ome_xml_says_is_kept(annotated: Path) -> None:
    source = read_image(annotated)
    assert source.stated == {"X": Quantity(65.0, "nm")}
    assert (source.channel_names, source.channel_colours) == (
        ("DAPI", ""),
        ("#0000ff", ""),
    )
    target = annotated.with_name("result.ome.tif")
    result = np.asarray(source.data).astype(np.float32)
    write_image(target, replace(source, data=result), {"seed": 1})
    ome = from_tiff(target)
    assert ome.images[0].name == "Zellen \u00e4"
    assert ome.images[0].acquisition_date is not None
    assert ome.images[0].pixels.type.value == "float"
    assert ome.images[0].pixels.channels[0].emission_wavelength == 461
    assert ome.images[0].pixels.planes[0].position_x == 12.5
    assert ome.instruments[0].objectives[0].lens_na == 1.4
    assert {a.id for a in ome.structured_annotations} >= {"Annotation:9"}
    again = read_image(target)
    assert again == source
    with tifffile.TiffFile(target) as tiff:
        validate_xml(tiff.ome_metadata or "")


def test_ome_xml_goes_through_a_zarr(annotated: Path) -> None:
    source = read_image(annotated)
    write_image(annotated.with_name("a.zarr"), source)
    there = read_image(annotated.with_name("a.zarr"))
    assert there.ome_xml == source.ome_xml
    write_image(annotated.with_name("b.ome.tif"), there)
    back = read_image(annotated.with_name("b.ome.tif"))
    assert replace(back, ngff_version="") == source


def test_planes_that_no_longer_fit_are_dropped(annotated: Path) -> None:
    source = read_image(annotated)
    target = annotated.with_name("result.ome.tif")
    write_image(target, replace(source.with_axes("TYX"), data=source.data))
    pixels = from_tiff(target).images[0].pixels
    assert (pixels.size_t, pixels.size_c, pixels.planes) == (2, 1, [])


def test_channels_are_kept_while_their_number_is(annotated: Path) -> None:
    source = read_image(annotated)
    stack = np.stack([source.data[:, :4]] * 3, axis=1)
    write_image(
        annotated.with_name("b.ome.tif"), replace(source, data=stack, axes="CZYX")
    )
    pixels = from_tiff(annotated.with_name("b.ome.tif")).images[0].pixels
    assert (pixels.size_z, pixels.size_y, pixels.planes) == (3, 4, [])
    assert [one.emission_wavelength for one in pixels.channels] == [461, None]
    assert pixels.channels[0].name == "DAPI"


@pytest.mark.parametrize(("before", "after"), [("ZSYX", "ZCYX"), ("ZCYX", "ZSYX")])
def test_samples_that_are_channels_are_written_as_such(
    tmp_path: Path, before: str, after: str
) -> None:
    values = np.arange(2 * 3 * 8 * 9, dtype=np.uint8).reshape(2, 3, 8, 9)
    form = {"photometric": "rgb"} if "S" in before else {"photometric": "minisblack"}
    form |= {"planarconfig": "separate"} if "S" in before else {}
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(path, values, ome=True, metadata={"axes": before}, **form)
    record = read_image(path)
    assert record.axes == before
    write_image(tmp_path / "b.ome.tif", record.with_axes(after))
    found = read_image(tmp_path / "b.ome.tif")
    wanted = "CZYX" if "C" in after else "ZYXS"
    assert (found.axes, found.notes) == (wanted, ())
    order = [after.index(letter) for letter in wanted]
    np.testing.assert_array_equal(found.data, values.transpose(order))


def test_attributes_of_a_zarr_are_kept(tmp_path: Path) -> None:
    omero = {
        "id": 7,
        "rdefs": {"model": "color"},
        "channels": [
            {
                "label": "DAPI",
                "color": "0000FF",
                "active": True,
                "window": {"min": 0.0, "max": 255.0, "start": 3.0, "end": 90.0},
            }
        ],
    }
    scale = [1.0, 1.0, 0.5, 0.1, 0.1]
    axes = [{"name": n, "type": "space"} for n in "tczyx"]
    axes[0]["type"], axes[1]["type"] = "time", "channel"
    for axis in axes[2:]:
        axis["unit"] = "micrometer"
    pyramid = {
        "name": "cells",
        "version": "0.4",
        "axes": axes,
        "datasets": [
            {
                "path": "full",
                "coordinateTransformations": [{"type": "scale", "scale": scale}],
            },
            {"path": "half", "coordinateTransformations": []},
        ],
    }
    attributes = {"multiscales": [pyramid], "omero": omero, "lab": {"room": 5}}
    group = zarr.create_group(tmp_path / "a.zarr", zarr_format=2, attributes=attributes)
    values = np.arange(60, dtype="u2").reshape(1, 1, 3, 4, 5)
    group.create_array("full", data=values)
    source = read_image(tmp_path / "a.zarr", lazy=True)
    assert source.axes == "TCZYX"
    assert source.spacing_um == {"Z": 0.5, "Y": 0.1, "X": 0.1}
    assert source.display_ranges == ((3.0, 90.0),)
    np.testing.assert_array_equal(source.data[0, 0, ::-1, 1], values[0, 0, ::-1, 1])
    write_image(tmp_path / "b.zarr", source)
    again = read_image(tmp_path / "b.zarr")
    assert again == source
    written = json.loads((tmp_path / "b.zarr" / ".zattrs").read_text())
    assert written["omero"] == omero
    assert written["lab"] == {"room": 5}
    assert written["multiscales"][0]["name"] == "cells"


def test_imagej_ranges_and_tables_come_back(data_folder: Path, tmp_path: Path) -> None:
    for path in sorted(data_folder.glob("stacks/xy*.tif")):
        source = read_image(path)
        assert source.display_ranges
        assert "ImageJ" in source.attributes
        write_image(tmp_path / "a.ome.tif", source)
        again = read_image(tmp_path / "a.ome.tif")
        order = [source.axes.index(letter) for letter in again.axes]
        np.testing.assert_array_equal(again.data, source.data.transpose(order))
        assert replace(again, axes=source.axes) == source


def test_the_pixel_size_is_in_the_tags_too(tmp_path: Path) -> None:
    record = ImageRecord(np.zeros((4, 5), "u1"), "YX", {"Y": 0.5, "X": 0.25})
    write_image(tmp_path / "a.ome.tif", record)
    with tifffile.TiffFile(tmp_path / "a.ome.tif") as tiff:
        assert tiff.pages.first.get_resolution("micrometer") == pytest.approx((4, 2))


def test_characters_that_xml_cannot_hold_do_not_stop_a_write(tmp_path: Path) -> None:
    record = ImageRecord(np.zeros((4, 5), "u1"), "YX", channel_names=("a\0b",))
    write_image(tmp_path / "a.ome.tif", record)
    assert read_image(tmp_path / "a.ome.tif").channel_names == ("a\ufffdb",)
    assert from_xml(tifffile.TiffFile(tmp_path / "a.ome.tif").ome_metadata or "")
