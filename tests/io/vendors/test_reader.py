from __future__ import annotations

import pickle
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from napari_inr_denoise import read_image, write_image
from napari_inr_denoise.io.read import list_images
from napari_inr_denoise.io.record import Quantity
from napari_inr_denoise.io.vendors.reader import read_vendor
from tests.io.vendors.files import CziStub, Nd2Stub, write_lif


@pytest.mark.parametrize("suffix", [".czi", ".lif", ".nd2"])
def test_a_reader_that_is_missing_is_named_with_its_extra(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = {".czi": "czifile", ".lif": "liffile", ".nd2": "nd2"}[suffix]
    monkeypatch.setitem(sys.modules, library, None)
    (tmp_path / f"a{suffix}").touch()
    wanted = rf"package {library}, .* pip install .*\[formats\]"
    with pytest.raises(ImportError, match=wanted):
        read_image(tmp_path / f"a{suffix}")


def test_a_reader_of_czi_that_is_too_old_is_told_with_the_python_that_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "czifile", SimpleNamespace(CziFile=object))
    (tmp_path / "a.czi").touch()
    with pytest.raises(ImportError, match=r"Python 3\.12 or later"):
        read_image(tmp_path / "a.czi")


def test_lif(tmp_path: Path, rng: np.random.Generator) -> None:
    pytest.importorskip("liffile")
    first, second = rng.integers(0, 999, (2, 3, 2, 8, 9), dtype=np.uint16)
    path = write_lif(tmp_path / "a.lif", {"one": first, "two": second})
    record = read_image(path, lazy=True)
    assert record.axes == "ZCYX"
    np.testing.assert_array_equal(record.data, first)
    np.testing.assert_array_equal(record.data[2, 1, 3:5, ::2], first[2, 1, 3:5, ::2])
    assert record.spacing_um == pytest.approx({"Z": 0.5, "Y": 0.1, "X": 0.1})
    assert record.stated["X"].unit == "m"
    assert record.channel_names == ("Green", "Red")
    assert record.channel_colours == ("#00ff00", "#ff0000")
    assert 'Not read: number 1, "two".' in record.notes[0]
    again = pickle.loads(pickle.dumps(record.data))
    np.testing.assert_array_equal(again[1], first[1])
    np.testing.assert_array_equal(read_vendor(path, 1).data, second)
    np.testing.assert_array_equal(read_image(path, series="two").data, second)
    with pytest.raises(ValueError, match="series: got 2"):
        read_image(path, series=2)
    assert [entry.name for entry in list_images(path)] == ["one", "two"]
    write_image(tmp_path / "a.ome.tif", record)
    assert read_image(tmp_path / "a.ome.tif").spacing_um == record.spacing_um


def test_a_lif_that_is_none_gives_a_sentence(tmp_path: Path) -> None:
    pytest.importorskip("liffile")
    (tmp_path / "a.lif").write_bytes(b"no LIF file at all")
    with pytest.raises(ValueError, match="could not be read"):
        read_image(tmp_path / "a.lif")


def test_nd2(
    tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = rng.integers(0, 999, (3, 2, 4, 2, 8, 9), dtype=np.uint16)
    stub = Nd2Stub(values)
    monkeypatch.setitem(sys.modules, "nd2", SimpleNamespace(ND2File=stub))
    (tmp_path / "a.nd2").touch()
    for number in (0, 1):
        record = read_vendor(tmp_path / "a.nd2", number)
        assert record.axes == "TZCYX"
        np.testing.assert_array_equal(record.data, values[:, number])
        assert record.series == ("A1", "position 1")
        assert record.name == record.series[number]
    assert record.spacing_um == {"Z": 0.4, "Y": 0.1, "X": 0.1}
    assert record.stated["T"] == Quantity(500, "ms")
    assert record.channel_names == ("a", "b")
    assert record.channel_colours == ("#0000ff", "#ff8000")
    assert 'EmissionWavelength="501' in record.ome_xml  # of this position
    assert 'PositionX="1' in record.ome_xml
    assert "500" not in record.ome_xml
    assert not record.notes
    stub.read.clear()
    np.testing.assert_array_equal(record.data[2, 1:3, 0, 5], values[2, 1, 1:3, 0, 5])
    assert len(stub.read) == 2


def test_czi(
    tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = rng.integers(0, 999, (2, 4, 8, 9), dtype=np.uint16)
    library = SimpleNamespace(CziFile=CziStub(values))
    monkeypatch.setitem(sys.modules, "czifile", library)
    (tmp_path / "a.czi").touch()
    record = read_image(tmp_path / "a.czi", lazy=True)
    assert record.axes == "CZYX"
    np.testing.assert_array_equal(record.data, values)
    np.testing.assert_array_equal(record.data[1, 2, 3:6, 4], values[1, 2, 3:6, 4])
    assert record.spacing_um == pytest.approx({"Z": 0.3, "Y": 0.07, "X": 0.065})
    assert record.channel_names == ("DAPI", "GFP")
    assert record.notes == ()
