"""Small files with huge content give an image or a message, in 10 s and 1 GB."""

from __future__ import annotations

import struct
import zlib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_inr_denoise import read_image
from napari_inr_denoise.io.tiff.opening import is_in_same_folder
from napari_inr_denoise.io.untrusted.xml import parse_xml
from tests.io.hostile_files import (
    read_in_a_gigabyte,
    write_ome_tiff,
    write_png,
    write_zarr,
)

_MEGABYTE = bytes(2**20)
_COUNT = 2**10


@cache
def _deflated(window_bits: int = 15) -> bytes:
    """Return 1 GiB of zeros, compressed to a thousandth of it.

    One megabyte is compressed and repeated; 31 window bits are for gzip.
    """
    packer = zlib.compressobj(9, wbits=-15)
    part = packer.compress(_MEGABYTE) + packer.flush(zlib.Z_FULL_FLUSH)
    body = part * _COUNT + packer.flush()
    size = len(_MEGABYTE) * _COUNT
    if window_bits != 31:
        # Adler-32 of zeros: the sum of bytes is 1, that of the sums is the size.
        return b"\x78\x01" + body + struct.pack(">HH", size % 65521, 1)
    check = 0
    for _ in range(_COUNT):
        check = zlib.crc32(_MEGABYTE, check)
    return b"\x1f\x8b\x08" + bytes(7) + body + struct.pack("<II", check, size)


def _tiff(path: Path, side: int, strip: bytes) -> None:
    """Write a page with one strip of given bytes."""
    tifffile.imwrite(
        path,
        iter([strip]),
        shape=(side, side),
        dtype=np.uint8,
        compression="zlib",
        rowsperstrip=side,
        metadata=None,
    )


_HEAD = '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
_IMAGE = (
    '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" '
    'SizeX="6" SizeY="5" SizeZ="1" SizeC="1" SizeT="1"><TiffData IFD="0"/></Pixels>'
    "</Image>"
)


def _laughs() -> str:
    """Return ten nested entities; each contains the one before ten times."""
    levels = "".join(f'<!ENTITY l{k} "{f"&l{k - 1};" * 10}">' for k in range(1, 11))
    head = f'<?xml version="1.0"?><!DOCTYPE z [<!ENTITY l0 "lol">{levels}]>'
    return f"{head}{_HEAD}{_IMAGE}<A>&l10;</A></OME>"


def _tiffs(folder: Path) -> list[Path]:
    _tiff(folder / "true.tif", 2**15, _deflated())
    _tiff(folder / "overfull.tif", 64, _deflated())
    deep = "<B>" * 100_000 + "</B>" * 100_000
    write_ome_tiff(folder / "deep.ome.tif", f"{_HEAD}{_IMAGE}{deep}</OME>")
    write_ome_tiff(folder / "laughs.ome.tif", _laughs())
    many = "".join(f'<C a{k}="1"/>' for k in range(50_000))
    write_ome_tiff(folder / "many.ome.tif", f"{_HEAD}{_IMAGE}{many}</OME>")
    return sorted(folder.glob("*.tif"))


def test_tiffs_that_inflate(tmp_path: Path) -> None:
    found = read_in_a_gigabyte(_tiffs(tmp_path))
    assert "declares entities" in found["laughs.ome.tif"]
    # Valid metadata of a small image are accepted.
    assert found["many.ome.tif"] == "read"


def test_a_png_that_inflates(tmp_path: Path) -> None:
    found = read_in_a_gigabyte([write_png(tmp_path / "a.png", 64, 8, _deflated())])
    assert "more than the uncompressed pixels" in found["a.png"]


def test_zarrs_that_claim_or_hold_the_absurd(tmp_path: Path) -> None:
    def dimensions(array: dict[str, Any]) -> None:
        array["shape"] = [1] * 5000
        array["chunk_grid"]["configuration"]["chunk_shape"] = [1] * 5000

    def negative(array: dict[str, Any]) -> None:
        array["shape"] = [-4, -5]

    def no_chunk(array: dict[str, Any]) -> None:
        array["chunk_grid"]["configuration"]["chunk_shape"] = [0, 0]

    def beyond_64_bits(array: dict[str, Any]) -> None:
        array["shape"] = [2**70, 2**70]

    def many_chunks(array: dict[str, Any]) -> None:
        array["shape"] = [2**40, 2**40]
        array["chunk_grid"]["configuration"]["chunk_shape"] = [1, 1]

    def huge_shards(array: dict[str, Any]) -> None:
        grid = array["chunk_grid"]["configuration"]
        codecs = [{"name": "bytes", "configuration": {"endian": "little"}}]
        shards = {
            "chunk_shape": grid["chunk_shape"],
            "codecs": codecs,
            "index_codecs": [*codecs, {"name": "crc32c"}],
            "index_location": "end",
        }
        grid["chunk_shape"] = [size * 2**20 for size in grid["chunk_shape"]]
        array["codecs"] = [{"name": "sharding_indexed", "configuration": shards}]

    def gzipped(array: dict[str, Any]) -> None:
        array["codecs"] = [
            {"name": "bytes"},
            {"name": "gzip", "configuration": {"level": 5}},
        ]

    shapes = (dimensions, negative, no_chunk, beyond_64_bits, many_chunks)
    changes = (*shapes, huge_shards)
    paths = [write_zarr(tmp_path / f"{one.__name__}.zarr", one) for one in changes]
    inflated = write_zarr(tmp_path / "gzipped.zarr", gzipped)
    (chunk,) = (one for one in (inflated / "0" / "c").rglob("*") if one.is_file())
    chunk.write_bytes(_deflated(31))  # with the header of gzip
    deep = tmp_path / "deep.zarr"
    deep.mkdir()
    (deep / "zarr.json").write_text('{"attributes":' + "[" * 10**6 + "]" * 10**6 + "}")
    found = read_in_a_gigabyte([*paths, inflated, deep])
    assert "read" not in found.values()


_OUTSIDE = [
    *("..", ".", "../x.tif", "a/../../x.tif", "/etc/passwd", "//host/share/x.tif"),
    *("\\\\host\\share\\x.tif", "C:x.tif", "C:\\x.tif", "file:///etc/passwd"),
    *("http://host/x.tif", "a/b.tif", "~/x.tif"),
]


@pytest.mark.parametrize("name", _OUTSIDE)
def test_names_that_lead_elsewhere_are_not_followed(tmp_path: Path, name: str) -> None:
    assert not is_in_same_folder(tmp_path / "a.ome.tif", name)
    uuid = f'<UUID FileName="{name}">urn:uuid:2</UUID>'
    named = _IMAGE.replace(
        '<TiffData IFD="0"/>', f'<TiffData IFD="0">{uuid}</TiffData>'
    )
    write_ome_tiff(tmp_path / "a.ome.tif", f"{_HEAD}{named}</OME>")
    with pytest.raises(ValueError, match="outside the folder"):
        read_image(tmp_path / "a.ome.tif")


@pytest.mark.parametrize("name", ["link.tif", "folder.tif", "dangling.tif"])
def test_links_that_lead_elsewhere_are_not_followed(tmp_path: Path, name: str) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    tifffile.imwrite(tmp_path / "secret.tif", np.full((5, 6), 7, np.uint8))
    (inner / "link.tif").symlink_to("../secret.tif")
    (inner / "folder.tif").symlink_to(tmp_path, target_is_directory=True)
    (inner / "dangling.tif").symlink_to("/nowhere/x.tif")
    assert not is_in_same_folder(inner / "a.ome.tif", name)


def test_a_link_to_the_file_itself_may_lie_elsewhere(tmp_path: Path) -> None:
    """The set is then in the folder of the link, or of the file."""
    (tmp_path / "real").mkdir()
    for name in ("a.ome.tif", "b.ome.tif"):
        (tmp_path / "real" / name).touch()
    (tmp_path / "a.ome.tif").symlink_to(tmp_path / "real" / "a.ome.tif")
    (tmp_path / "b.ome.tif").symlink_to(tmp_path / "real" / "b.ome.tif")
    assert is_in_same_folder(tmp_path / "a.ome.tif", "b.ome.tif")


@pytest.mark.parametrize("head", ['<!DOCTYPE a SYSTEM "file:///x">', "<!ENTITY"])
def test_xml_that_declares_anything_is_refused(head: str) -> None:
    with pytest.raises(ValueError, match="declares entities"):
        parse_xml(f"{head}<OME/>")
