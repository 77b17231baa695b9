"""Files with several images, and incomplete ones, in a run over files."""

from __future__ import annotations

import json
import shutil
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
from napari_inr_denoise.core.report.report import DenoiseReport
from napari_inr_denoise.io.provenance import read_provenance
from napari_inr_denoise.io.record import ImageRecord
from tests.file_sets import write_positions


def _run(source: Path, options: RunOptions, series: str | None = None) -> DenoiseReport:
    jobs = plan_jobs([str(source)], _out(source), series)
    run = GeneratorResult(run_jobs(jobs, options))
    list(run)
    return run.result


def _out(source: Path) -> Path:
    return (source if source.is_dir() else source.parent) / "out"


def _results(folder: Path) -> dict[str, int]:
    found = sorted((folder / "out").glob("*.inr.ome.tif"))
    return {one.name: round(float(read_image(one).data.mean()), -2) for one in found}


@pytest.fixture
def cut(tmp_path: Path, rng: np.random.Generator) -> Path:
    """Three of four planes, and a half."""
    path = tmp_path / "a.tif"
    stack = rng.poisson(50, (4, 24, 24)).astype(np.uint16)
    tifffile.imwrite(path, stack, imagej=True, metadata={"axes": "ZYX"})
    path.write_bytes(path.read_bytes()[:-900])
    return path


@pytest.mark.parametrize("described_in_first", [False, True])
def test_each_position_of_a_folder_is_denoised_once(
    tmp_path: Path, tiny: DenoiseSettings, described_in_first: bool
) -> None:
    write_positions(tmp_path, 3, described_in_first=described_in_first)
    report = _run(tmp_path, RunOptions(tiny))
    assert [file.status for file in report.files] == ["done"] * 3
    wanted = {f"p{k}.inr.ome.tif": 100 * (k + 1) for k in range(3)}
    assert _results(tmp_path) == wanted
    again = _run(tmp_path, RunOptions(tiny))
    assert [file.status for file in again.files] == ["skipped"] * 3


def test_a_position_that_is_missing_is_accounted_for(
    tmp_path: Path, tiny: DenoiseSettings
) -> None:
    write_positions(tmp_path, 3)[1].unlink()
    for incomplete, status in ((False, "failed"), (True, "skipped")):
        options = RunOptions(tiny, incomplete=incomplete)
        first, lost, last = _run(tmp_path, options).files
        assert lost.series == "Pos1"
        assert lost.status == status
        assert "p1.ome.tif" in str(lost.error) + " ".join(lost.notes)
        assert {first.status, last.status} <= {"done", "skipped"}


def test_images_of_one_file_have_results_of_their_own(
    tmp_path: Path, tiny: DenoiseSettings, rng: np.random.Generator
) -> None:
    path = tmp_path / "a.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as writer:
        for mean, name in ((100, "x/1"), (200, "y"), (300, "label")):
            plane = rng.poisson(mean, (24, 24)).astype(np.uint16)
            writer.write(plane, metadata={"Name": name})
    report = _run(path, RunOptions(tiny))
    assert [file.series for file in report.files] == [None]
    assert _results(tmp_path) == {"a.inr.ome.tif": 100}
    report = _run(path, RunOptions(tiny), "y")
    assert [file.series for file in report.files] == ["y"]
    assert report.files[0].label == f"{path} [y]"
    report = _run(tmp_path, RunOptions(tiny))
    assert [(one.series, one.status) for one in report.files] == [
        ("x/1", "done"),
        ("y", "skipped"),
    ]
    names = ("a.inr.ome.tif", "a.x_1.inr.ome.tif", "a.y.inr.ome.tif")
    assert _results(tmp_path) == dict(zip(names, (100, 100, 200), strict=True))
    (failed,) = _run(path, RunOptions(tiny), "z").files
    assert "got 'z', wanted the name or number" in str(failed.error)
    write_report(report, tmp_path / "out")
    files = json.loads((tmp_path / "out" / "report.json").read_text())["files"]
    assert [file["series"] for file in files] == ["x/1", "y"]


def test_an_incomplete_stack_fails_or_is_denoised_as_far_as_it_goes(
    cut: Path, tiny: DenoiseSettings
) -> None:
    (file,) = _run(cut, RunOptions(tiny)).files
    assert file.status == "failed"
    assert "planes missing or cut short: 1 of 4" in str(file.error)
    (file,) = _run(cut, RunOptions(tiny, incomplete=True)).files
    assert (file.status, file.shape, file.dtype) == ("done", (4, 24, 24), "uint16")
    assert "planes missing or cut short: 1 of 4" in str(file.incomplete)
    output = Path(str(file.output))
    values = read_image(output).data
    assert np.isfinite(values[:3]).all()
    assert np.isnan(values[3]).all()
    # What is there is as if it was alone.
    assert abs(values[:3].mean() - 50) < 2
    with tifffile.TiffFile(output) as tiff:
        assert "is incomplete: planes missing" in str(tiff.ome_metadata)
    provenance = read_provenance(output)
    assert provenance is not None
    assert provenance["file"]["incomplete"] == file.incomplete


def test_an_incomplete_result_does_not_count_as_a_whole_one(
    cut: Path, tiny: DenoiseSettings
) -> None:
    for _, status in enumerate(("done", "skipped")):
        (file,) = _run(cut, RunOptions(tiny, incomplete=True)).files
        assert file.status == status
    (file,) = _run(cut, RunOptions(tiny)).files
    assert file.status == "failed"


def test_a_zarr_without_a_chunk_fails_or_is_denoised_as_far_as_it_goes(
    tmp_path: Path, tiny: DenoiseSettings, rng: np.random.Generator
) -> None:
    path = tmp_path / "a.zarr"
    stack = rng.poisson(50, (3, 24, 24)).astype(np.uint16)
    write_image(path, ImageRecord(stack, "ZYX"))
    shutil.rmtree(path / "0" / "c" / "1")
    (file,) = _run(path, RunOptions(tiny)).files
    assert file.status == "failed"
    assert "missing chunks: 1 of 3, in 1 of 3 planes (number 2)" in str(file.error)
    (file,) = _run(path, RunOptions(tiny, incomplete=True)).files
    assert file.status == "done"
    assert "missing chunks: 1 of 3" in str(file.incomplete)
    values = read_image(str(file.output)).data  # all chunks of a result are stored
    assert [bool(np.isnan(plane).all()) for plane in values] == [False, True, False]


def test_missing_integers_are_zero(cut: Path, tiny: DenoiseSettings) -> None:
    options = RunOptions(tiny, same_dtype=True, incomplete=True)
    (file,) = _run(cut, options).files
    values = read_image(str(file.output)).data
    assert values.dtype == np.uint16
    assert values[:3].all()
    assert not values[3].any()
