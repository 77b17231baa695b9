from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from napari_inr_denoise.batch.jobs import plan_jobs
from napari_inr_denoise.batch.output_names import (
    INTERPOLATED,
    companion_path,
    is_result,
    output_name,
)
from napari_inr_denoise.core.ensemble.maps import MAPS


@pytest.mark.parametrize(
    ("output", "wanted"),
    [
        ("a.inr.ome.tif", "a.inr.interpolated.ome.tif"),
        ("a.inr.b.inr.ome.zarr", "a.inr.b.inr.interpolated.ome.zarr"),
    ],
)
def test_the_name_says_what_it_is(output: str, wanted: str) -> None:
    assert companion_path(Path("x") / output, INTERPOLATED) == Path("x") / wanted


@pytest.mark.parametrize("source", ["a.tif", "a.ome.tif", "a.ome.btf", "a.OME.TF8"])
def test_the_whole_ending_of_a_source_is_replaced(source: str) -> None:
    assert output_name(Path(source)) == "a.inr.ome.tif"


@pytest.mark.parametrize("output", ["a.inr.ome.tif", "a.inr.ome.zarr"])
def test_results_and_companions_are_no_inputs(tmp_path: Path, output: str) -> None:
    path = tmp_path / output
    companions = [companion_path(path, kind) for kind in (*MAPS, INTERPOLATED)]
    for file in (path, *companions):
        file.mkdir() if output.endswith(".zarr") else file.touch()
        assert is_result(file)
    (tmp_path / "a.inr.day 2.ome.tif").touch()
    jobs = plan_jobs([str(tmp_path)], tmp_path)
    assert [job.source.name for job in jobs] == ["a.inr.day 2.ome.tif"]


def test_names_of_files_load_nothing_that_computes() -> None:
    """The panel needs them as it opens."""
    program = (
        "import sys, napari_inr_denoise.batch.output_names\n"
        "assert not {'torch', 'scipy.optimize'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
