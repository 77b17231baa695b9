"""Maps beside the results of a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_inr_denoise import DenoiseSettings, denoise, read_image, write_image
from napari_inr_denoise.batch.jobs import Job, plan_jobs
from napari_inr_denoise.batch.options import RunOptions
from napari_inr_denoise.batch.serial import run_jobs
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.report.report import FileReport
from napari_inr_denoise.io.record import ImageRecord

MAPS = ("residual", "normalized_residual")


@pytest.fixture
def record(rng: np.random.Generator) -> ImageRecord:
    return ImageRecord(
        rng.poisson(40, (2, 24, 24)).astype(np.uint16),
        "ZYX",
        {"Z": 0.5, "Y": 0.1, "X": 0.1},
        channel_names=("nuclei",),
        display_ranges=((20.0, 60.0),),
    )


@pytest.fixture(params=["a.ome.tif", "a.ome.zarr"])
def job(tmp_path: Path, record: ImageRecord, request: pytest.FixtureRequest) -> Job:
    """A stack as a TIFF or a Zarr, and where its result goes."""
    write_image(tmp_path / request.param, record)
    (job,) = plan_jobs([str(tmp_path / request.param)], tmp_path / "out")
    return job


def _run(job: Job, options: RunOptions) -> FileReport:
    run = GeneratorResult(run_jobs([job], options))
    for _ in run:
        pass
    (file,) = run.result.files
    return file


def _map(job: Job, name: str) -> Path:
    return job.output.with_name(job.output.name.replace(".inr", f".inr.{name}"))


def test_maps_stand_beside_the_result_and_say_what_it_says(
    job: Job, record: ImageRecord, tiny: DenoiseSettings
) -> None:
    options = RunOptions(tiny, same_dtype=True, maps=MAPS)
    assert _run(job, options).status == "done"
    names = {job.output.name, *(_map(job, name).name for name in MAPS)}
    assert {file.name for file in job.output.parent.iterdir()} == names
    spacing = (0.5, 0.1, 0.1)
    alone = denoise(record.data, axes="ZYX", settings=tiny, spacing_um=spacing)
    for name in MAPS:
        found = read_image(_map(job, name))
        assert found.data.dtype == np.float32
        assert np.array_equal(found.data, alone.maps[name], equal_nan=True)
        result = read_image(job.output)
        assert found == replace(result, data=found.data, display_ranges=())
    assert read_image(job.output).data.dtype == np.uint16


def test_what_is_not_known_is_nan(job: Job, tiny: DenoiseSettings) -> None:
    paper = replace(tiny, mode="volume")
    _run(job, RunOptions(paper, maps=("uncertainty",)))
    assert np.isnan(read_image(_map(job, "uncertainty")).data).all()


def test_a_file_is_done_again_until_its_maps_are_there(
    job: Job, tiny: DenoiseSettings
) -> None:
    def status(*maps: str) -> str:
        return _run(job, RunOptions(tiny, maps=maps)).status

    assert status() == "done"
    assert [status("residual") for _ in range(2)] == ["done", "skipped"]
    assert status() == "skipped"
    assert [status(*MAPS) for _ in range(2)] == ["done", "skipped"]


def test_a_foreign_file_under_the_name_of_a_map_is_not_overwritten(
    job: Job, tiny: DenoiseSettings
) -> None:
    foreign = _map(job, "residual")
    foreign.parent.mkdir()
    foreign.write_bytes(b"precious")
    file = _run(job, RunOptions(tiny, maps=MAPS))
    assert (file.status, job.output.exists()) == ("failed", False)
    assert f"{foreign} exists and was not written" in str(file.error)
    assert foreign.read_bytes() == b"precious"


@pytest.mark.parametrize("maps", [MAPS, MAPS[:1]])
def test_a_run_that_was_stopped_goes_on_with_the_same_maps_only(
    tmp_path: Path, record: ImageRecord, tiny: DenoiseSettings, maps: tuple[str, ...]
) -> None:
    tifffile.imwrite(tmp_path / "a.tif", record.data, photometric="minisblack")
    (job,) = plan_jobs([str(tmp_path / "a.tif")], tmp_path / "out")
    steps = run_jobs([job], RunOptions(tiny, axes="ZYX", maps=MAPS))
    next(one for one in steps if one.step and one.step.plane_number == 1)
    steps.close()
    going_on = run_jobs([job], RunOptions(tiny, axes="ZYX", maps=maps))
    seen = {one.step.plane.index["Z"] for one in going_on if one.step}
    assert seen == ({1} if maps == MAPS else {0, 1})
    whole = denoise(record.data, axes="ZYX", settings=tiny)
    for name in maps:
        found = read_image(_map(job, name)).data
        assert np.array_equal(found, whole.maps[name], equal_nan=True)
    assert len(list(job.output.parent.iterdir())) == 1 + len(maps)
