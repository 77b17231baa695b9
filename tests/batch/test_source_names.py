"""Names of files and folders that a disk allows, and folders that are read-only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_inr_denoise import DenoiseSettings, read_image, write_image
from napari_inr_denoise.batch.jobs import plan_jobs
from napari_inr_denoise.batch.options import RunOptions
from napari_inr_denoise.batch.report.files import write_report
from napari_inr_denoise.batch.serial import run_jobs
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.io.record import ImageRecord


@pytest.mark.parametrize(
    "stem",
    ["n" * 239, "\u7d30\u80de" * 39, "a b", "#1 50% [a] {b} 'c'", "\u00e4+&;"],
    ids=["long", "long unicode", "space", "signs", "more signs"],
)
@pytest.mark.parametrize("ending", [".tif", ".ome.zarr"])
def test_names_that_a_disk_allows(
    tmp_path: Path, tiny: DenoiseSettings, stem: str, ending: str
) -> None:
    source = tmp_path / "in" / f"{stem}{ending}"
    source.parent.mkdir()
    values = np.random.default_rng(0).poisson(40, (20, 20)).astype(np.uint16)
    if ending == ".tif":
        tifffile.imwrite(source, values)
    else:
        write_image(source, ImageRecord(values, "YX"))
    jobs = plan_jobs([str(source)], tmp_path / "out")
    for status in ("done", "skipped"):
        run = GeneratorResult(run_jobs(jobs, RunOptions(tiny)))
        assert list(run) or status == "skipped"
        (file,) = run.result.files
        assert (file.status, file.error) == (status, None)
    write_report(run.result, tmp_path / "out")
    assert read_image(jobs[0].output).data.shape == (20, 20)
    assert len(list((tmp_path / "out").glob("*.partial"))) == 0


def test_a_name_that_is_too_long_for_the_result_is_said_before_the_fit(
    tmp_path: Path, tiny: DenoiseSettings
) -> None:
    source = tmp_path / f"{'n' * 250}.tif"
    tifffile.imwrite(source, np.ones((20, 20), np.uint16))
    jobs = plan_jobs([str(source)], tmp_path / "out")
    run = GeneratorResult(run_jobs(jobs, RunOptions(tiny, overwrite=True)))
    assert [step.step for step in run] == [None]
    (file,) = run.result.files
    assert "the name is too long for the disk" in str(file.error)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_read_only_is_read(
    tmp_path: Path, tiny: DenoiseSettings
) -> None:
    source = tmp_path / "in" / "a.tif"
    source.parent.mkdir()
    tifffile.imwrite(source, np.ones((20, 20), np.uint16))
    source.chmod(0o444)
    source.parent.chmod(0o555)
    before = sorted(path.name for path in source.parent.iterdir())
    (job,) = plan_jobs([str(source.parent)], tmp_path / "out")
    run = GeneratorResult(run_jobs([job], RunOptions(tiny)))
    assert list(run)
    assert run.result.files[0].status == "done"
    assert sorted(path.name for path in source.parent.iterdir()) == before
    source.parent.chmod(0o755)
