"""Many runs in one process take no more memory than few.

All ways are run in one process apart from the tests', each after some runs that load
what it needs. A plane takes 0.26 MB as float32; were one kept by each run, four of them
would add 1 MB. What the allocator holds back is given to the system before it is
measured.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

SIDE = 256
RUNS = 4
_WAYS = ("python", "batch", "leak")
_PLANE_MB = 4 * SIDE**2 / 1e6
_MOST_MB = RUNS * _PLANE_MB / 2
_PROGRAM = """
import ctypes, gc, os, sys
from pathlib import Path
import numpy as np
import tifffile
from napari_inr_denoise import denoise
from napari_inr_denoise.batch.jobs import plan_jobs
from napari_inr_denoise.batch.options import RunOptions
from napari_inr_denoise.batch.serial import run_jobs
from tests.core.any_image import QUICK

source, runs, ways = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
image = tifffile.imread(source)
settings = QUICK["paper"]
jobs = plan_jobs([str(source)], source.parent / "out")
kept = []

def megabytes():
    gc.collect()
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf('SC_PAGE_SIZE') / 1e6

def once(way):
    if way == "batch":
        for step in run_jobs(jobs, RunOptions(settings, overwrite=True)):
            assert step.done is None or step.done.file.status == "done", step.done
        return
    result = denoise(image, settings=settings)
    if way == "leak":
        kept.append(result.image)

for way in ("python", "batch"):
    for _ in range(2):
        once(way)
for way in ways:
    before = megabytes()
    for _ in range(runs):
        once(way)
    print(megabytes() - before)
"""


@pytest.fixture(scope="module")
def growth_mb(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    """The growth in each way, one after the other in one process."""
    source = tmp_path_factory.mktemp("growth") / "a.tif"
    # Noise in a corner is measured sooner, and the rest is held as well.
    image = np.full((SIDE, SIDE), 40, np.uint16)
    image[:64, :64] = np.random.default_rng(0).poisson(40, (64, 64))
    tifffile.imwrite(source, image)
    program = _PROGRAM.replace("SIDE", str(SIDE))
    done = subprocess.run(
        [sys.executable, "-c", program, str(source), str(RUNS), *_WAYS],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr[-2000:]
    figures = [float(line) for line in done.stdout.splitlines()[-len(_WAYS) :]]
    return dict(zip(_WAYS, figures, strict=True))


pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        not Path("/proc/self/statm").exists(), reason="Linux tells what a process holds"
    ),
]


def test_many_runs_hold_no_more_than_few(growth_mb: dict[str, float]) -> None:
    """A plane that is kept by each run would be seen."""
    assert growth_mb["python"] < _MOST_MB < growth_mb["leak"]


def test_many_batches_hold_no_more_than_few(growth_mb: dict[str, float]) -> None:
    assert growth_mb["batch"] < _MOST_MB
