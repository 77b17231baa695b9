"""Start workers with dask, denoise on them with `inr-denoise run`, and end them.

On a SLURM cluster (needs `python -m pip install dask-jobqueue`), from a login node:

    python docs/scripts/on_a_cluster.py slurm --workers 8 -- IN --out OUT

On a machine with several GPUs (needs `dask-cuda`), and on any machine, to try it:

    python docs/scripts/on_a_cluster.py cuda -- IN --out OUT
    python docs/scripts/on_a_cluster.py local --workers 2 -- IN --out OUT

What follows `--` are arguments of `inr-denoise run`. `slurm --show` prints the job
that would be submitted for each worker, and submits nothing.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from typing import Any


def main() -> int:
    """Return the exit code of `inr-denoise run`."""
    own, arguments = _split(sys.argv[1:])
    options = _parser().parse_args(own)
    with _cluster(options) as cluster:
        if options.show:
            print(cluster.job_script())
            return 0
        address = cluster.scheduler_address
        print(f"scheduler: {address}", flush=True)
        command = [sys.executable, "-m", "napari_inr_denoise", "run"]
        command += [*arguments, "--scheduler", address]
        return subprocess.run(command, check=False).returncode


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Return what stands before and after `--`."""
    at = arguments.index("--") if "--" in arguments else len(arguments)
    return arguments[:at], arguments[at + 1 :]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("kind", choices=["slurm", "cuda", "local"])
    add("--workers", type=int, default=2, help="each denoises one file at a time")
    add("--cores", type=int, default=8, help="of each worker (slurm)")
    add("--memory", default="16GB", help="of each worker (slurm)")
    add("--walltime", default="08:00:00", help="of each worker (slurm)")
    add("--queue", help="partition (slurm)")
    add("--directive", action="append", default=[], help="such as --gres=gpu:1 (slurm)")
    add("--show", action="store_true", help="only print the job (slurm)")
    return parser


def _cluster(options: argparse.Namespace) -> Any:  # noqa: ANN401 - three libraries' own
    if options.kind == "slurm":
        from dask_jobqueue.slurm import SLURMCluster

        made = SLURMCluster(
            queue=options.queue,
            cores=options.cores,
            processes=1,  # one worker a job, and one file a worker
            memory=options.memory,
            walltime=options.walltime,
            job_extra_directives=options.directive,
            # Torch shall have all cores of the job; dask alone would leave it one.
            job_script_prologue=[f"export OMP_NUM_THREADS={options.cores}"],
            scheduler_options={"dashboard": False},
        )
        if not options.show:
            made.scale(jobs=options.workers)
        return made
    if options.kind == "cuda":
        from dask_cuda import LocalCUDACluster

        return LocalCUDACluster(dashboard_address=None)
    from distributed import LocalCluster

    # No limit: a file's memory is bounded by its settings.
    return LocalCluster(
        n_workers=options.workers, dashboard_address=None, memory_limit=0
    )


if __name__ == "__main__":
    sys.exit(main())
