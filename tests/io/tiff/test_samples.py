from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_inr_denoise import read_image, write_image


@pytest.mark.parametrize(
    ("count", "photometric", "extra", "axes", "words"),
    [
        (2, "minisblack", ["unspecified"], "YXC", "taken for channels"),
        (2, "minisblack", ["unassalpha"], "YXS", "alpha (transparency)"),
        (3, "minisblack", ["unspecified"] * 2, "YXC", "--axes YXS"),
        (3, "rgb", [], "YXS", ""),
        (4, "rgb", ["assocalpha"], "YXS", "--axes YXC"),
        (4, "rgb", ["unspecified"], "YXC", "taken for channels"),
        (4, "separated", [], "YXC", "taken for channels"),
        (5, "rgb", ["unspecified", "unassalpha"], "YXC", "taken for channels"),
    ],
)
def test_samples_are_what_the_file_calls_them(
    tmp_path: Path,
    count: int,
    photometric: str,
    extra: list[str],
    axes: str,
    words: str,
) -> None:
    values = np.arange(8 * 9 * count, dtype=np.uint16).reshape(8, 9, count)
    tifffile.imwrite(
        tmp_path / "a.tif",
        values,
        photometric=photometric,
        planarconfig="contig",
        extrasamples=extra or None,
    )
    record = read_image(tmp_path / "a.tif")
    assert record.axes == axes
    np.testing.assert_array_equal(record.data, values)
    assert words in " ".join(record.notes)
    assert bool(words) == bool(record.notes)


def test_three_planes_that_are_called_colours_are_said(tmp_path: Path) -> None:
    values = np.arange(3 * 8 * 9, dtype=np.uint16).reshape(3, 8, 9)
    tifffile.imwrite(
        tmp_path / "a.tif", values, photometric="rgb", planarconfig="separate"
    )
    record = read_image(tmp_path / "a.tif")
    assert record.axes == "SYX"
    assert "--axes CYX" in record.notes[0]


@pytest.mark.parametrize(
    ("shape", "letters", "axes", "notes"),
    [
        ((2, 3, 8, 9), "tzyx", "TZYX", 0),
        ((2, 3, 8, 9), None, "ZTYX", 2),
        ((1, 1, 8, 9), None, "ZTYX", 0),
    ],
)
def test_axes_whose_names_matter_are_said(
    tmp_path: Path, shape: tuple[int, ...], letters: str | None, axes: str, notes: int
) -> None:
    metadata = {"axes": letters} if letters else {}
    values = np.zeros(shape, np.uint8)
    tifffile.imwrite(
        tmp_path / "a.tif", values, photometric="minisblack", metadata=metadata
    )
    record = read_image(tmp_path / "a.tif")
    assert (record.axes, len(record.notes)) == (axes, notes)


@pytest.mark.parametrize("count", [2, 3, 4])
def test_samples_that_were_written_come_back(tmp_path: Path, count: int) -> None:
    values: Any = np.arange(8 * 9 * count, dtype=np.uint16).reshape(8, 9, count)
    photometric = "rgb" if count > 2 else "minisblack"
    extra = ["unassalpha"] if count != 3 else None
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, values, photometric=photometric, extrasamples=extra)
    write_image(tmp_path / "a.ome.tif", read_image(path))
    record = read_image(tmp_path / "a.ome.tif")
    assert record.axes == "YXS"
    np.testing.assert_array_equal(record.data, values)


def test_samples_beside_channels_get_a_letter_of_their_own(tmp_path: Path) -> None:
    values = np.arange(3 * 8 * 9 * 2, dtype=np.uint16).reshape(3, 8, 9, 2)
    tifffile.imwrite(
        tmp_path / "a.ome.tif",
        values,
        ome=True,
        metadata={"axes": "CYXS"},
        photometric="minisblack",
        planarconfig="contig",
    )
    record = read_image(tmp_path / "a.ome.tif")
    assert record.axes == "CYXZ"
    np.testing.assert_array_equal(record.data, values)
