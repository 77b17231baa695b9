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
from napari_inr_denoise.core.report.report import DenoiseReport

TRIES = 3
"""So many workers may die of a file before it is given up."""
_NAME = "napari-inr-denoise"
_HOST = "127.0.0.1"
_TELL_EVERY_S = 0.5
_LOOK_EVERY_S = 0.5
_ANSWER_WITHIN_S = 10


@contextmanager
def local_workers(count: int, device: str = "auto") -> Iterator[Client]:
    """Start worker processes on this machine, and end them afterwards.

    The cores are shared out among them, and so are the GPUs if the device is "auto"
    or "cuda". Nothing listens to other machines, and there is no dashboard.

    Parameters
    ----------
    count : int
        Processes. Each denoises one file at a time.
    device : str
        Of the settings.

    Yields
    ------
    Client
        For `run_on_cluster`.
    """
    threads = max(CPU_COUNT // count, 1)
    with (
        dask.config.set(_before_a_worker_starts(threads)),
        SpecCluster(
            workers=_worker_specs(count, threads, device),
            scheduler={"cls": Scheduler, "options": _LISTENING | {"dashboard": False}},
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster) as client,
    ):
        client.register_plugin(_DeafToInterrupts())
        yield client


@contextmanager
def existing_cluster(address: str) -> Iterator[Client]:
    """Connect to a cluster that runs already, and leave it as it is afterwards.

    Parameters
    ----------
    address : str
        Of the scheduler, such as "tcp://10.0.0.1:8786".

    Raises
    ------
    ConnectionError
        If no scheduler answers there, or a worker lacks this program.
    """
    try:
        client = Client(address, timeout=_ANSWER_WITHIN_S)
    except (OSError, ValueError) as error:
        raise ConnectionError(
            f"no scheduler answers at {address} ({error}). Start one with "
            "`dask scheduler`, and give the address that it prints."
        ) from error
    with client:
        _refuse_other_versions(client)
        yield client


_LISTENING = {"host": _HOST, "dashboard_address": f"{_HOST}:0"}


def _before_a_worker_starts(threads: int) -> dict[str, str]:
    """Return dask's settings: what a worker finds in its environment, and patience."""
    variables = {"DASK_LOGGING__DISTRIBUTED": "critical"}
    for library in ("OMP", "MKL", "OPENBLAS"):
        variables[f"{library}_NUM_THREADS"] = str(threads)
    # Threads that spin while they wait take the cores from the other workers.
    variables["OMP_WAIT_POLICY"] = "PASSIVE"
    # dask makes glibc hand freed memory back at once; every network step would fetch
    # it again, page by page. These are glibc's own largest values.
    variables["MALLOC_MMAP_THRESHOLD_"] = str(2**25)
    variables["MALLOC_TRIM_THRESHOLD_"] = str(2**26)
    settings = {
        f"distributed.nanny.pre-spawn-environ.{name}": value
        for name, value in variables.items()
    }
    # On a busy machine a worker that died takes longer to come back than the 15
    # seconds after which it would be struck off.
    return settings | {"distributed.deploy.lost-worker-timeout": "1 h"}


def _worker_specs(count: int, threads: int, device: str) -> dict[int, dict[str, Any]]:
    gpus = _gpus() if device in {"auto", "cuda"} else []
    specs: dict[int, dict[str, Any]] = {}
    for number in range(count):
        gpu = gpus[number % len(gpus)] if len(gpus) > 1 else None
        env = {} if gpu is None else {"CUDA_VISIBLE_DEVICES": gpu}
        # Memory is bounded by the settings; dask would kill a worker that is near
        # the end of a file.
        options = {"nthreads": threads, "memory_limit": 0, "env": env}
        specs[number] = {"cls": Nanny, "options": _LISTENING | options}
    return specs


def _gpus() -> list[str]:
    """Return the names of the GPUs that this process may use."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    named = [name.strip() for name in visible.split(",") if name.strip()]
    count = torch.cuda.device_count()
    return named[:count] if named else [str(k) for k in range(count)]


class _DeafToInterrupts(WorkerPlugin):
    """Ctrl-C reaches all processes of a terminal; here the first one decides."""

    name = "napari-inr-denoise-interrupts"

    def setup(self, worker: Worker) -> None:  # noqa: ARG002 - as dask has it
        """Ignore the signal in a worker, and in one that replaces it."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _refuse_other_versions(client: Client) -> None:
    """Raise a sentence if a worker could not do the same as this process."""
    wanted = version(_NAME)
    for worker, found in client.run(version, _NAME, on_error="return").items():
        if found != wanted:
            raise ConnectionError(
                f"the worker {worker} has {_NAME} {found}, wanted {wanted} as here. "
                "Install the same version on all machines."
            )


def run_on_cluster(jobs: list[Job], options: RunOptions, client: Client) -> BatchSteps:
    """Denoise files on the workers of a cluster, as `run_jobs` does one by one.

    Every worker has at most one file at a time, with all of its threads. A file whose
    worker dies is given to another; the finished planes are kept. After `TRIES` dead
    workers it counts as failed.

    Parameters
    ----------
    jobs : list of Job
        With names that mean the same on all machines.
    options : RunOptions
        How.
    client : Client
        Of a cluster whose workers read and write the same folders.

    Yields
    ------
    BatchStep
        Twice a second for each file at work, and once for each with its report, in
        the order in which they end.

    Returns
    -------
    DenoiseReport
        One entry a file, in the order of the jobs. A caller that closes the generator
        early stops the workers.

    Raises
    ------
    ConnectionError
        If the scheduler is lost.
    """
    with closing(_Crew(jobs, options, client)) as crew:
        yield from crew.steps()
        files = tuple(crew.done[number].file for number in range(len(jobs)))
    return DenoiseReport(version(_NAME), options.settings, files)


@dataclass(frozen=True)
class _Try:
    """A file in the hands of a worker."""

    number: int
    future: Future[Any]
    started: float


class _Crew:
    """The workers, the files that they have, and those that wait.

    Files are handed out here, one to a worker, instead of all at once: when a worker
    dies it is then known of which file.
    """

    def __init__(self, jobs: list[Job], options: RunOptions, client: Client) -> None:
        self._jobs, self._options, self._client = jobs, options, client
        self._run = uuid4().hex
        # The largest first: begun last, one would keep a single worker at the end.
        self._waiting = deque(
            sorted(range(len(jobs)), key=lambda number: -jobs[number].size)
        )
        self._deaths: Counter[int] = Counter()
        self._at_work: dict[str, _Try] = {}
        self._heard: SimpleQueue[str | tuple[int, JobProgress]] = SimpleQueue()
        self.done: dict[int, JobReport] = {}
        client.subscribe_topic(self._run, self._hear)

    def _hear(self, event: tuple[float, Any]) -> None:
        """Take what a worker tells; called in the client's own thread."""
        number, *values = event[1]
        self._heard.put((number, JobProgress(*values)))

    def steps(self) -> Iterator[BatchStep]:
        """Hand out the files until all are done."""
        look_at = 0.0
        while len(self.done) < len(self._jobs):
            if time.monotonic() >= look_at:
                yield from self._look_after_workers()
                look_at = time.monotonic() + _LOOK_EVERY_S
            try:
                heard = self._heard.get(timeout=_LOOK_EVERY_S)
            except Empty:
                continue
            if isinstance(heard, str):
                yield from self._take(heard)
                look_at = 0.0  # a worker is idle
            elif heard[0] not in self.done:
                yield self._step(heard[0], progress=heard[1])

    def close(self) -> None:
        """Stop what is at work; finished planes are kept."""
        self._client.unsubscribe_topic(self._run)
        self._client.cancel([one.future for one in self._at_work.values()], force=True)
        self._at_work.clear()

    def _step(
        self,
        number: int,
        progress: JobProgress | None = None,
        done: JobReport | None = None,
    ) -> BatchStep:
        return BatchStep(number, self._jobs, progress, done=done)

    def _look_after_workers(self) -> Iterator[BatchStep]:
        """Take files from workers that died, and give some to those that are idle."""
        try:
            workers = set(self._client.nthreads())
        except (OSError, TimeoutError) as error:
            raise _lost_scheduler(str(error)) from error
        for address in set(self._at_work) - workers:
            yield from self._lose(address)
        for address in sorted(workers - set(self._at_work)):
            if self._waiting:
                self._hand_out(self._waiting.popleft(), address)
        if not workers and self._waiting:
            place = "no worker is connected; waiting for one"
            yield self._step(self._waiting[0], JobProgress(0.0, 0, 1, place))

    def _hand_out(self, number: int, address: str) -> None:
        future = self._client.submit(
            _work,
            *(number, self._jobs[number], self._options, self._run),
            key=f"inr-denoise-{self._run}-{number}-{self._deaths[number]}",
            workers=[address],
            allow_other_workers=False,
            pure=False,
        )
        self._at_work[address] = _Try(number, future, time.monotonic())
        future.add_done_callback(lambda ended: self._heard.put(ended.key))

    def _take(self, key: str) -> Iterator[BatchStep]:
        """Take the report of a file that has ended, one way or the other."""
        at_work = self._at_work.items()
        address = next((a for a, one in at_work if one.future.key == key), None)
        if address is None:  # cancelled, or lost before
            return
        attempt = self._at_work[address]
        future = attempt.future
        if future.cancelled():  # not by us: we forget a file first
            raise _lost_scheduler("it dropped the work")
        try:
            report = future.result(timeout=_ANSWER_WITHIN_S)
        except (KilledWorker, TimeoutError):
            yield from self._lose(address)
            return
        except Exception as error:  # noqa: BLE001 - any failure is this file's alone
            job = self._jobs[attempt.number]
            report = failed(job, cause_of(error), attempt.started)
        del self._at_work[address]
        yield self._end(attempt.number, report)

    def _lose(self, address: str) -> Iterator[BatchStep]:
        """Note that a worker died of a file; others come first when it is retried."""
        attempt = self._at_work.pop(address)
        attempt.future.cancel()
        self._deaths[attempt.number] += 1
        if self._deaths[attempt.number] < TRIES:
            self._waiting.append(attempt.number)
            return
        cause = (
            f"{TRIES} workers died while they had this file, so it was given up. It "
            "may need more memory than they have: try --memory, or fewer workers."
        )
        report = failed(self._jobs[attempt.number], cause, attempt.started)
        yield self._end(attempt.number, report)

    def _end(self, number: int, report: JobReport) -> BatchStep:
        self.done[number] = report
        return self._step(number, done=report)


def _lost_scheduler(why: str) -> ConnectionError:
    return ConnectionError(
        f"The scheduler no longer answers ({why}). Start it again; the same command "
        "goes on from there."
    )


def _work(number: int, job: Job, options: RunOptions, run: str) -> JobReport:
    """Denoise a file in a worker, as the serial run does, and tell how far it is."""
    worker = get_worker()
    # Of this thread, which is the one that computes.
    torch.set_num_threads(worker.state.nthreads)
    key = worker.get_current_task()
    tell_at, started = 0.0, time.monotonic()
    with closing(denoise_file(job, options, run)) as steps:
        work = GeneratorResult(steps)
        for step in work:
            # Cancelled, or nobody is left who wants it: dask cannot stop a thread.
            task = worker.state.tasks.get(key)
            if task is None or task.state == "cancelled":
                return failed(job, "Stopped.", started)
            if time.monotonic() >= tell_at:
                progress = JobProgress.of(step)
                worker.log_event(run, (number, *astuple(progress)))
                tell_at = time.monotonic() + _TELL_EVERY_S
    return work.result
