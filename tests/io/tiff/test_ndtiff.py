"""NDTiff: datasets in one or several files, and the index that lists their planes."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from unicodedata import normalize

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_inr_denoise import DenoiseSettings, list_images, read_image
from napari_inr_denoise.batch.jobs import plan_jobs
from napari_inr_denoise.batch.options import RunOptions
from napari_inr_denoise.batch.serial import run_jobs
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.report.report import FileReport
from tests.io.microscope_files import write_ndtiff


@pytest.fixture
def stack(rng: np.random.Generator) -> NDArray[np.uint16]:
    return rng.integers(0, 999, (5, 16, 18), dtype=np.uint16)


def _run(folder: Path, options: RunOptions) -> tuple[FileReport, ...]:
    run = GeneratorResult(run_jobs(plan_jobs([str(folder)], folder / "out"), options))
    list(run)
    return run.result.files


def test_every_file_of_a_set_gives_the_whole_image(
    tmp_path: Path, stack: NDArray[np.uint16]
) -> None:
    write_ndtiff(tmp_path, stack, planes_per_file=2)
    files = sorted(tmp_path.glob("*.tif"))
    assert [file.stem[-7:] for file in files] == [
        "DTiffStack"[-7:],
        "Stack_1",
        "Stack_2",
    ]
    for file in files:
        record = read_image(file, lazy=True)
        assert (record.axes, record.notes) == ("ZYX", ())
        assert record.spacing_um == {"Z": 0.5, "Y": 0.1, "X": 0.1}
        np.testing.assert_array_equal(record.data[2:4, 3:7], stack[2:4, 3:7])
        np.testing.assert_array_equal(record.data, stack)


def test_a_folder_with_a_set_is_denoised_once(
    tmp_path: Path, stack: NDArray[np.uint16], tiny: DenoiseSettings
) -> None:
    path = write_ndtiff(tmp_path, stack, planes_per_file=2)
    found = {
        Path(str(one.source)).name: one for one in _run(tmp_path, RunOptions(tiny))
    }
    assert [one.status for one in found.values()] == ["done", "skipped", "skipped"]
    assert found[path.name].shape == stack.shape
    assert "a part of the image of" in found["data_NDTiffStack_2.tif"].notes[0]
    assert len(list((tmp_path / "out").glob("*.tif"))) == 1


@pytest.mark.parametrize("lost", ["data_NDTiffStack.tif", "data_NDTiffStack_1.tif"])
def test_a_file_of_a_set_that_is_missing_is_said(
    tmp_path: Path, stack: NDArray[np.uint16], tiny: DenoiseSettings, lost: str
) -> None:
    write_ndtiff(tmp_path, stack, planes_per_file=2)
    (tmp_path / lost).unlink()
    first, second = _run(tmp_path, RunOptions(tiny))
    assert (first.status, second.status) == ("failed", "skipped")
    assert f"missing files: {lost}" in str(first.error)
    first, second = _run(tmp_path, RunOptions(tiny, incomplete=True))
    assert (first.status, second.status) == ("done", "skipped")
    assert f"missing files: {lost}" in str(first.incomplete)
    values = read_image(str(first.output)).data
    gone = [0, 1] if lost.endswith("Stack.tif") else [2, 3]
    assert [bool(np.isnan(plane).all()) for plane in values] == [
        number in gone for number in range(5)
    ]


def test_a_last_file_that_is_cut_short_is_said(
    tmp_path: Path, stack: NDArray[np.uint16]
) -> None:
    write_ndtiff(tmp_path, stack, planes_per_file=3)
    last = tmp_path / "data_NDTiffStack_1.tif"
    last.write_bytes(last.read_bytes()[:-500])
    with pytest.raises(ValueError, match="planes missing or cut short: 1 of 5"):
        read_image(tmp_path / "data_NDTiffStack.tif")


@pytest.mark.parametrize("axis", ["position", "row"])
def test_positions_are_images_of_their_own(
    tmp_path: Path, stack: NDArray[np.uint16], tiny: DenoiseSettings, axis: str
) -> None:
    values = np.stack([stack, stack + 7, stack + 9])
    path = write_ndtiff(tmp_path, values, (axis, "z"), planes_per_file=5)
    names = [f"{axis} {number}" for number in range(3)]
    for number, file in enumerate(sorted(tmp_path.glob("*.tif"))):
        assert [entry.name for entry in list_images(file)] == names[number : number + 1]
        np.testing.assert_array_equal(read_image(file).data, values[number])
    np.testing.assert_array_equal(read_image(path, series=names[2]).data, values[2])
    (tmp_path / "data_NDTiffStack_1.tif").unlink()
    files = _run(tmp_path, RunOptions(tiny))
    assert [(one.status, one.series) for one in files] == [
        ("done", None),
        ("failed", names[1]),
        ("done", None),
    ]
    with pytest.raises(ValueError, match=r"position|row .*_NDTiffStack_1.tif"):
        read_image(path, series=names[1])


def test_names_in_another_unicode_form_are_the_same(
    tmp_path: Path, stack: NDArray[np.uint16]
) -> None:
    path = write_ndtiff(tmp_path, stack, planes_per_file=3, prefix="pr\u00e9p")
    for each in list(tmp_path.glob("*.tif")):
        path = each.rename(each.with_name(normalize("NFD", each.name)))
    np.testing.assert_array_equal(read_image(path).data, stack)


def test_an_index_that_is_cut_short_or_missing_is_said(
    tmp_path: Path, stack: NDArray[np.uint16]
) -> None:
    path = write_ndtiff(tmp_path, stack)
    index = tmp_path / "NDTiff.index"
    index.write_bytes(index.read_bytes()[:-5])
    with pytest.raises(ValueError, match=r"NDTiff\.index is cut short"):
        read_image(path)
    index.unlink()
    record = read_image(path)
    assert record.data.shape == stack.shape
    assert "no NDTiff.index" in " ".join(record.notes)


def _index(axes: dict[str, int], name: bytes) -> bytes:
    text = json.dumps(axes).encode()
    head = struct.pack("<I", len(text)) + text + struct.pack("<I", len(name)) + name
    return head + struct.pack("<IiiiiIii", 99, 18, 16, 1, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (_index({"z": 6}, b"../elsewhere.tif"), "outside the folder"),
        (_index({"z": 2**40}, b"data_NDTiffStack.tif"), "planes declared by"),
        (_index({"z": 1, "t": 1}, b"data_NDTiffStack.tif"), "different axes"),
    ],
)
def test_an_index_is_checked_before_it_is_followed(
    tmp_path: Path, stack: NDArray[np.uint16], more: bytes, words: str
) -> None:
    path = write_ndtiff(tmp_path, stack)
    with (tmp_path / "NDTiff.index").open("ab") as file:
        file.write(more)
    with pytest.raises(ValueError, match=words):
        read_image(path)


def test_a_file_beside_an_index_that_does_not_name_it_is_its_own_image(
    tmp_path: Path, stack: NDArray[np.uint16]
) -> None:
    path = write_ndtiff(tmp_path, stack)
    other = path.rename(tmp_path / "other.tif")
    record = read_image(other)
    assert record.data.shape == stack.shape
    assert "taken for Z" in record.notes[0]
    assert "no NDTiff.index beside it names it" in record.notes[1]
