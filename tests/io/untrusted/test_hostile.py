"""Files made to crash readers give an image or a message, in 10 s and 1 GB."""

from __future__ import annotations

import io
import json
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import zarr
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from napari_inr_denoise import read_image, write_image
from napari_inr_denoise.io.record import ImageRecord
from tests.io.hostile_files import (
    read_in_a_gigabyte,
    write_ome_tiff,
    write_png,
    write_zarr,
)


def test_odd_and_damaged_files(data_folder: Path) -> None:
    paths = sorted((data_folder / "tiff_odd").rglob("*.tif*"))
    found = read_in_a_gigabyte(paths)
    damaged = {path.name for path in paths if path.parent.name == "damaged"}
    # The loop of pages is cut, and its two pages are read.
    failed = {name for name, said in found.items() if said != "read"}
    assert failed == {name for name in damaged if "loop" not in name}


def test_odd_files_are_read_as_tifffile_reads_them(data_folder: Path) -> None:
    for path in sorted((data_folder / "tiff_odd").rglob("*.tif*")):
        if path.parent.name == "damaged" and "loop" not in path.name:
            continue
        np.testing.assert_array_equal(read_image(path).data, tifffile.imread(path))


def _tags(path: Path, **values: int | tuple[int, ...]) -> None:
    """Overwrite tags of the first page."""
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        for name, value in values.items():
            tiff.pages.first.tags[name].overwrite(value)


def _ome(pixels: str, inside: str = "", head: str = "") -> str:
    return (
        f'<?xml version="1.0"?>{head}<OME xmlns="http://www.openmicroscopy.org/'
        f'Schemas/OME/2016-06"><Image ID="Image:0"><Pixels ID="Pixels:0" '
        f'DimensionOrder="XYZCT" Type="uint8" SizeX="6" SizeY="5" {pixels}>'
        f"{inside}</Pixels></Image></OME>"
    )


def _bombs(folder: Path) -> list[Path]:
    """Make one file of each kind."""
    zeros = np.zeros((64, 64), np.uint8)
    for name, keywords in (
        ("strips", {"compression": "zlib"}),
        ("tiles", {"compression": "lzw", "tile": (64, 64)}),
        ("plain", {}),
        ("zstd", {"compression": "zstd", "tile": (64, 64)}),
    ):
        path = folder / f"{name}.tif"
        tifffile.imwrite(path, zeros, **keywords)
        _tags(path, ImageWidth=2**20, ImageLength=2**20)
        if "tile" in keywords:
            _tags(path, TileWidth=2**20, TileLength=2**20)
        elif name == "strips":
            _tags(path, RowsPerStrip=2**20)
    imagej = "ImageJ=1.54f\nimages=2000000000\nslices=2000000000\nhyperstack=true\n"
    tifffile.imwrite(folder / "imagej.tif", zeros, description=imagej, metadata=None)
    shaped = json.dumps({"shape": [10**9, 64, 64]})
    tifffile.imwrite(folder / "shaped.tif", zeros, description=shaped, metadata=None)
    one = 'SizeZ="1" SizeC="1" SizeT="1"'
    entity = '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
    for name, xml in {
        "planes": _ome(
            'SizeZ="1000000" SizeC="1000" SizeT="1000"', '<TiffData IFD="0"/>'
        ),
        "count": _ome(one, '<TiffData IFD="0" PlaneCount="2000000000"/>'),
        "entities": _ome(one, "&b;", entity),
        "steps": _ome(
            one,
            '<TiffData IFD="0"/><A><ModuloAlongZ Start="0" End="1e12" Step="1"/></A>',
        ),
        **{
            f"outside{k}": _ome(
                'SizeZ="2" SizeC="1" SizeT="1"',
                f'<TiffData IFD="0" FirstZ="1" PlaneCount="1"><UUID FileName="{name}">'
                "urn:uuid:2</UUID></TiffData>",
            )
            for k, name in enumerate(
                ("../x.tif", "/etc/passwd", "a/b.tif", "C:\\x.tif")
            )
        },
    }.items():
        write_ome_tiff(folder / f"{name}.ome.tif", xml)
    # It declares 65 000 x 65 000 pixels of 16 bits.
    huge = write_png(folder / "huge.png", 65000, 16, zlib.compress(bytes(10**6)))
    return [*sorted(folder.glob("*.tif")), huge]


def test_bombs_are_refused(tmp_path: Path) -> None:
    found = read_in_a_gigabyte(_bombs(tmp_path))
    # tifffile reads the page without the description if they contradict.
    readable = {"imagej.tif", "shaped.tif"}
    assert {name for name, said in found.items() if said == "read"} <= readable
    for name, said in found.items():
        if name.startswith("outside"):
            assert "outside the folder" in said


def test_no_file_outside_the_folder_is_opened(tmp_path: Path) -> None:
    """Neither by a path nor by a link."""
    inner = tmp_path / "inner"
    inner.mkdir()
    secret = tmp_path / "secret.tif"
    tifffile.imwrite(secret, np.full((5, 6), 7, np.uint8))
    (inner / "link.tif").symlink_to(secret)
    for name in ("../secret.tif", str(secret), "link.tif"):
        inside = '<TiffData IFD="0" PlaneCount="1"/><TiffData IFD="0" FirstZ="1" '
        inside += f'PlaneCount="1"><UUID FileName="{name}">urn:uuid:2</UUID></TiffData>'
        write_ome_tiff(
            inner / "a.ome.tif", _ome('SizeZ="2" SizeC="1" SizeT="1"', inside)
        )
        with pytest.raises(ValueError, match="outside the folder"):
            read_image(inner / "a.ome.tif")


def test_a_missing_file_of_a_set_is_said(tmp_path: Path) -> None:
    inside = '<TiffData IFD="0" PlaneCount="1"/><TiffData IFD="0" FirstZ="1" '
    inside += 'PlaneCount="1"><UUID FileName="gone.tif">urn:uuid:2</UUID></TiffData>'
    write_ome_tiff(
        tmp_path / "a.ome.tif", _ome('SizeZ="2" SizeC="1" SizeT="1"', inside)
    )
    with pytest.raises(ValueError, match=r"missing files: gone\.tif"):
        read_image(tmp_path / "a.ome.tif")
    record = read_image(tmp_path / "a.ome.tif", incomplete=True)
    assert record.data.shape == (2, 5, 6)
    assert record.missing.all(axis=(1, 2)).tolist() == [False, True]


def test_damaged_zarrs(tmp_path: Path) -> None:
    def outside(group: dict[str, Any]) -> None:
        group["attributes"]["ome"]["multiscales"][0]["datasets"][0]["path"] = "../b"

    def huge(array: dict[str, Any]) -> None:
        array["shape"] = [2**30, 2**30]

    def chunk(array: dict[str, Any]) -> None:
        huge(array)
        array["chunk_grid"]["configuration"]["chunk_shape"] = [2**30, 2**30]

    def codec(array: dict[str, Any]) -> None:
        array["codecs"] = [{"name": "unknown"}]

    paths = [
        write_zarr(tmp_path / f"{each.__name__}.zarr", each)
        for each in (huge, chunk, codec)
    ]
    paths.append(write_zarr(tmp_path / "outside.zarr", outside, "zarr.json"))
    for name in ("empty", "broken", "text"):
        (tmp_path / f"{name}.zarr").mkdir()
        paths.append(tmp_path / f"{name}.zarr")
    (tmp_path / "broken.zarr" / "zarr.json").write_bytes(b"\xff{")
    (tmp_path / "text.zarr" / "zarr.json").write_text("[1]")
    found = read_in_a_gigabyte(paths)
    assert "read" not in found.values()
    assert "outside the Zarr" in found["outside.zarr"]


def test_a_chunk_that_is_damaged_gives_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    write_image(path, ImageRecord(np.ones((4, 5), np.uint8), "YX"))
    (chunk,) = (each for each in (path / "0" / "c").rglob("*") if each.is_file())
    chunk.write_bytes(b"no chunk")
    lazy = read_image(path, lazy=True).data
    with pytest.raises(ValueError, match="pixels could not be read"):
        lazy[0]


def test_without_the_package_zarr_the_user_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = ImageRecord(np.ones((4, 5), np.uint8), "YX")
    write_image(tmp_path / "a.zarr", record)
    monkeypatch.setitem(sys.modules, "zarr", None)
    for act in (
        lambda: read_image(tmp_path / "a.zarr"),
        lambda: write_image(tmp_path / "b.zarr", record),
    ):
        with pytest.raises(ImportError, match=r"Install it with: pip install"):
            act()


def _read(path: Path) -> None:
    """Read a file; only errors with a message are allowed."""
    said = f"{path}."
    try:
        record = read_image(path, lazy=True)
        if record.data.nbytes < 2**24:
            np.asarray(record.data)
    except (ValueError, FileNotFoundError) as error:
        said = str(error)
    assert said.startswith(str(path))
    assert said.endswith(".")


def _real_files() -> list[bytes]:
    """Return small files of several kinds."""
    kinds: list[dict[str, Any]] = [
        {"imagej": True, "metadata": {"axes": "ZYX", "unit": "um", "spacing": 2}},
        {"ome": True, "metadata": {"axes": "TYX", "Channel": {"Name": "a"}}},
        {"compression": "lzw", "tile": (16, 16), "byteorder": ">"},
        {"compression": "zlib", "predictor": True, "bigtiff": True},
        {"compression": "zstd", "rowsperstrip": 3},
        {"compression": "packbits"},
        {"compression": "jpeg"},
    ]
    values = np.random.default_rng(0).integers(0, 99, (2, 20, 24), np.uint8)
    contents = []
    for keywords in kinds:
        file = io.BytesIO()
        tifffile.imwrite(file, values, **keywords)
        contents.append(file.getvalue())
    return contents


FUZZ = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@FUZZ
@given(
    content=st.binary(max_size=400),
    head=st.sampled_from([b"II*\0\x08\0\0\0", b"MM\0*", b"II+\0\x08\0\0\0", b""]),
)
@example(content=b"", head=b"II*\0")
def test_any_bytes_give_an_image_or_a_sentence(
    tmp_path: Path, content: bytes, head: bytes
) -> None:
    (tmp_path / "a.tif").write_bytes(head + content)
    _read(tmp_path / "a.tif")


def test_flipped_bytes_give_an_image_or_a_sentence(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    path = tmp_path / "a.tif"
    for content in _real_files():
        for _ in range(60):
            changed = np.frombuffer(content, np.uint8).copy()
            # The metadata of a TIFF are at its start and its end.
            ends = np.r_[
                0 : min(500, len(changed)), max(len(changed) - 300, 0) : len(changed)
            ]
            where = rng.choice(ends, rng.integers(1, 6))
            changed[where] = rng.integers(0, 256, len(where))
            path.write_bytes(changed.tobytes())
            _read(path)


def test_zarr_metadata_with_flipped_bytes(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    path = tmp_path / "a.zarr"
    write_image(path, ImageRecord(np.ones((2, 8, 9), np.uint8), "TYX", {"Y": 1.0}))
    for place in (path / "zarr.json", path / "0" / "zarr.json"):
        content = place.read_bytes()
        for _ in range(60):
            changed = np.frombuffer(content, np.uint8).copy()
            changed[rng.integers(0, len(changed), 2)] = rng.integers(32, 127, 2)
            place.write_bytes(changed.tobytes())
            _read(path)
        place.write_bytes(content)
    assert zarr.open_group(path, mode="r")
