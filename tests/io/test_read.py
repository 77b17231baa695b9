from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from imagecodecs import png_encode

from napari_inr_denoise import read_image
from napari_inr_denoise.io.record import ImageRecord


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
        assert read_image(path).spacing_um == pytest.approx(wanted)


def test_an_axis_without_a_meaning_becomes_z_and_is_said(tmp_path: Path) -> None:
    path = tmp_path / "pages.tif"
    tifffile.imwrite(path, np.zeros((7, 4, 5), np.uint8), metadata=None)
    record = read_image(path)
    assert record.axes == "ZYX"
    assert "taken for Z" in record.notes[0]


def test_the_plane_keeps_its_sizes_where_only_z_is_unknown() -> None:
    data = np.zeros((2, 3, 4))
    flat = ImageRecord(data, "ZYX", {"Y": 0.2, "X": 0.1})
    assert flat.spatial_spacing_um() == (0.1, 0.2, 0.1)
    assert ImageRecord(data, "ZYX", {"Z": 0.2, "X": 0.1}).spatial_spacing_um() is None


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


def test_damaged_sizes_cost_the_sizes_not_the_image(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    text = "ImageJ=1.54f\nimages=1\nunit=um\nspacing=abc\nfinterval=NaN s\n"
    tifffile.imwrite(path, np.ones((4, 5), np.uint8), description=text, metadata=None)
    record = read_image(path)
    assert record.data.shape == (4, 5)
    assert "could not be read" in record.notes[0]


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
    (tmp_path / "image.czi").touch()
    with pytest.raises(ValueError, match=r"got a file ending in \.czi"):
        read_image(tmp_path / "image.czi")


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
