"""OME-TIFF sets with a companion file."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_inr_denoise import read_image
from napari_inr_denoise.io.ome import companion as module
from tests.file_sets import SIDE, write_set

NAMES = ["a.ome.tif", "b.ome.tif", "c.ome.tif"]


@pytest.fixture
def companion(tmp_path: Path) -> Path:
    """Three planes, of zeros, ones and twos, in three files."""
    write_set(tmp_path, NAMES, "set.companion.ome")
    return tmp_path / "set.companion.ome"


def _change(companion: Path, old: str, new: str) -> None:
    text = companion.read_text("utf-8")
    assert old in text
    companion.write_text(text.replace(old, new), "utf-8")


def test_its_files_are_read_as_one_image(companion: Path) -> None:
    size = 'SizeT="1" PhysicalSizeX="65" PhysicalSizeXUnit="nm"'
    _change(companion, 'SizeT="1"', size)
    record = read_image(companion, lazy=True)
    assert (record.axes, record.notes) == ("ZYX", ())
    assert record.spacing_um == {"X": 0.065}
    wanted = np.broadcast_to(np.arange(3)[:, None, None], (3, SIDE, SIDE))
    np.testing.assert_array_equal(np.asarray(record.data), wanted)
    again = pickle.loads(pickle.dumps(record.data))
    np.testing.assert_array_equal(again[2, 3:5], wanted[2, 3:5])


def test_its_files_need_no_description_of_their_own(companion: Path) -> None:
    for number, name in enumerate(NAMES):
        plane = np.full((SIDE, SIDE), number + 5, np.uint16)
        tifffile.imwrite(companion.with_name(name), plane)
    assert read_image(companion).data[:, 0, 0].tolist() == [5, 6, 7]


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_a_text_of_windows_is_read(companion: Path, encoding: str) -> None:
    size = 'SizeT="1" PhysicalSizeX="65" PhysicalSizeXUnit="\u00b5m"'
    _change(companion, 'SizeT="1"', size)
    companion.write_bytes(companion.read_text("utf-8").encode(encoding))
    assert read_image(companion).spacing_um == {"X": 65}


def test_one_of_its_files_is_read_alone_and_that_is_said(companion: Path) -> None:
    record = read_image(companion.with_name("b.ome.tif"))
    assert record.data.squeeze().shape == (SIDE, SIDE)
    assert companion.name in record.notes[0]


def test_a_missing_file_is_an_error_or_a_mask(companion: Path) -> None:
    companion.with_name("b.ome.tif").unlink()
    with pytest.raises(ValueError, match=r"not be read whole: missing files: b\.ome"):
        read_image(companion)
    record = read_image(companion, incomplete=True)
    assert record.data[:, 0, 0].tolist() == [0, 0, 2]
    assert record.missing[:, 0, 0].tolist() == [False, True, False]
    assert np.isnan(record.measured[1]).all()
    assert "incomplete: missing files: b.ome.tif" in record.notes[0]


def test_without_its_files_it_says_which_are_wanted(companion: Path) -> None:
    for name in NAMES:
        companion.with_name(name).unlink()
    with pytest.raises(ValueError, match=r"a\.ome\.tif, b\.ome\.tif.*same folder"):
        read_image(companion)
    companion.write_text("<OME/>", "utf-8")
    with pytest.raises(ValueError, match=r"names \(none\)"):
        read_image(companion)


@pytest.mark.parametrize("name", ["../a.ome.tif", "/etc/passwd", "x/a.ome.tif"])
def test_a_file_elsewhere_is_not_opened(companion: Path, name: str) -> None:
    _change(companion, "c.ome.tif", name)
    with pytest.raises(ValueError, match="outside the folder"):
        read_image(companion)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "ParseError"),
        (b"\xff\xfe", "ParseError"),
        (b"<!DOCTYPE a><OME/>", "declares entities"),
        (b" " * 2000 + b"<OME/>", "more than 1000 bytes"),
    ],
)
def test_what_is_no_harmless_xml_gives_a_sentence(
    companion: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, words: str
) -> None:
    monkeypatch.setattr(module, "_MAX_BYTES", 1000)
    companion.write_bytes(content)
    with pytest.raises(ValueError, match=words):
        read_image(companion)
