from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_inr_denoise.batch.jobs import Job, plan_jobs
from tests.file_sets import write_positions, write_set


def _touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_files_globs_and_folders(tmp_path: Path) -> None:
    _touch(tmp_path, "a.tif", "b.ome.tif", "c.PNG", "in/x.tif", "in/deep/y.tiff")
    _touch(tmp_path, "in/note.txt", "in/.hidden.tif")
    out = tmp_path / "out"
    names = [str(tmp_path / "a.tif"), str(tmp_path / "?.ome.tif"), str(tmp_path / "in")]
    found = {str(j.output.relative_to(out)) for j in plan_jobs(names, out)}
    assert found == {
        "a.inr.ome.tif",
        "b.inr.ome.tif",
        "x.inr.ome.tif",
        str(Path("deep") / "y.inr.ome.tif"),
    }


def test_a_zarr_is_one_input_and_not_searched(tmp_path: Path) -> None:
    _touch(tmp_path, "in/a.ome.zarr/0/x.tif", "in/b.zarr/zarr.json", "in/c.tif")
    _touch(tmp_path, "in/plain/zarr.json", "in/deep/d.zarr/.zattrs")
    _touch(tmp_path, "in/e.inr.ome.zarr/zarr.json", "in/.f.zarr/zarr.json")
    out = tmp_path / "out"
    jobs = plan_jobs([str(tmp_path / "in")], out)
    assert {str(job.output.relative_to(out)) for job in jobs} == {
        "a.inr.ome.zarr",
        "b.inr.ome.zarr",
        "c.inr.ome.tif",
        "plain.inr.ome.zarr",
        str(Path("deep") / "d.inr.ome.zarr"),
    }
    named = plan_jobs([str(tmp_path / "in" / "e.inr.ome.zarr")], out)
    assert [job.output.name for job in named] == ["e.inr.inr.ome.zarr"]
    pattern = plan_jobs([str(tmp_path / "in" / "*.zarr")], out)
    assert [job.source.name for job in pattern] == ["a.ome.zarr", "b.zarr"]


def test_results_are_never_inputs(tmp_path: Path) -> None:
    _touch(tmp_path, "a.tif", "a.inr.ome.tif", "out/b.tif")
    jobs = plan_jobs([str(tmp_path)], tmp_path / "out")
    assert [job.source.name for job in jobs] == ["a.tif"]


def test_results_beside_or_above_their_sources(tmp_path: Path) -> None:
    _touch(
        tmp_path, "raw/a.tif", "raw/a.inr.ome.tif", "raw/notes.txt", "raw/deep/b.tif"
    )
    raw = tmp_path / "raw"
    for out in (raw, tmp_path):
        names = [job.source.name for job in plan_jobs([str(raw)], out)]
        assert names == ["a.tif", "b.tif"]
    assert [j.source.name for j in plan_jobs([str(raw / "*")], raw)] == ["a.tif"]
    named = plan_jobs([str(raw / "a.inr.ome.tif")], tmp_path / "again")
    assert [job.source.name for job in named] == ["a.inr.ome.tif"]


def test_links_are_followed_to_each_folder_once(tmp_path: Path) -> None:
    _touch(tmp_path, "in/day1/a.tif", "away/b.tif", "away/deep/c.tif", "r/d.tif")
    links = {
        "day2": "away",
        "day3": "away",
        "home": "in/day1",
        "up": "",
        "lost": "gone",
        "e.tif": "no",
    }
    for name, target in links.items():
        (tmp_path / "in" / name).symlink_to(tmp_path / target)
    (tmp_path / "away" / "back").symlink_to(tmp_path / "away")
    (tmp_path / "in" / "f.tif").symlink_to(tmp_path / "in" / "f.tif")
    (tmp_path / "in" / "notes.txt").symlink_to(tmp_path / "gone")
    jobs = plan_jobs([str(tmp_path / "in")], tmp_path / "r")
    found = {job.source.relative_to(tmp_path / "in").as_posix() for job in jobs}
    assert found == {
        *("day1/a.tif", "day2/b.tif", "day2/deep/c.tif"),
        *("e.tif", "f.tif", "lost"),
    }


def test_a_file_named_twice_is_done_once(tmp_path: Path) -> None:
    _touch(tmp_path, "a.tif")
    name = str(tmp_path / "a.tif")
    job = Job(tmp_path / "a.tif", tmp_path / "out" / "a.inr.ome.tif")
    assert plan_jobs([name, name, str(tmp_path)], tmp_path / "out") == [job]


def test_names_that_differ_in_their_endings_are_kept_apart(tmp_path: Path) -> None:
    _touch(tmp_path, "a.tif", "a.png", "a.ome.tif", "b.tif")
    jobs = plan_jobs([str(tmp_path)], tmp_path / "out")
    assert {job.source.name: job.output.name for job in jobs} == {
        "a.ome.tif": "a.ome.tif.inr.ome.tif",
        "a.png": "a.png.inr.ome.tif",
        "a.tif": "a.tif.inr.ome.tif",
        "b.tif": "b.inr.ome.tif",
    }
    notes = {job.source.name: " ".join(job.notes) for job in jobs}
    assert "Another input would also give a.inr.ome.tif" in notes["a.png"]
    assert notes["b.tif"] == ""


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    _touch(tmp_path, "x/a.tif", "y/a.tif")
    files = [str(tmp_path / folder / "a.tif") for folder in "xy"]
    with pytest.raises(ValueError, match="would both be written to"):
        plan_jobs(files, tmp_path / "out")


def test_names_with_brackets_are_taken_as_they_are(tmp_path: Path) -> None:
    _touch(tmp_path, "a[1].tif")
    (job,) = plan_jobs([str(tmp_path / "a[1].tif")], tmp_path / "out")
    assert job.output.name == "a[1].inr.ome.tif"


def test_nothing_found_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such file or folder"):
        plan_jobs([str(tmp_path / "*.tif")], tmp_path / "out")
    with pytest.raises(FileNotFoundError, match="holds no file ending in"):
        plan_jobs([str(tmp_path)], tmp_path / "out")


def test_files_of_a_set_are_parts_of_one_image(tmp_path: Path) -> None:
    first, second = write_set(tmp_path, ["a.ome.tif", "b.ome.tif"], None)
    for text in (str(tmp_path), str(tmp_path / "*.tif")):
        jobs = plan_jobs([text], tmp_path / "out")
        assert [(job.source, job.part_of) for job in jobs] == [
            (first, None),
            (second, first),
        ]
        # Of the whole image, for that is how long it takes.
        sizes = [path.stat().st_size for path in (first, second)]
        assert [job.size for job in jobs] == [sum(sizes), sizes[1]]
    # Named by itself it is wanted.
    named = plan_jobs([str(tmp_path), str(second)], tmp_path / "out")
    assert [job.part_of for job in named] == [None, None]


def test_a_set_whose_files_are_all_named_is_done_once(tmp_path: Path) -> None:
    """As by a pattern that the shell has expanded."""
    first, second = write_set(tmp_path, ["a.ome.tif", "b.ome.tif"], None)
    _touch(tmp_path, "in/c.tif")
    names = [str(second), str(tmp_path / "in"), str(first), str(second)]
    jobs = plan_jobs(names, tmp_path / "out")
    assert [(job.source.name, job.part_of) for job in jobs] == [
        ("b.ome.tif", None),
        ("c.tif", None),
        ("a.ome.tif", second),
    ]


def test_of_files_that_are_named_the_main_images_are_taken(tmp_path: Path) -> None:
    first, second, _ = write_positions(tmp_path, 3)
    jobs = plan_jobs([str(first), str(second)], tmp_path / "out")
    assert [(job.image, job.part_of) for job in jobs] == [(None, None)] * 2
    named = [job.output.name for job in jobs]
    assert named == ["p0.inr.ome.tif", "p1.inr.ome.tif"]


def test_a_companion_and_its_files_are_one_image(tmp_path: Path) -> None:
    """Even where one of them would have the same result."""
    paths = write_set(tmp_path, ["a.ome.tif", "b.ome.tif"], "a.companion.ome")
    first, *others = plan_jobs([str(tmp_path)], tmp_path / "out")
    assert first.source == tmp_path / "a.companion.ome"
    assert first.output == tmp_path / "out" / "a.inr.ome.tif"
    assert [(job.source, job.part_of) for job in others] == [
        (path, first.source) for path in paths
    ]


def test_images_of_a_file_have_different_outputs(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as writer:
        for name in ("x/y", "x:y", "X_Y"):
            writer.write(np.zeros((8, 8), np.uint8), metadata={"Name": name})
    jobs = plan_jobs([str(path)], tmp_path / "out", "all")
    assert [job.output.name for job in jobs] == [
        "a.x_y.inr.ome.tif",
        "a.x_y 1.inr.ome.tif",
        "a.X_Y 2.inr.ome.tif",
    ]
    assert sum(job.size for job in jobs) <= path.stat().st_size


def test_one_image_is_one_job_whatever_is_chosen(tmp_path: Path) -> None:
    first, *_ = write_positions(tmp_path, 3)
    jobs = plan_jobs([str(tmp_path)], tmp_path / "out", "Pos1")
    named = [(job.image and job.image.name, job.part_of) for job in jobs]
    assert named == [("Pos1", None), (None, first), (None, first)]
    (job,) = plan_jobs([str(first)], tmp_path / "out")
    assert (job.image, job.output.name) == (None, "p0.inr.ome.tif")
