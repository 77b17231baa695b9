from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_inr_denoise import read_image, write_image
from napari_inr_denoise.io.record import Quantity
from napari_inr_denoise.io.tiff import microscopes
from tests.io.microscope_files import (
    write_fluoview,
    write_lsm,
    write_metaseries,
    write_ndtiff,
    write_qpi,
    write_scanimage,
    write_scn,
    write_sis,
    write_stk,
    write_svs,
)


@pytest.fixture
def stack(rng: np.random.Generator) -> NDArray[np.uint16]:
    return rng.integers(0, 999, (5, 16, 18), dtype=np.uint16)


@pytest.fixture
def slide(rng: np.random.Generator) -> NDArray[np.uint8]:
    return rng.integers(0, 255, (64, 64, 3), dtype=np.uint8)


def test_lsm(tmp_path: Path, stack: NDArray[np.uint16]) -> None:
    record = read_image(write_lsm(tmp_path / "a.lsm", stack), lazy=True)
    assert record.axes == "ZYX"
    np.testing.assert_array_equal(record.data[3, 2:9], stack[3, 2:9])
    assert record.stated["Z"] == Quantity(3e-7, "m")
    assert record.spacing_um == pytest.approx({"Z": 0.3, "Y": 0.07, "X": 0.065})
    movie = read_image(write_lsm(tmp_path / "b.lsm", stack, step_s=2.0))
    assert (movie.axes, movie.time_step_s) == ("TYX", 2.0)
    assert movie.with_axes("ZYX").spacing_um == record.spacing_um


def test_stk(tmp_path: Path, stack: NDArray[np.uint16]) -> None:
    record = read_image(write_stk(tmp_path / "a.stk", stack), lazy=True)
    assert record.axes == "ZYX"
    np.testing.assert_array_equal(record.data, stack)
    assert record.spacing_um == pytest.approx({"Z": 0.25, "Y": 0.27, "X": 0.26})


def test_svs(tmp_path: Path, slide: NDArray[np.uint8]) -> None:
    record = read_image(write_svs(tmp_path / "a.svs", slide), lazy=True)
    assert record.axes == "YXS"
    np.testing.assert_array_equal(record.data, slide)
    assert record.spacing_um == {"Y": 0.499, "X": 0.499}


def test_scn(tmp_path: Path, slide: NDArray[np.uint8]) -> None:
    record = read_image(write_scn(tmp_path / "a.scn", slide))
    assert record.axes == "YXS"
    np.testing.assert_array_equal(record.data, slide)
    assert record.spacing_um == pytest.approx({"Y": 0.5, "X": 0.5})


def test_planes_that_a_slide_scanner_claims_are_counted_first(
    tmp_path: Path, slide: NDArray[np.uint8]
) -> None:
    path = write_scn(tmp_path / "a.scn", slide, channel=10**10)
    with pytest.raises(ValueError, match="planes declared by the XML"):
        read_image(path)


def test_scanimage(tmp_path: Path, stack: NDArray[np.uint16]) -> None:
    record = read_image(write_scanimage(tmp_path / "a.tif", stack))
    assert record.axes == "ZYX"  # a guess, and said
    assert "taken for Z" in record.notes[0]
    assert record.spacing_um == pytest.approx({"Z": 2.5, "Y": 1.0, "X": 1.0})


def test_metaseries(tmp_path: Path, stack: NDArray[np.uint16]) -> None:
    record = read_image(write_metaseries(tmp_path / "a.tif", stack[0]))
    assert record.spacing_um == pytest.approx({"Y": 0.66, "X": 0.65})


def test_ndtiff(tmp_path: Path, stack: NDArray[np.uint16]) -> None:
    values = np.stack([stack, stack + 7])
    path = write_ndtiff(tmp_path, values, ("channel", "z"))
    record = read_image(path, lazy=True)
    assert record.axes == "CZYX"
    np.testing.assert_array_equal(record.data[1, 3], values[1, 3])
    np.testing.assert_array_equal(record.data, values)
    assert record.spacing_um == {"Z": 0.5, "Y": 0.1, "X": 0.1}
    assert record.channel_names == ("a", "b")
    write_image(tmp_path / "a.ome.tif", record)
    assert read_image(tmp_path / "a.ome.tif").spacing_um == record.spacing_um


def test_a_stage_that_moves_down(tmp_path: Path, stack: NDArray[np.uint16]) -> None:
    path = write_ndtiff(tmp_path, stack)
    text = path.read_bytes().replace(b'"z-step_um": 0.5', b'"z-step_um":-0.5')
    path.write_bytes(text)
    record = read_image(path)
    assert record.spacing_um["Z"] == 0.5
    assert "negative size along Z" in record.notes[0]


def test_fluoview(tmp_path: Path, stack: NDArray[np.uint16]) -> None:
    values = np.stack([stack, stack + 7])
    record = read_image(write_fluoview(tmp_path / "a.tif", values))
    assert record.axes == "CZYX"
    np.testing.assert_array_equal(record.data, values)
    assert record.stated["Z"] == Quantity(500, "nm")
    assert record.spacing_um == pytest.approx({"Z": 0.5, "Y": 0.25, "X": 0.2})


def test_sis(tmp_path: Path, stack: NDArray[np.uint16]) -> None:
    record = read_image(write_sis(tmp_path / "a.tif", stack[0]))
    assert record.spacing_um == pytest.approx({"Y": 0.25, "X": 0.2})
    assert not record.notes  # the resolution for printing does not matter


def test_qpi(tmp_path: Path, stack: NDArray[np.uint16]) -> None:
    record = read_image(write_qpi(tmp_path / "a.qptiff", stack[:2]), series=0)
    assert record.axes == "CYX"
    np.testing.assert_array_equal(record.data, stack[:2])
    assert record.channel_names == ("DAPI", "CD8")
    assert record.channel_colours == ("#0000ff", "#ff0000")
    assert record.spacing_um == pytest.approx({"Y": 0.5, "X": 0.5})
    assert record.origin == pytest.approx({"Y": 0.5, "X": 12.345})
    assert record.stated["X"].unit == "cm"  # that of the origin, too
    assert "CD8" in record.attributes["TIFF"]["planes"][1]["ImageDescription"]
    write_image(tmp_path / "b.ome.tif", record)
    assert read_image(tmp_path / "b.ome.tif") == record


def test_other_settings_of_microscopes_are_kept(
    tmp_path: Path, stack: NDArray[np.uint16]
) -> None:
    lsm = read_image(write_lsm(tmp_path / "a.lsm", stack)).attributes["lsm"]
    assert lsm["VoxelSizeZ"] == 3e-7
    record = read_image(write_stk(tmp_path / "a.stk", stack))
    assert record.attributes["stk"]["TimeCreated"] == [0, 500, 1000, 1500, 2000]
    write_image(tmp_path / "b.ome.tif", record)
    assert read_image(tmp_path / "b.ome.tif") == record


def test_too_many_settings_are_said(
    tmp_path: Path, stack: NDArray[np.uint16], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(microscopes, "_MAX_CHARACTERS", 20)
    record = read_image(write_stk(tmp_path / "a.stk", stack))
    assert "stk" not in record.attributes
    assert "too many to be kept" in record.notes[-1]
