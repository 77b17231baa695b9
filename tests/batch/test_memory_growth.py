"""Many runs in one process take no more memory than few.

Each way is run in a process of its own. A plane takes 0.6 MB as float32; were one kept
by each run, eight of them would add 5 MB. What the allocator holds back is given to the
system before it is measured.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

SIDE = 384
RUNS = 8
_PLANE_MB = 4 * SIDE**2 / 1e6
_MOST_MB = RUNS * _PLANE_MB / 2
_PROGRAM = """
import ctypes, gc, os, sys
from pathlib import Path
import numpy as np
from napari_inr_denoise import denoise
from napari_inr_denoise.batch.jobs import plan_jobs
from napari_inr_denoise.batch.options import RunOptions
from napari_inr_denoise.batch.serial import run_jobs
from tests.core.any_image import QUICK

source, runs, ways = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
image = np.random.default_rng(0).poisson(40, (SIDE, SIDE)).astype(np.uint16)
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

for _ in range(4):
    once(ways[0])
for way in ways:
    before = megabytes()
    for _ in range(runs):
        once(way)
    print(megabytes() - before)
"""


def _growth_mb(source: Path, *ways: str) -> list[float]:
    """Return the growth in each way, one after the other in one process."""
    tifffile.imwrite(
        source, np.random.default_rng(0).poisson(40, (SIDE, SIDE)).astype(np.uint16)
    )
    program = _PROGRAM.replace("SIDE", str(SIDE))
    done = subprocess.run(
        [sys.executable, "-c", program, str(source), str(RUNS), *ways],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [float(line) for line in done.stdout.splitlines()[-len(ways) :]]


pytestmark = pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="Linux tells what a process holds"
)


def test_many_runs_hold_no_more_than_few(tmp_path: Path) -> None:
    """A plane that is kept by each run would be seen."""
    growth, leak = _growth_mb(tmp_path / "a.tif", "python", "leak")
    assert growth < _MOST_MB < leak


def test_many_batches_hold_no_more_than_few(tmp_path: Path) -> None:
    (growth,) = _growth_mb(tmp_path / "a.tif", "batch")
    assert growth < _MOST_MB
