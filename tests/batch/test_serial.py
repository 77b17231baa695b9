from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_inr_denoise import DenoiseSettings, denoise, read_image, write_image
from napari_inr_denoise.batch.jobs import plan_jobs
from napari_inr_denoise.batch.options import RunOptions
from napari_inr_denoise.batch.report.files import write_report
from napari_inr_denoise.batch.report.page import page
from napari_inr_denoise.batch.serial import run_jobs
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.report.report import DenoiseReport, FileReport
from napari_inr_denoise.core.settings import preset_settings
from napari_inr_denoise.io.record import ImageRecord, Quantity
from tests.file_sets import write_set


@pytest.fixture
def folder(tmp_path: Path, rng: np.random.Generator) -> Path:
    """Two small stacks and a file that is no image."""
    for name in ("a", "b"):
        stack = rng.poisson(40 + 30 * np.sin(np.arange(24) / 4), (2, 24, 24))
        metadata = {"axes": "ZYX", "unit": "um", "spacing": 0.5}
        tifffile.imwrite(
            tmp_path / f"{name}.tif",
            stack.astype(np.uint16),
            imagej=True,
            resolution=(10, 10),
            metadata=metadata,
        )
    (tmp_path / "broken.tif").write_bytes(b"II*\0")
    return tmp_path


def _run(folder: Path, options: RunOptions) -> DenoiseReport:
    jobs = plan_jobs([str(folder)], folder / "out")
    run = GeneratorResult(run_jobs(jobs, options))
    assert len(list(run)) >= len(jobs)
    return run.result


def test_one_failing_file_does_not_stop_the_others(
    folder: Path, tiny: DenoiseSettings
) -> None:
    report = _run(folder, RunOptions(tiny))
    by_name = {Path(str(file.source)).name: file for file in report.files}
    assert [by_name[n].status for n in ("a.tif", "b.tif")] == ["done", "done"]
    broken = by_name["broken.tif"]
    assert broken.status == "failed"
    assert "could not be read" in str(broken.error)
    assert not (folder / "out" / "broken.inr.ome.tif").exists()


def test_planes_without_noise_are_returned_as_they_are(tmp_path: Path) -> None:
    flat = np.full((4, 24, 24), 7, np.uint16)
    flat[1:3] = 9
    for name, stack in (("flat.tif", flat), ("empty.tif", 0 * flat)):
        tifffile.imwrite(tmp_path / name, stack, imagej=True, metadata={"axes": "ZYX"})
    settings = preset_settings("fast", window_steps=20, device="cpu")
    report = _run(tmp_path, RunOptions(settings))
    assert [file.status for file in report.files] == ["done", "done"]
    result = read_image(tmp_path / "out" / "flat.inr.ome.tif")
    assert np.array_equal(result.data, flat)


def test_files_that_differ_only_in_their_ending_have_results_of_their_own(
    tmp_path: Path, tiny: DenoiseSettings, rng: np.random.Generator
) -> None:
    plane = rng.poisson(50, (24, 24)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", plane)
    Image.fromarray(plane[::-1]).save(tmp_path / "a.png")
    for status in ("done", "skipped"):
        report = _run(tmp_path, RunOptions(tiny))
        assert [file.status for file in report.files] == [status] * 2
        names = [Path(str(file.output)).name for file in report.files]
        assert names == ["a.png.inr.ome.tif", "a.tif.inr.ome.tif"]
        assert "would also give a.inr.ome.tif" in report.files[0].notes[0]


def test_parts_of_another_image_are_accounted_for(
    tmp_path: Path, tiny: DenoiseSettings
) -> None:
    first, second = write_set(tmp_path, ["a.ome.tif", "b.ome.tif"], "a.ome.tif")
    report = _run(tmp_path, RunOptions(tiny))
    whole, part = report.files
    assert (whole.source, whole.status, whole.shape) == (
        str(first),
        "done",
        (2, 16, 16),
    )
    assert (part.source, part.status, part.planes) == (str(second), "skipped", ())
    assert str(first) in part.notes[0]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.inr.ome.tif"]
    write_report(report, tmp_path / "out")
    with (tmp_path / "out" / "report.csv").open(newline="") as file:
        *_, row = csv.DictReader(file)
    assert (row["source"], row["notes"]) == (str(second), part.notes[0])
    said = page(report, [None, None])
    assert "1 denoised, 1 parts of others" in said
    assert "Failed" not in said


def test_the_result_has_the_sizes_of_its_source(
    folder: Path, tiny: DenoiseSettings
) -> None:
    _run(folder, RunOptions(tiny))
    source = read_image(folder / "a.tif")
    found = read_image(folder / "out" / "a.inr.ome.tif")
    assert found.axes == "ZYX"
    assert found.data.dtype == np.float32
    assert found.spacing_um == pytest.approx({"Z": 0.5, "Y": 0.1, "X": 0.1})
    alone = denoise(source.data, axes="ZYX", settings=tiny, spacing_um=(0.5, 0.1, 0.1))
    np.testing.assert_array_equal(found.data, alone.image)


def test_what_is_done_and_unchanged_is_skipped(
    folder: Path, tiny: DenoiseSettings, rng: np.random.Generator
) -> None:
    first = _run(folder, RunOptions(tiny))
    again = _run(folder, RunOptions(replace(tiny, device="auto")))
    assert [file.status for file in again.files] == ["skipped", "skipped", "failed"]
    assert again.files[0].planes == first.files[0].planes
    changed = _run(folder, RunOptions(replace(tiny, seed=1)))
    assert changed.files[0].status == "done"
    tifffile.imwrite(folder / "a.tif", rng.poisson(50, (24, 24)).astype(np.uint16))
    other = _run(folder, RunOptions(replace(tiny, seed=1)))
    assert [file.status for file in other.files] == ["done", "skipped", "failed"]
    forced = _run(folder, RunOptions(replace(tiny, seed=1), overwrite=True))
    assert [file.status for file in forced.files] == ["done", "done", "failed"]


def test_a_foreign_file_is_not_overwritten(folder: Path, tiny: DenoiseSettings) -> None:
    (folder / "out").mkdir()
    foreign = folder / "out" / "a.inr.ome.tif"
    foreign.write_bytes(b"precious")
    report = _run(folder, RunOptions(tiny))
    assert report.files[0].status == "failed"
    assert "--overwrite" in str(report.files[0].error)
    assert foreign.read_bytes() == b"precious"
    assert _run(folder, RunOptions(tiny, overwrite=True)).files[0].status == "done"


def test_the_result_of_another_source_is_not_overwritten(
    folder: Path, tiny: DenoiseSettings, rng: np.random.Generator
) -> None:
    def status(name: str, settings: DenoiseSettings = tiny, **options: bool) -> str:
        jobs = plan_jobs([str(folder / name)], folder / "out")
        run = GeneratorResult(run_jobs(jobs, RunOptions(settings, **options)))
        assert list(run)
        (file,) = run.result.files
        return file.status if file.error is None else file.error

    assert status("a.tif") == "done"
    (folder / "day2").mkdir()
    (folder / "a.tif").rename(folder / "day2" / "a.tif")
    assert status("day2/a.tif") == "skipped"  # the same content
    assert status("day2/a.tif", replace(tiny, seed=1)) == "done"
    tifffile.imwrite(folder / "a.tif", rng.poisson(50, (24, 24)).astype(np.uint16))
    refused = status("a.tif")
    assert str(folder / "day2" / "a.tif") in refused
    assert "Choose another folder for the results or use --overwrite." in refused
    assert status("day2/a.tif", replace(tiny, seed=1)) == "skipped"
    assert status("a.tif", overwrite=True) == "done"


def test_the_same_dtype_is_rounded(folder: Path, tiny: DenoiseSettings) -> None:
    _run(folder, RunOptions(tiny, same_dtype=True))
    assert read_image(folder / "out" / "a.inr.ome.tif").data.dtype == np.uint16


def test_a_file_report_survives_a_round_trip(
    folder: Path, tiny: DenoiseSettings
) -> None:
    for file in _run(folder, RunOptions(tiny)).files:
        assert FileReport.from_dict(file.to_dict()) == file


def test_the_users_axes_in_small_letters_keep_what_still_fits(
    folder: Path, tiny: DenoiseSettings
) -> None:
    _run(folder, RunOptions(tiny, axes="tyx"))
    found = read_image(folder / "out" / "a.inr.ome.tif")
    assert found.axes == "TYX"
    assert found.spacing_um == pytest.approx({"Y": 0.1, "X": 0.1})


def test_a_guess_that_the_user_has_decided_is_none_any_more(
    tmp_path: Path, rng: np.random.Generator, tiny: DenoiseSettings
) -> None:
    samples = rng.poisson(40, (20, 20, 2)).astype(np.uint16)
    tifffile.imwrite(
        tmp_path / "a.tif",
        samples,
        photometric="minisblack",
        planarconfig="contig",
        extrasamples=["unassalpha"],
    )
    for axes, planes, told in ((None, 1, True), ("YXC", 2, False)):
        jobs = plan_jobs([str(tmp_path / "a.tif")], tmp_path / str(axes))
        run = GeneratorResult(run_jobs(jobs, RunOptions(tiny, axes=axes)))
        reports = [step.done for step in run if step.done is not None]
        assert len(reports[0].file.planes) == planes
        assert ("alpha" in " ".join(reports[0].notes)) == told


@pytest.mark.parametrize("dtype", ["f2", "i8", "u8", "c8"])
def test_a_type_that_cannot_be_written_fails_before_the_fit_and_says_what_to_do(
    tmp_path: Path,
    tiny: DenoiseSettings,
    rng: np.random.Generator,
    monkeypatch: pytest.MonkeyPatch,
    dtype: str,
) -> None:
    plane = rng.poisson(40, (24, 24)).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", plane)
    with monkeypatch.context() as without_fit:
        without_fit.setattr("napari_inr_denoise.batch.file.denoise_steps", None)
        (file,) = _run(tmp_path, RunOptions(tiny, same_dtype=True)).files
    assert "OME-TIFF cannot hold" in str(file.error)
    (again,) = _run(tmp_path, RunOptions(tiny)).files
    if dtype == "c8":
        for error in (file.error, again.error):
            assert "real and imaginary parts, or the magnitude" in str(error)
        return
    assert "--dtype float32" in str(file.error)
    assert (again.status, again.dtype) == ("done", str(np.dtype(dtype)))


def test_wrong_axes_fail_file_by_file(folder: Path, tiny: DenoiseSettings) -> None:
    report = _run(folder, RunOptions(tiny, axes="YX"))
    assert all(file.status == "failed" for file in report.files)
    assert "one letter per dimension" in str(report.files[0].error)


def test_a_zarr_becomes_a_zarr_with_all_that_it_says(
    tmp_path: Path, tiny: DenoiseSettings, rng: np.random.Generator
) -> None:
    values = rng.poisson(40, (1, 2, 24, 24)).astype(np.int64)
    record = ImageRecord(
        values,
        "TCYX",
        channel_names=("a", "b"),
        channel_colours=("#ff0000", "#00ff00"),
        stated={"X": Quantity(65.0, "nm")},
        spacing_um={"X": 0.065},
        ngff_version="0.4",
    )
    write_image(tmp_path / "a.zarr", record)
    first, again = (_run(tmp_path, RunOptions(tiny, same_dtype=True)) for _ in range(2))
    assert (first.files[0].status, again.files[0].status) == ("done", "skipped")
    found = read_image(tmp_path / "out" / "a.inr.ome.zarr")
    assert found.data.dtype == np.int64
    source = read_image(tmp_path / "a.zarr")
    assert found == source
    write_image(tmp_path / "a.zarr", replace(record, data=values + 1))
    changed = _run(tmp_path, RunOptions(tiny, same_dtype=True))
    assert changed.files[0].status == "done"


def test_a_zarr_with_a_link_to_elsewhere_fails_before_it_is_read(
    tmp_path: Path, tiny: DenoiseSettings
) -> None:
    write_image(tmp_path / "a.zarr", ImageRecord(np.zeros((4, 5), np.uint8), "YX"))
    (tmp_path / "a.zarr" / "link").symlink_to(tmp_path)
    (file,) = _run(tmp_path, RunOptions(tiny)).files
    assert file.status == "failed"
    assert str(tmp_path / "a.zarr" / "link") in str(file.error)
    assert "leads outside of" in str(file.error)
    assert not (tmp_path / "out" / "a.inr.ome.zarr").exists()


def test_a_run_that_was_stopped_goes_on_with_the_next_plane(
    folder: Path, tiny: DenoiseSettings
) -> None:
    jobs = plan_jobs([str(folder / "a.tif")], folder / "out")
    partial = folder / "out" / "a.inr.ome.tif.partial"
    steps = run_jobs(jobs, RunOptions(tiny))
    next(one for one in steps if one.step and one.step.plane_number == 1)
    steps.close()
    assert partial.is_dir()
    assert not jobs[0].output.exists()
    going_on = GeneratorResult(run_jobs(jobs, RunOptions(tiny)))
    seen = [one.step.plane.index["Z"] for one in going_on if one.step]
    assert set(seen) == {1}
    assert not partial.exists()
    (file,) = going_on.result.files
    assert [plane.index["Z"] for plane in file.planes] == [0, 1]
    values = read_image(folder / "a.tif").data
    whole = denoise(values, axes="ZYX", settings=tiny, spacing_um=(0.5, 0.1, 0.1))
    assert np.array_equal(read_image(jobs[0].output).data, whole.image)
    assert file.planes == whole.report.files[0].planes


def test_a_stop_in_the_first_plane_leaves_nothing(
    folder: Path, tiny: DenoiseSettings
) -> None:
    steps = run_jobs(
        plan_jobs([str(folder / "a.tif")], folder / "out"), RunOptions(tiny)
    )
    next(steps)
    steps.close()
    assert list((folder / "out").iterdir()) == []


def test_other_settings_begin_anew(folder: Path, tiny: DenoiseSettings) -> None:
    jobs = plan_jobs([str(folder / "a.tif")], folder / "out")
    steps = run_jobs(jobs, RunOptions(tiny))
    next(one for one in steps if one.step and one.step.plane_number == 1)
    steps.close()
    again = run_jobs(jobs, RunOptions(replace(tiny, seed=5)))
    step = next(again).step
    assert step is not None
    assert step.plane_number == 0
    again.close()


def test_a_result_of_another_state_of_development_counts_as_done(
    folder: Path, tiny: DenoiseSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "napari_inr_denoise.batch.checkpoint.cache_key.version"
    monkeypatch.setattr(name, lambda _: "1.2.0.dev3+gabc.d20260101")
    _run(folder, RunOptions(tiny))
    monkeypatch.setattr(name, lambda _: "1.2.0")
    assert _run(folder, RunOptions(tiny)).files[0].status == "skipped"
    monkeypatch.setattr(name, lambda _: "1.3.0")
    assert _run(folder, RunOptions(tiny)).files[0].status == "done"


def test_a_done_file_has_thumbnails_and_so_has_a_skipped_one(
    folder: Path, tiny: DenoiseSettings
) -> None:
    jobs = plan_jobs([str(folder / "a.tif")], folder / "out")
    done, skipped = (
        [one.done for one in run_jobs(jobs, RunOptions(tiny)) if one.done][0]  # noqa: RUF015
        for _ in range(2)
    )
    assert skipped.file.status == "skipped"
    assert done.thumbnails is not None
    assert done.thumbnails == skipped.thumbnails


SIGNED = "ImageJ=1.54f\nunit=um\ncf=0\nc0=-32768\nc1=1\nvunit=Gray Value\n"


@pytest.mark.parametrize("same", [False, True])
def test_calibrated_intensities_are_not_shifted(
    tmp_path: Path, rng: np.random.Generator, tiny: DenoiseSettings, same: bool
) -> None:
    values = rng.poisson(40, (24, 24))
    stored = (values + 32768).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", stored, description=SIGNED, metadata=None)
    (file,) = _run(tmp_path, RunOptions(tiny, same_dtype=same)).files
    assert file.planes[0].mean_before == pytest.approx(values.mean())
    output = tmp_path / "out" / "a.inr.ome.tif"
    assert read_image(output).data.mean() == pytest.approx(values.mean(), abs=1)
    written = tifffile.imread(output)
    assert written.dtype == (np.uint16 if same else np.float32)
    offset = 32768 if same else 0  # its own numbers, or what ImageJ shows
    assert written.mean() - offset == pytest.approx(values.mean(), abs=1)
