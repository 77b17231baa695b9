"""Levels of the OME-Zarr results of a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from napari_inr_denoise import DenoiseSettings, read_image, write_image
from napari_inr_denoise.batch.jobs import plan_jobs
from napari_inr_denoise.batch.options import RunOptions
from napari_inr_denoise.batch.report.job_report import JobReport
from napari_inr_denoise.batch.serial import run_jobs
from napari_inr_denoise.cli.main import main
from napari_inr_denoise.io.ome_zarr.levels import count_levels
from napari_inr_denoise.io.provenance import read_provenance
from napari_inr_denoise.io.record import ImageRecord


def _write(path: Path, rng: np.random.Generator) -> Path:
    image = rng.poisson(40, (24, 24)).astype(np.uint16)
    write_image(path, ImageRecord(image, "YX", {"Y": 0.1, "X": 0.1}))
    return path


def _run(path: Path, options: RunOptions) -> JobReport:
    jobs = plan_jobs([str(path)], path.parent / "out")
    (last,) = [step.done for step in run_jobs(jobs, options) if step.done]
    return last


def test_result_and_maps_have_levels(
    tmp_path: Path, rng: np.random.Generator, tiny: DenoiseSettings
) -> None:
    path = _write(tmp_path / "a.ome.zarr", rng)
    done = _run(path, RunOptions(tiny, maps=("residual",), levels=3))
    assert done.file.status == "done"
    for name in ("a.inr.ome.zarr", "a.inr.residual.ome.zarr"):
        assert count_levels(tmp_path / "out" / name) == 3


def test_levels_are_added_to_what_is_done(
    tmp_path: Path, rng: np.random.Generator, tiny: DenoiseSettings
) -> None:
    path = _write(tmp_path / "a.ome.zarr", rng)
    output = tmp_path / "out" / "a.inr.ome.zarr"
    _run(path, RunOptions(tiny, same_dtype=True))
    before, made_by = read_image(output), read_provenance(output)
    assert count_levels(output) == 1
    done = _run(path, RunOptions(tiny, same_dtype=True, levels=2))
    assert done.file.status == "skipped"
    assert count_levels(output) == 2
    after = read_image(output)
    assert after == before
    np.testing.assert_array_equal(after.data, before.data)
    assert read_provenance(output) == made_by
    # What has levels keeps them.
    _run(path, RunOptions(tiny, same_dtype=True))
    assert count_levels(output) == 2


def test_a_tiff_has_none_and_that_is_said(
    tmp_path: Path, rng: np.random.Generator, tiny: DenoiseSettings
) -> None:
    done = _run(_write(tmp_path / "a.ome.tif", rng), RunOptions(tiny, levels="auto"))
    assert done.file.status == "done"
    assert "only OME-Zarr has them" in done.notes[-1]


@pytest.mark.parametrize("levels", ["0", "-1", "some"])
def test_the_command_line_refuses_other_numbers(tmp_path: Path, levels: str) -> None:
    command = ["run", str(tmp_path), "--out", str(tmp_path), "--levels", levels]
    answer = CliRunner().invoke(main, command)
    assert answer.exit_code == 2
    assert 'wanted "auto" or a whole number' in answer.output
