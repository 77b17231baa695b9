from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from imagecodecs import png_encode

from napari_inr_denoise import read_image
from napari_inr_denoise.io.record import Quantity


def test_an_imagej_hyperstack(tmp_path: Path) -> None:
    data = np.arange(2 * 3 * 4 * 5 * 6, dtype=np.uint16).reshape(2, 3, 4, 5, 6)
    path = tmp_path / "stack.tif"
    metadata = {"axes": "TZCYX", "unit": "um", "spacing": 0.5, "finterval": 2.5}
    tifffile.imwrite(
        path, data, imagej=True, resolution=(1 / 0.1, 1 / 0.2), metadata=metadata
    )
    record = read_image(path)
    np.testing.assert_array_equal(record.data, data)
    assert record.axes == "TZCYX"
    assert record.spacing_um == pytest.approx({"Z": 0.5, "Y": 0.2, "X": 0.1})
    assert record.time_step_s == 2.5
    assert record.spatial_spacing_um() == pytest.approx((0.5, 0.2, 0.1))


def test_an_ome_tiff_with_other_units_and_channel_names(tmp_path: Path) -> None:
    data = np.zeros((2, 8, 9), np.float32)
    metadata = {
        "axes": "CYX",
        "PhysicalSizeX": 65.0,
        "PhysicalSizeXUnit": "nm",
        "PhysicalSizeY": 65.0,
        "PhysicalSizeYUnit": "nm",
        "Channel": {"Name": ["DAPI", "GFP"]},
    }
    path = tmp_path / "image.ome.tif"
    tifffile.imwrite(path, data, ome=True, metadata=metadata)
    record = read_image(path)
    assert record.axes == "CYX"
    assert record.spacing_um == pytest.approx({"Y": 0.065, "X": 0.065})
    assert record.channel_names == ("DAPI", "GFP")
    assert record.time_step_s is None


def test_a_plain_tiff_in_centimetres_has_a_size_and_one_in_inches_none(
    tmp_path: Path,
) -> None:
    for unit, wanted in (("CENTIMETER", {"Y": 0.5, "X": 0.25}), ("INCH", {})):
        path = tmp_path / f"{unit}.tif"
        data = np.zeros((4, 5), np.uint8)
        tifffile.imwrite(
            path, data, resolution=(40000, 20000), resolutionunit=unit, metadata=None
        )
        record = read_image(path)
        assert record.spacing_um == pytest.approx(wanted)
        assert ("inches" in " ".join(record.notes)) == (unit == "INCH")


def test_an_axis_without_a_meaning_becomes_z_and_is_said(tmp_path: Path) -> None:
    path = tmp_path / "pages.tif"
    tifffile.imwrite(path, np.zeros((7, 4, 5), np.uint8), metadata=None)
    record = read_image(path)
    assert record.axes == "ZYX"
    assert "taken for Z" in record.notes[0]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(("shape", "axes"), [((6, 7), "YX"), ((6, 7, 3), "YXS")])
def test_png(
    tmp_path: Path, shape: tuple[int, ...], axes: str, dtype: type[np.integer]
) -> None:
    data = (np.arange(np.prod(shape)) * 2).reshape(shape).astype(dtype)
    (tmp_path / "image.png").write_bytes(png_encode(data))
    record = read_image(tmp_path / "image.png")
    assert record.axes == axes
    np.testing.assert_array_equal(record.data, data)


@pytest.mark.parametrize(("unit", "size"), [("MILLIMETER", 1), ("MICROMETER", 1e-3)])
def test_a_plain_tiff_in_other_metric_units(
    tmp_path: Path, unit: str, size: float
) -> None:
    tifffile.imwrite(
        tmp_path / "a.tif", np.ones((4, 5)), resolution=(1e3, 1e3), resolutionunit=unit
    )
    assert read_image(tmp_path / "a.tif").spacing_um == {"Y": size, "X": size}


def test_a_table_of_colours_is_that_of_its_image(tmp_path: Path) -> None:
    table = np.zeros((3, 256), np.uint16)
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        plane = np.ones((4, 5), np.uint8)
        writer.write(plane, photometric="palette", colormap=table, metadata=None)
        writer.write(np.ones((6, 7), np.uint16), metadata=None)
    assert "a table" in " ".join(read_image(tmp_path / "a.tif").notes)
    assert read_image(tmp_path / "a.tif", series=1).notes == ()


def test_damaged_sizes_cost_the_sizes_not_the_image(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    text = "ImageJ=1.54f\nimages=2\nslices=2\nunit=um\nspacing=abc\nfinterval=NaN s\n"
    values = np.ones((2, 4, 5), np.uint8)
    tifffile.imwrite(path, values, description=text, metadata=None, resolution=(2, 2))
    record = read_image(path)
    assert record.spacing_um == {"Y": 0.5, "X": 0.5}
    assert "distance of planes of abc" in record.notes[0]


@pytest.mark.parametrize("content", [b"", b"II*\0nonsense", b"\0" * 100])
@pytest.mark.parametrize("name", ["bad.tif", "bad.png"])
def test_a_damaged_file_gives_a_sentence(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match="could not be read"):
        read_image(tmp_path / name)


def test_a_missing_or_foreign_file_gives_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such file"):
        read_image(tmp_path / "none.tif")
    with pytest.raises(ValueError, match="got a folder, wanted an image"):
        read_image(tmp_path)
    (tmp_path / "image.xyz").touch()
    with pytest.raises(ValueError, match=r"got a file ending in \.xyz"):
        read_image(tmp_path / "image.xyz")


def _with_tag(path: Path, name: str, value: int) -> Path:
    """Write a small file, and another number into a tag of it."""
    tifffile.imwrite(path, np.zeros((16, 16), np.uint16), metadata=None)
    with tifffile.TiffFile(path) as tiff:
        place = tiff.pages.first.tags[name].valueoffset
    content = bytearray(path.read_bytes())
    content[place : place + 2] = value.to_bytes(2, "little")
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("name", "value"), [("Compression", 34676), ("BitsPerSample", 48)]
)
def test_what_is_only_unsupported_is_not_called_damaged(
    tmp_path: Path, name: str, value: int
) -> None:
    path = _with_tag(tmp_path / "a.tif", name, value)
    with pytest.raises(ValueError, match="kind that is not supported") as error:
        read_image(path)
    assert "damaged" not in str(error.value)


def test_more_axes_than_letters_are_not_called_damaged(tmp_path: Path) -> None:
    values = np.zeros((2, 2, 2, 2, 2, 8, 8), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="minisblack")
    with pytest.raises(ValueError, match="got 7 axes, wanted at most"):
        read_image(tmp_path / "a.tif")


def test_real_files_are_read_with_their_sizes(data_folder: Path) -> None:
    record = read_image(data_folder / "stacks" / "xyzc_16bit__dna_conf_wf.tif")
    assert record.axes == "ZCYX"
    assert record.data.shape == (45, 2, 130, 133)
    assert record.spacing_um["Z"] == pytest.approx(0.4994126)
    assert record.spacing_um["X"] == pytest.approx(1e6 / 1953591)


def test_every_odd_file_is_read(data_folder: Path) -> None:
    paths = sorted((data_folder / "tiff_odd").glob("*.tif*"))
    assert len(paths) > 15
    for path in paths:
        record = read_image(path)
        assert set(record.axes) <= set("TCZYXS")
        assert record.data.size > 0


def test_the_files_own_units_come_back(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    metadata = {"axes": "TYX", "unit": "nm", "finterval": 250.0, "tunit": "ms"}
    tifffile.imwrite(
        path,
        np.zeros((2, 4, 5), np.uint8),
        imagej=True,
        resolution=(0.02, 0.01),
        metadata=metadata,
    )
    record = read_image(path)
    assert record.stated["X"] == Quantity(50.0, "nm")
    assert record.stated["T"] == Quantity(250.0, "ms")
    assert record.spacing_um == {"Y": 0.1, "X": 0.05}
    assert record.time_step_s == 0.25


def test_a_unit_that_is_unknown_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    metadata = {"axes": "YX", "unit": "cubit"}
    tifffile.imwrite(path, np.zeros((4, 5), np.uint8), imagej=True, metadata=metadata)
    record = read_image(path)
    assert record.spacing_um == {}
    assert "'cubit'" in record.notes[0]


@pytest.mark.parametrize("dtype", ["u4", "i8", "u8"])
def test_whole_numbers_that_float32_rounds_are_said(tmp_path: Path, dtype: str) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.full((4, 5), 2**25 + 1, dtype))
    record = read_image(tmp_path / "a.tif")
    assert record.data[0, 0] == 2**25 + 1
    assert "are rounded" in record.notes[-1]


@pytest.mark.parametrize("bits", [1, 10, 12, 14])
def test_packed_bits_are_read_plane_by_plane(
    tmp_path: Path, rng: np.random.Generator, bits: int
) -> None:
    values = rng.integers(0, 2**bits, (5, 16, 21), dtype=np.uint16)
    kind = values.astype(bool) if bits == 1 else values
    path = tmp_path / "a.tif"
    if bits == 1:
        tifffile.imwrite(path, kind, photometric="minisblack")
    else:
        _write_packed(path, values, bits)
    lazy = read_image(path, lazy=True).data
    assert np.array_equal(lazy[3], kind[3])
    assert lazy._whole is None


def _write_packed(path: Path, values: np.ndarray, bits: int) -> None:
    """Write pages of bit-packed values; each row is padded to bytes."""
    from imagecodecs import packints_encode

    with tifffile.TiffWriter(path) as writer:
        for page in values:
            rows = b"".join(packints_encode(row, bits) for row in page)
            writer.write(
                iter([rows]),
                shape=page.shape,
                dtype=page.dtype,
                bitspersample=bits,
                photometric="minisblack",
                rowsperstrip=page.shape[0],
                metadata=None,
            )


@pytest.mark.parametrize("ome", [True, False])
def test_the_full_level_of_a_pyramid_is_read(
    tmp_path: Path, rng: np.random.Generator, ome: bool
) -> None:
    values = rng.integers(0, 99, (2, 128, 96), dtype=np.uint16)
    path = tmp_path / ("a.ome.tif" if ome else "a.tif")
    with tifffile.TiffWriter(path, bigtiff=True, ome=ome) as writer:
        keywords: dict[str, Any] = {"tile": (32, 32), "photometric": "minisblack"}
        writer.write(values, subifds=1, metadata={"axes": "ZYX"}, **keywords)
        writer.write(values[:, ::2, ::2], subfiletype=1, **keywords)
    record = read_image(path, lazy=True)
    assert record.axes == "ZYX"
    assert np.array_equal(record.data, values)
    assert not (ome and record.notes)


def test_a_set_of_files_is_one_image(data_folder: Path) -> None:
    folder = data_folder / "tiff_odd" / "ome_multifile"
    record = read_image(folder / "multifile-Z1.ome.tiff", lazy=True)
    assert record.data.shape == (5, 24, 18)
    for k in range(5):
        part = tifffile.imread(folder / f"multifile-Z{k + 1}.ome.tiff", key=0)
        assert np.array_equal(record.data[k], part)
    other = read_image(folder / "multifile-Z2.ome.tiff")
    assert "multifile-Z1.ome.tiff" in other.notes[0]


@pytest.mark.parametrize(
    "compression",
    ["lzw", "zlib", "zstd", "packbits", "lzma", "webp", "jpegxl", "jpeg2000", "png"],
)
def test_compressions(
    tmp_path: Path, rng: np.random.Generator, compression: str
) -> None:
    values = rng.integers(0, 99, (2, 32, 48, 3), dtype=np.uint8)
    path = tmp_path / "a.tif"
    arguments = {"lossless": True} if compression in ("webp", "jpegxl") else None
    tifffile.imwrite(
        path,
        values,
        photometric="rgb",
        compression=compression,
        compressionargs=arguments,
        tile=(16, 16),
    )
    lazy = read_image(path, lazy=True).data
    assert np.array_equal(lazy[1, 3:9], tifffile.imread(path)[1, 3:9])
