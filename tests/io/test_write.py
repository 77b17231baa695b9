from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr
from ome_types import from_tiff

from napari_inr_denoise import read_image, write_image
from napari_inr_denoise.io.ome_zarr import writer as write_zarr
from napari_inr_denoise.io.provenance import read_provenance
from napari_inr_denoise.io.record import ImageRecord
from napari_inr_denoise.io.tiff import writer as write_module
from napari_inr_denoise.io.tiff.lazy import TiffArray


def test_others_read_it_too(tmp_path: Path) -> None:
    record = ImageRecord(
        np.zeros((2, 3, 4, 5), np.float32),
        "TZYX",
        {"Z": 0.3, "Y": 0.1, "X": 0.2},
        time_step_s=2.5,
    )
    path = tmp_path / "a.ome.tif"
    write_image(path, record)
    pixels = from_tiff(path).images[0].pixels
    sizes = (pixels.physical_size_z, pixels.physical_size_y, pixels.physical_size_x)
    assert sizes == (0.3, 0.1, 0.2)
    assert pixels.time_increment == 2.5
    with tifffile.TiffFile(path) as tiff:
        assert tiff.series[0].axes == "TZYX"
    assert path.stat().st_mode & 0o044 == 0o044 & ~_umask()


def _umask() -> int:
    import os

    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.parametrize("samples", [2, 3, 4])
def test_rgb_and_alpha(tmp_path: Path, rng: np.random.Generator, samples: int) -> None:
    data = rng.random((6, 7, samples)).astype(np.float32)
    write_image(tmp_path / "a.ome.tif", ImageRecord(data, "YXS"))
    found = read_image(tmp_path / "a.ome.tif")
    assert found.axes == "YXS"
    np.testing.assert_array_equal(found.data, data)


def test_the_provenance_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.tif"
    record = ImageRecord(np.zeros((4, 5), np.float32), "YX")
    write_image(path, record, {"seed": 3, "text": 'quotes " <xml> & µ'})
    assert read_provenance(path) == {"seed": 3, "text": 'quotes " <xml> & µ'}
    write_image(path, record)
    assert read_provenance(path) is None
    xml = "<OME>napari-inr-denoise<broken</OME>"
    tifffile.imwrite(tmp_path / "b.ome.tif", record.data, description=xml)
    assert read_provenance(tmp_path / "b.ome.tif") is None
    (tmp_path / "b.ome.tif").write_bytes(b"no tiff")
    assert read_provenance(tmp_path / "b.ome.tif") is None


def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.ome.tif"
    record = ImageRecord(np.zeros((4, 5), np.float32), "YX")
    write_image(path, record)
    before = path.read_bytes()

    def fail(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(tifffile.TiffWriter, "write", fail)
    with pytest.raises(OSError, match="disk full"):
        write_image(path, record)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.ome.tif"]


@pytest.mark.parametrize("dtype", ["f2", "i8", "u8", "c8"])
def test_types_that_ome_tiff_cannot_hold_are_refused(
    tmp_path: Path, dtype: str
) -> None:
    record = ImageRecord(np.zeros((4, 5), dtype), "YX")
    with pytest.raises(TypeError, match="OME-TIFF cannot hold"):
        write_image(tmp_path / "a.ome.tif", record)
    assert not list(tmp_path.iterdir())


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"ends in \.ome\.tif"):
        write_image(tmp_path / "a.tif", ImageRecord(np.zeros((4, 5)), "YX"))


@pytest.mark.parametrize("axes", ["XYTZ", "ZCYX", "SZYX", "YX", "CXYS"])
@pytest.mark.parametrize("most", [0, 10**9], ids=["tiles", "pages"])
def test_values_may_be_read_part_by_part(
    tmp_path: Path,
    rng: np.random.Generator,
    monkeypatch: pytest.MonkeyPatch,
    axes: str,
    most: int,
) -> None:
    monkeypatch.setattr(write_module, "_MAX_STRIP_PIXELS", most)
    monkeypatch.setattr(write_module, "_TILE_SIDE", 32)
    sizes = {"T": 2, "C": 3, "Z": 4, "Y": 70, "X": 50, "S": 3}
    shape = tuple(sizes[letter] for letter in axes)
    values = rng.integers(0, 60000, shape, dtype=np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", values.reshape(-1, shape[-1]))
    lazy = _Reshaped(TiffArray(tmp_path / "a.tif"), shape)
    write_image(tmp_path / "b.ome.tif", ImageRecord(lazy, axes))
    found = read_image(tmp_path / "b.ome.tif")
    order = [axes.index(letter) for letter in found.axes]
    assert np.array_equal(found.data, values.transpose(order))


class _Reshaped:
    """A lazy array of another shape."""

    def __init__(self, lazy: TiffArray, shape: tuple[int, ...]) -> None:
        self._lazy, self.shape, self.ndim = lazy, shape, len(shape)
        self.dtype = lazy.dtype

    def __getitem__(self, selection: tuple[int | slice, ...]) -> np.ndarray:
        return np.asarray(self._lazy).reshape(self.shape)[selection]


def test_a_zarr_that_failed_leaves_the_old_one_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.zarr"
    record = ImageRecord(np.ones((3, 4, 5), np.float32), "TYX")
    write_image(path, record)

    class Broken:
        shape, ndim, dtype = (3, 4, 5), 3, np.dtype(np.float32)

        def __getitem__(self, selection: tuple[int, ...]) -> np.ndarray:
            if selection[0] == 1:
                raise OSError("disk full")
            return np.zeros((4, 5), np.float32)

    with pytest.raises(OSError, match="disk full"):
        write_image(path, replace(record, data=Broken()))
    assert np.array_equal(read_image(path).data, record.data)
    assert [file.name for file in tmp_path.iterdir()] == ["a.ome.zarr"]
    write_image(path, replace(record, data=record.data * 2))
    assert read_image(path).data.max() == 2
    assert [file.name for file in tmp_path.iterdir()] == ["a.ome.zarr"]


def test_what_a_zarr_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zarr").touch()
    (tmp_path / "b").mkdir()
    with pytest.raises(FileExistsError, match="is not a Zarr"):
        write_image(tmp_path / "a.zarr", ImageRecord(np.zeros((4, 5)), "YX"))
    with pytest.raises(ValueError, match="got 5 samples a pixel"):
        write_image(tmp_path / "c.zarr", ImageRecord(np.zeros((4, 5, 5)), "YXS"))
    assert not (tmp_path / "c.zarr").exists()
    with pytest.raises(TypeError, match="OME-Zarr cannot hold"):
        write_image(tmp_path / "c.zarr", ImageRecord(np.zeros((4, 5), "c8"), "YX"))


def test_large_planes_are_chunks_of_a_zarr(
    tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_zarr, "_MAX_CHUNK_PIXELS", 100)
    monkeypatch.setattr(write_zarr, "_TILE_SIDE", 16)
    values = rng.integers(0, 9, (30, 2, 40)).astype(np.uint8)
    write_image(tmp_path / "a.zarr", ImageRecord(values, "YTX"))
    assert zarr.open_array(tmp_path / "a.zarr" / "0").chunks == (1, 16, 16)
    found = read_image(tmp_path / "a.zarr", lazy=True)
    assert np.array_equal(found.data, values.transpose(1, 0, 2))
    assert np.array_equal(pickle.loads(pickle.dumps(found.data))[1], values[:, 1])
