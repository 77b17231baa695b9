"""OME-TIFF images in several files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_inr_denoise import read_image
from napari_inr_denoise.io.formats import size_on_disk
from napari_inr_denoise.io.image_set import files_of_image, secondary_files
from tests.file_sets import write_set


@pytest.mark.parametrize(
    ("described_in", "first"), [(None, 0), ("a.ome.tif", 0), ("c.ome.tif", 2)]
)
def test_each_file_of_a_set_leads_to_the_same_one(
    tmp_path: Path, described_in: str | None, first: int
) -> None:
    paths = write_set(tmp_path, ["a.ome.tif", "b.ome.tif", "c.ome.tif"], described_in)
    others = [path for path in paths if path != paths[first]]
    for path in paths:
        assert files_of_image(path) == (paths[first], *others)
    alone = tmp_path / "alone.tif"
    tifffile.imwrite(alone, np.zeros((4, 4)))
    assert secondary_files([*paths, alone]) == dict.fromkeys(others, paths[first])
    # Secondary only if the primary file is among the files.
    assert secondary_files(others) == {}
    assert read_image(paths[first]).data[:, 0, 0].tolist() == [0, 1, 2]


def test_a_companion_stands_for_the_files_that_it_describes(tmp_path: Path) -> None:
    companion = tmp_path / "b.companion.ome"
    paths = write_set(tmp_path, ["a.ome.tif", "c.ome.tif"], companion.name)
    for path in (companion, *paths):
        assert files_of_image(path) == (companion, *paths)
    assert secondary_files([*paths, companion]) == dict.fromkeys(paths, companion)
    # Without the companion each file is an image.
    companion.unlink()
    assert files_of_image(paths[0]) == (paths[0],)


def test_files_without_a_description_are_those_of_their_companion(
    tmp_path: Path,
) -> None:
    names = ["a.tif", "b.tif"]
    paths = write_set(tmp_path, names, "set.companion.ome")
    for path in paths:
        tifffile.imwrite(path, np.zeros((8, 8), np.uint16))
    companion = tmp_path / "set.companion.ome"
    assert secondary_files([*paths, companion]) == dict.fromkeys(paths, companion)
    assert secondary_files(paths) == {}


def test_a_file_that_the_others_do_not_know_is_no_part(tmp_path: Path) -> None:
    paths = write_set(tmp_path, ["a.ome.tif", "b.ome.tif"], "a.ome.tif")
    copy = tmp_path / "copy.ome.tif"
    copy.write_bytes(paths[1].read_bytes())
    assert files_of_image(copy) == (copy,)
    gone = write_set(tmp_path, ["x.ome.tif", "y.ome.tif"], "x.ome.tif")
    gone[0].unlink()
    assert files_of_image(gone[1]) == (gone[1],)


@pytest.mark.parametrize("name", ["../a.ome.tif", "/etc/passwd", "", "sub/a.ome.tif"])
def test_a_description_outside_the_folder_is_not_looked_for(
    tmp_path: Path, name: str
) -> None:
    (path,) = write_set(tmp_path, ["b.ome.tif"], name)
    assert files_of_image(path) == (path,)


def test_what_cannot_be_read_is_alone(tmp_path: Path) -> None:
    for name, content in (("a.tif", b"II*\0"), ("b.ome.tif", b""), ("c.png", b"x")):
        path = tmp_path / name
        path.write_bytes(content)
        assert files_of_image(path) == (path,)
    assert files_of_image(tmp_path / "missing.tif") == (tmp_path / "missing.tif",)


def test_the_size_of_a_folder_is_that_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "a").write_bytes(b"12")
    (tmp_path / "below" / "b").write_bytes(b"345")
    assert size_on_disk(tmp_path) == 5
    assert size_on_disk(tmp_path / "a") == 2


def test_a_real_set(data_folder: Path) -> None:
    folder = data_folder / "tiff_odd" / "ome_multifile"
    files = sorted(folder.iterdir())
    assert files_of_image(files[3]) == tuple(files)
    assert secondary_files(files) == dict.fromkeys(files[1:], files[0])
