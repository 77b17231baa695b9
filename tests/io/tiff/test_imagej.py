"""ImageJ's own rules, from its FileInfo, TiffEncoder, FileOpener and Calibration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_inr_denoise import read_image, write_image
from napari_inr_denoise.io.record import Calibration, ImageRecord, Quantity

STACK = "images=5\nslices=5\n"
MOVIE = "images=5\nframes=5\n"


def _write(path: Path, lines: str, data: Any = None, **keywords: Any) -> Path:
    """Write a file with a description as ImageJ writes it."""
    keywords = {"resolution": (10, 10), "resolutionunit": "NONE"} | keywords
    tifffile.imwrite(
        path,
        np.zeros((5, 4, 6), np.uint16) if data is None else data,
        metadata=None,
        byteorder=">",
        photometric="minisblack",
        description=f"ImageJ=1.54f\n{lines}",
        **keywords,
    )
    return path


@pytest.mark.parametrize(
    ("lines", "sizes", "words"),
    [
        ("unit=um\nspacing=0.3\n", {"Z": 0.3, "Y": 0.1, "X": 0.1}, ""),
        ("unit=\\u00B5m\nspacing=2\n", {"Z": 2, "Y": 0.1, "X": 0.1}, ""),
        ("unit=micron\nspacing=2\n", {"Z": 2, "Y": 0.1, "X": 0.1}, ""),
        ("unit=nm\nzunit=um\nspacing=0.3\n", {"Z": 0.3, "Y": 1e-4, "X": 1e-4}, ""),
        ("unit=um\nyunit=mm\nspacing=2\n", {"Z": 2, "Y": 100, "X": 0.1}, ""),
        ("zunit=um\nspacing=2\n", {"Z": 2}, ""),
        ("unit=inch\nspacing=1\n", {"Z": 25400, "Y": 2540, "X": 2540}, ""),
        ("unit=um\n", {"Z": 1, "Y": 0.1, "X": 0.1}, "no distance of planes"),
        ("unit=nm\n", {"Z": 1e-3, "Y": 1e-4, "X": 1e-4}, "1 nm is used"),
        ("unit=um\nspacing=-0.3\n", {"Z": 0.3, "Y": 0.1, "X": 0.1}, "negative dist"),
        ("unit=um\nspacing=0\n", {"Y": 0.1, "X": 0.1}, "distance of planes of 0"),
        ("unit=um\nspacing=NaN\n", {"Y": 0.1, "X": 0.1}, "of nan; it is not"),
        ("unit=um\nspacing=0,3\n", {"Y": 0.1, "X": 0.1}, "of 0,3; it is not"),
        ("unit=pixel\nspacing=2\n", {}, ""),
        ("spacing=2\n", {}, ""),
        ("unit=um\nzunit=cubit\nspacing=2\n", {"Y": 0.1, "X": 0.1}, "'cubit'"),
    ],
)
def test_sizes_of_a_stack(
    tmp_path: Path, lines: str, sizes: dict[str, float], words: str
) -> None:
    record = read_image(_write(tmp_path / "a.tif", STACK + lines))
    assert record.spacing_um == pytest.approx(sizes)
    assert words in " ".join(record.notes)
    assert bool(words) == bool(record.notes)


@pytest.mark.parametrize(
    ("unit", "lines", "size"),
    [
        ("NONE", "unit=um\n", 0.1),
        ("NONE", "unit=cm\n", 1e3),
        ("CENTIMETER", "unit=cm\n", 1e3),
        ("CENTIMETER", "unit=um\n", 1e3),
        ("CENTIMETER", "unit=nm\n", 1e-4),
        ("CENTIMETER", "", 1e3),
        ("INCH", "unit=inch\n", 2540),
        ("INCH", "unit=um\n", 0.1),
        ("INCH", "", None),
    ],
)
def test_unit_of_the_resolution(
    tmp_path: Path, unit: str, lines: str, size: float | None
) -> None:
    path = _write(tmp_path / "a.tif", lines, np.zeros((4, 6)), resolutionunit=unit)
    record = read_image(path)
    assert record.spacing_um.get("X") == (size and pytest.approx(size))
    assert ("inches" in " ".join(record.notes)) == (size is None)


@pytest.mark.parametrize(
    ("lines", "step", "words"),
    [
        ("finterval=0.5\n", Quantity(0.5, "s"), ""),
        ("finterval=0.5\ntunit=msec\n", Quantity(0.5, "ms"), ""),
        ("finterval=2\ntunit=min\n", Quantity(2, "min"), ""),
        ("finterval=-2\ntunit=sec\n", Quantity(2, "s"), "negative frame interval"),
        ("finterval=2\ntunit=moons\n", None, "'moons'"),
        ("finterval=0\nfps=7\n", None, ""),
    ],
)
def test_time_step(
    tmp_path: Path, lines: str, step: Quantity | None, words: str
) -> None:
    record = read_image(_write(tmp_path / "a.tif", MOVIE + lines))
    assert record.axes == "TYX"
    assert record.stated.get("T") == step
    assert words in " ".join(record.notes)


@pytest.mark.parametrize("lines", [STACK, MOVIE])
@pytest.mark.parametrize("axes", ["ZYX", "TYX"])
def test_sizes_wait_for_the_right_axes(tmp_path: Path, lines: str, axes: str) -> None:
    sizes = {"ZYX": Quantity(0.3, "\u00b5m"), "TYX": Quantity(2, "ms")}
    lines += "unit=um\nspacing=0.3\nfinterval=2\ntunit=msec\n"
    record = read_image(_write(tmp_path / "a.tif", lines)).with_axes(axes)
    assert set(record.stated) == set(axes)
    assert record.stated[axes[0]] == sizes[axes]
    write_image(tmp_path / "b.ome.tif", record)
    assert read_image(tmp_path / "b.ome.tif").stated == record.stated


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize(
    ("lines", "axes", "words"),
    [
        ("images=12\nchannels=2\nslices=6\n", "ZCYX", ""),
        ("images=12\nchannels=2\nslices=4\n", "ZYX", "2 channels x 4 slices and"),
        ("images=12\nslices=24\n", "ZYX", "24 slices and holds 12"),
        ("slices=4\n", "ZYX", "taken for 12 slices"),
        ("images=12\nframes=abc\n", "ZYX", "taken for 12 slices"),
        ("images=12\n", "ZYX", "does not say"),
    ],
)
def test_dimensions_count_if_they_are_those_of_the_planes(
    tmp_path: Path, lines: str, axes: str, words: str, compression: str | None
) -> None:
    values = np.arange(12 * 4 * 6, dtype=np.uint16).reshape(12, 4, 6)
    path = _write(tmp_path / "a.tif", lines, values, compression=compression)
    record = read_image(path)
    assert record.axes == axes
    np.testing.assert_array_equal(record.data.reshape(values.shape), values)
    assert words in " ".join(record.notes)
    assert bool(words) == bool(record.notes)


SIGNED = "cf=0\nc0=-32768.0\nc1=1.0\nvunit=Gray Value\n"


@pytest.mark.parametrize(
    ("lines", "dtype", "offset", "slope", "words"),
    [
        (SIGNED, "u2", -32768, 1, "was applied"),
        (SIGNED, "i2", 0, 1, ""),  # ImageJ adds 32768 when it reads signed numbers
        ("cf=0\nc0=2\nc1=0.5\nvunit=OD\n", "u1", 2, 0.5, "was applied"),
        ("cf=0\nc0=2\nc1=0.5\nvunit=a\nzeroclip=true\n", "u1", 2, 0.5, "below 0"),
        ("cf=0\nc0=2\nc1=0.5\nvunit=OD\n", "f4", 0, 1, ""),
        ("cf=0\nc0=2\nc1=0.5\n", "u2", 0, 1, ""),
        ("cf=0\nc0=2\nc1=0\nvunit=OD\n", "u2", 0, 1, ""),
        ("cf=20\nvunit=OD\n", "u2", 0, 1, ""),
        ("cf=1\nc0=2\nc1=3\nc2=4\nvunit=OD\n", "u2", 0, 1, "no straight line"),
        ("cf=21\nvunit=Uncalibrated OD\n", "u1", 0, 1, "no straight line"),
    ],
)
def test_calibration_of_intensities(
    tmp_path: Path, lines: str, dtype: str, offset: float, slope: float, words: str
) -> None:
    stored = np.arange(24).reshape(4, 6).astype(dtype)
    path = _write(tmp_path / "a.tif", f"{lines}min=4.0\nmax=20.0\n", stored)
    record = read_image(path, lazy=True)
    np.testing.assert_array_equal(record.data, offset + slope * stored.astype(float))
    assert record.display_ranges == ((offset + 4 * slope, offset + 20 * slope),)
    assert words in " ".join(record.notes)
    assert bool(words) == bool(record.notes)
    assert (record.calibration is not None) == ("was applied" in str(record.notes))


@pytest.mark.parametrize("name", ["a.ome.tif", "a.ome.zarr"])
@pytest.mark.parametrize("lazy", [True, False])
def test_a_calibrated_image_is_written_in_its_own_numbers(
    tmp_path: Path, name: str, lazy: bool
) -> None:
    stored = np.random.default_rng(0).integers(0, 2**16, (4, 6), dtype=np.uint16)
    path = _write(tmp_path / "a.tif", f"{SIGNED}min=32768\nmax=33000\n", stored)
    source = read_image(path, lazy=lazy)
    assert source.calibration == Calibration(-32768, 1, "uint16", "Gray Value")
    write_image(tmp_path / name, source)
    again = read_image(tmp_path / name)
    np.testing.assert_array_equal(again.data, stored.astype(float) - 32768)
    assert again.display_ranges == ((0, 232),)
    assert again.calibration == source.calibration
    if name.endswith("tif"):
        np.testing.assert_array_equal(tifffile.imread(tmp_path / name), stored)


def test_rois_tables_and_ranges_are_kept_and_are_where_imagej_looks(
    tmp_path: Path,
) -> None:
    lut = np.stack([np.arange(256, dtype=np.uint8)] * 3)
    kept = {
        "ROI": b"Iout" + bytes(range(60)),
        "Overlays": [b"Iout" + bytes(range(1, 61)), b"Iout" + bytes(range(2, 62))],
        "Ranges": [1.0, 20.0, 3.0, 40.0],
        "LUTs": [lut, lut[::-1] // 2],
    }
    data = np.zeros((2, 4, 6), np.uint16)
    metadata = {"axes": "CYX", "Info": "slide 7", **kept}
    tifffile.imwrite(tmp_path / "a.tif", data, imagej=True, metadata=metadata)
    source = read_image(tmp_path / "a.tif")
    write_image(tmp_path / "a.ome.tif", source)
    assert read_image(tmp_path / "a.ome.tif") == source
    assert source.attributes["ImageJ"]["Info"] == "slide 7"
    with tifffile.TiffFile(tmp_path / "a.ome.tif") as tiff:
        found = tiff.pages.first.tags["IJMetadata"].value
    assert found["ROI"] == kept["ROI"]
    assert found["Overlays"] == kept["Overlays"]
    assert list(found["Ranges"]) == kept["Ranges"]
    np.testing.assert_array_equal(found["LUTs"], kept["LUTs"])


def test_attributes_that_only_look_like_imagejs_do_not_stop_a_write(
    tmp_path: Path,
) -> None:
    for own in ("text", {"ROI": "no base64!"}, {"Overlays": [5]}):
        record = ImageRecord(np.zeros((4, 6)), "YX", attributes={"ImageJ": own})
        write_image(tmp_path / "a.ome.tif", record)
        assert read_image(tmp_path / "a.ome.tif").attributes == {"ImageJ": own}
