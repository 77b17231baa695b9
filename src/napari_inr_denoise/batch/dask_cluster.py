"""Denoise files on many processes or machines: the only file that knows dask."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import astuple, dataclass
from importlib.metadata import version
from queue import Empty, SimpleQueue
from typing import Any
from uuid import uuid4

import dask
import torch
from dask.system import CPU_COUNT
from distributed import (
    Client,
    Future,
    Nanny,
    Scheduler,
    SpecCluster,
    Worker,
    WorkerPlugin,
    get_worker,
)
from distributed.scheduler import KilledWorker

from napari_inr_denoise.batch.file import denoise_file
from napari_inr_denoise.batch.jobs import Job
from napari_inr_denoise.batch.options import RunOptions
from napari_inr_denoise.batch.progress import JobProgress
from napari_inr_denoise.batch.report.causes import cause_of
from napari_inr_denoise.batch.report.job_report import JobReport, failed
from napari_inr_denoise.batch.serial import BatchStep, BatchSteps
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.compute.threads import set_thread_count
from napari_inr_denoise.core.report.report import DenoiseReport

MAX_DEATHS = 3
"""Number of workers that may die on a file before it counts as failed."""
_NAME = "napari-inr-denoise"
_HOST = "127.0.0.1"
_PROGRESS_INTERVAL_S = 0.5
_POLL_INTERVAL_S = 0.5
_TIMEOUT_S = 10


@contextmanager
def local_workers(count: int, device: str = "auto") -> Iterator[Client]:
    """Start worker processes on this machine, and stop them at the end.

    Each worker gets an equal share of the cores, and of the GPUs if the device is
    "auto" or "cuda". Only this machine can connect, and there is no dashboard.

    Parameters
    ----------
    count : int
        Number of processes. Each denoises one file at a time.
    device : str
        Device of the settings.

    Yields
    ------
    Client
        Argument of `run_on_cluster`.
    """
    threads = max(CPU_COUNT // count, 1)
    with (
        dask.config.set(_dask_settings(threads)),
        SpecCluster(
            workers=_worker_specs(count, threads, device),
            scheduler={"cls": Scheduler, "options": _LISTENING | {"dashboard": False}},
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster) as client,
    ):
        client.register_plugin(_IgnoreInterrupts())
        yield client


@contextmanager
def existing_cluster(address: str) -> Iterator[Client]:
    """Connect to a running cluster, and leave it running at the end.

    Parameters
    ----------
    address : str
        Address of the scheduler, such as "tcp://10.0.0.1:8786".

    Raises
    ------
    ConnectionError
        If no scheduler answers at the address, or a worker has another version.
    """
    try:
        client = Client(address, timeout=_TIMEOUT_S)
    except (OSError, ValueError) as error:
        raise ConnectionError(
            f"no scheduler answers at {address} ({error}). Start one with "
            "`dask scheduler`, and give the address that it prints."
        ) from error
    with client:
        _check_versions(client)
        yield client


_LISTENING = {"host": _HOST, "dashboard_address": f"{_HOST}:0"}


def _dask_settings(threads: int) -> dict[str, str]:
    """Return the dask settings: environment variables of workers, and a timeout."""
    variables = {"DASK_LOGGING__DISTRIBUTED": "critical"}
    for library in ("OMP", "MKL", "OPENBLAS"):
        variables[f"{library}_NUM_THREADS"] = str(threads)
    # Threads that wait in a loop take the cores from the other workers.
    variables["OMP_WAIT_POLICY"] = "PASSIVE"
    # dask makes glibc return freed memory at once, and each network step would
    # allocate it again, page by page. These are the largest values of glibc.
    variables["MALLOC_MMAP_THRESHOLD_"] = str(2**25)
    variables["MALLOC_TRIM_THRESHOLD_"] = str(2**26)
    settings = {
        f"distributed.nanny.pre-spawn-environ.{name}": value
        for name, value in variables.items()
    }
    # On a busy machine a worker may restart later than the default of 15 seconds.
    return settings | {"distributed.deploy.lost-worker-timeout": "1 h"}


def _worker_specs(count: int, threads: int, device: str) -> dict[int, dict[str, Any]]:
    gpus = _gpus() if device in {"auto", "cuda"} else []
    specs: dict[int, dict[str, Any]] = {}
    for number in range(count):
        gpu = gpus[number % len(gpus)] if len(gpus) > 1 else None
        env = {} if gpu is None else {"CUDA_VISIBLE_DEVICES": gpu}
        # The settings limit the memory; a limit of dask would kill the worker.
        options = {"nthreads": threads, "memory_limit": 0, "env": env}
        specs[number] = {"cls": Nanny, "options": _LISTENING | options}
    return specs


def _gpus() -> list[str]:
    """Return the names of the GPUs that this process may use."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    named = [name.strip() for name in visible.split(",") if name.strip()]
    count = torch.cuda.device_count()
    return named[:count] if named else [str(k) for k in range(count)]


class _IgnoreInterrupts(WorkerPlugin):
    """Lets workers ignore Ctrl-C: the main process stops them."""

    name = "napari-inr-denoise-interrupts"

    def setup(self, worker: Worker) -> None:  # noqa: ARG002 - signature of dask
        """Ignore the signal in a worker; called again when it restarts."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _check_versions(client: Client) -> None:
    """Raise ConnectionError if a worker has another version of this package."""
    wanted = version(_NAME)
    for worker, found in client.run(version, _NAME, on_error="return").items():
        if found != wanted:
            raise ConnectionError(
                f"the worker {worker} has {_NAME} {found}, wanted {wanted} as here. "
                "Install the same version on all machines."
            )


def run_on_cluster(jobs: list[Job], options: RunOptions, client: Client) -> BatchSteps:
    """Denoise files on the workers of a cluster; results are those of `run_jobs`.

    A worker has at most one file at a time and uses all of its threads for it. If a
    worker dies, another one continues its file after the last finished plane. After
    `MAX_DEATHS` dead workers the file counts as failed.

    Parameters
    ----------
    jobs : list of Job
        Files, with paths that are valid on all machines.
    options : RunOptions
        How to denoise.
    client : Client
        Client of a cluster whose workers see the same folders.

    Yields
    ------
    BatchStep
        Twice a second for each running file, and once for each file with its report,
        in the order in which they end.

    Returns
    -------
    DenoiseReport
        One entry per file, in the order of the jobs. Closing the generator early
        stops the work.

    Raises
    ------
    ConnectionError
        If the connection to the scheduler is lost.
    """
    with closing(_WorkQueue(jobs, options, client)) as queue:
        yield from queue.steps()
        files = tuple(queue.done[number].file for number in range(len(jobs)))
    return DenoiseReport(version(_NAME), options.settings, files)


@dataclass(frozen=True)
class _Attempt:
    """A file that a worker is denoising."""

    number: int
    future: Future[Any]
    started: float


class _WorkQueue:
    """Assigns the waiting files to idle workers, and collects their reports.

    Each worker is sent one file at a time, so that the file of a worker that died is
    known.
    """

    def __init__(self, jobs: list[Job], options: RunOptions, client: Client) -> None:
        self._jobs, self._options, self._client = jobs, options, client
        self._run = uuid4().hex
        # Largest first: a large file at the end would leave the other workers idle.
        self._waiting = deque(
            sorted(range(len(jobs)), key=lambda number: -jobs[number].size)
        )
        self._deaths: Counter[int] = Counter()
        self._running: dict[str, _Attempt] = {}
        self._events: SimpleQueue[str | tuple[int, JobProgress]] = SimpleQueue()
        self.done: dict[int, JobReport] = {}
        client.subscribe_topic(self._run, self._receive)

    def _receive(self, event: tuple[float, Any]) -> None:
        """Queue the progress sent by a worker; called in the thread of the client."""
        number, *values = event[1]
        self._events.put((number, JobProgress(*values)))

    def steps(self) -> Iterator[BatchStep]:
        """Yield steps until all files are done."""
        poll_at = 0.0
        while len(self.done) < len(self._jobs):
            if time.monotonic() >= poll_at:
                yield from self._assign()
                poll_at = time.monotonic() + _POLL_INTERVAL_S
            try:
                event = self._events.get(timeout=_POLL_INTERVAL_S)
            except Empty:
                continue
            if isinstance(event, str):
                yield from self._collect(event)
                poll_at = 0.0  # a worker has become idle
            elif event[0] not in self.done:
                yield self._step(event[0], progress=event[1])

    def close(self) -> None:
        """Cancel the running files; finished planes are kept."""
        self._client.unsubscribe_topic(self._run)
        self._client.cancel([one.future for one in self._running.values()], force=True)
        self._running.clear()

    def _step(
        self,
        number: int,
        progress: JobProgress | None = None,
        done: JobReport | None = None,
    ) -> BatchStep:
        return BatchStep(number, self._jobs, progress, done=done)

    def _assign(self) -> Iterator[BatchStep]:
        """Requeue the files of workers that died, and submit files to idle ones."""
        try:
            workers = set(self._client.nthreads())
        except (OSError, TimeoutError) as error:
            raise _scheduler_lost(str(error)) from error
        for address in set(self._running) - workers:
            yield from self._requeue(address)
        for address in sorted(workers - set(self._running)):
            if self._waiting:
                self._submit(self._waiting.popleft(), address)
        if not workers and self._waiting:
            place = "no worker is connected; waiting for one"
            yield self._step(self._waiting[0], JobProgress(0.0, 0, 1, place))

    def _submit(self, number: int, address: str) -> None:
        future = self._client.submit(
            _denoise_in_worker,
            *(number, self._jobs[number], self._options, self._run),
            key=f"inr-denoise-{self._run}-{number}-{self._deaths[number]}",
            workers=[address],
            allow_other_workers=False,
            pure=False,
        )
        self._running[address] = _Attempt(number, future, time.monotonic())
        future.add_done_callback(lambda ended: self._events.put(ended.key))

    def _collect(self, key: str) -> Iterator[BatchStep]:
        """Collect the report of a file that has ended."""
        running = self._running.items()
        address = next((a for a, one in running if one.future.key == key), None)
        if address is None:  # cancelled, or its worker died
            return
        attempt = self._running[address]
        future = attempt.future
        if future.cancelled():  # by the scheduler: our own are removed first
            raise _scheduler_lost("it dropped the work")
        try:
            report = future.result(timeout=_TIMEOUT_S)
        except (KilledWorker, TimeoutError):
            yield from self._requeue(address)
            return
        except Exception as error:  # noqa: BLE001 - other files go on
            job = self._jobs[attempt.number]
            report = failed(job, cause_of(error), attempt.started)
        del self._running[address]
        yield self._finish(attempt.number, report)

    def _requeue(self, address: str) -> Iterator[BatchStep]:
        """Requeue the file of a worker that died, behind the waiting ones."""
        attempt = self._running.pop(address)
        attempt.future.cancel()
        self._deaths[attempt.number] += 1
        if self._deaths[attempt.number] < MAX_DEATHS:
            self._waiting.append(attempt.number)
            return
        cause = (
            f"{MAX_DEATHS} workers died while they had this file, so it was given up. "
            "It may need more memory than they have: try --memory, or fewer workers."
        )
        report = failed(self._jobs[attempt.number], cause, attempt.started)
        yield self._finish(attempt.number, report)

    def _finish(self, number: int, report: JobReport) -> BatchStep:
        self.done[number] = report
        return self._step(number, done=report)


def _scheduler_lost(why: str) -> ConnectionError:
    return ConnectionError(
        f"The scheduler no longer answers ({why}). Start it again; the same command "
        "goes on from there."
    )


def _denoise_in_worker(
    number: int, job: Job, options: RunOptions, run: str
) -> JobReport:
    """Denoise a file in a worker process, and send its progress."""
    worker = get_worker()
    # Applies to the current thread, which computes.
    set_thread_count(worker.state.nthreads)
    key = worker.get_current_task()
    send_at, started = 0.0, time.monotonic()
    with closing(denoise_file(job, options, run)) as steps:
        work = GeneratorResult(steps)
        for step in work:
            # dask cannot stop a thread: it ends when its task is cancelled or gone.
            task = worker.state.tasks.get(key)
            if task is None or task.state == "cancelled":
                return failed(job, "Stopped.", started)
            if time.monotonic() >= send_at:
                progress = JobProgress.of(step)
                worker.log_event(run, (number, *astuple(progress)))
                send_at = time.monotonic() + _PROGRESS_INTERVAL_S
    return work.result
