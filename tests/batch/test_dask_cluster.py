"""Files on worker processes that really start, and really die."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import numpy as np
import pytest
import tifffile
from click.testing import CliRunner

from napari_inr_denoise import DenoiseSettings, read_image
from napari_inr_denoise.batch.jobs import plan_jobs
from napari_inr_denoise.batch.options import RunOptions
from napari_inr_denoise.batch.serial import run_jobs
from napari_inr_denoise.cli.main import main
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.report.report import DenoiseReport, FileReport, PlaneReport
from tests.forked import workers_forked

distributed = pytest.importorskip("distributed")
psutil = pytest.importorskip("psutil")  # comes with it
from napari_inr_denoise.batch import dask_cluster as cluster  # noqa: E402 - if it can be at all

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no kill -9 there")


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Two workers. Those of the commands below are started as for a user."""
    with workers_forked(), cluster.local_workers(2, "cpu") as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path, rng: np.random.Generator) -> Path:
    """Three small stacks and a file that is no image."""
    for name in ("a", "b", "c"):
        stack = rng.poisson(40 + 30 * np.sin(np.arange(24) / 4), (3, 24, 24))
        path, grey = tmp_path / f"{name}.tif", {"photometric": "minisblack"}
        tifffile.imwrite(path, stack.astype(np.uint16), **grey)
    (tmp_path / "bad.tif").write_bytes(b"II*\0")
    return tmp_path


@pytest.fixture
def single(folder: Path) -> Path:
    for name in ("b.tif", "c.tif"):
        (folder / name).unlink()
    return folder


def _long(settings: DenoiseSettings) -> DenoiseSettings:
    """Return settings with which a plane takes long enough to be disturbed."""
    return replace(settings, max_steps=500)


@pytest.fixture
def settings_file(tmp_path: Path, tiny: DenoiseSettings) -> Path:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps(tiny.to_dict()))
    return path


def _serial(folder: Path, options: RunOptions) -> DenoiseReport:
    run = GeneratorResult(
        run_jobs(plan_jobs([str(folder)], folder / "serial"), options)
    )
    list(run)
    return run.result


def _bare(file: FileReport) -> FileReport:
    """Leave out names, times, memory and the number of threads."""
    return replace(
        file, output=None, seconds=None, device=None, peak_memory_mb=None, notes=()
    )


def _assert_like_the_serial_run(folder: Path, out: Path, options: RunOptions) -> None:
    for file in _serial(folder, options).files:
        if file.status == "failed":
            continue
        name = Path(str(file.output)).name
        alike = read_image(out / name).data, read_image(str(file.output)).data
        assert alike[0].tobytes() == alike[1].tobytes()
    leftovers = [p.name for p in out.iterdir() if not p.name.endswith(".inr.ome.tif")]
    assert {name for name in leftovers if not name.startswith("report.")} == set()


def test_results_and_report_are_those_of_the_serial_run(
    folder: Path, tiny: DenoiseSettings, client: Any
) -> None:
    options = RunOptions(tiny)
    jobs = plan_jobs([str(folder)], folder / "out")
    run = GeneratorResult(cluster.run_on_cluster(jobs, options, client))
    steps = list(run)
    assert {step.number for step in steps if step.done} == {0, 1, 2, 3}
    assert any(step.progress and step.progress.plane_count == 3 for step in steps)
    _assert_like_the_serial_run(folder, folder / "out", options)
    serial = _serial(folder, RunOptions(tiny, overwrite=True))
    assert [_bare(f) for f in run.result.files] == [_bare(f) for f in serial.files]
    again = GeneratorResult(cluster.run_on_cluster(jobs, options, client))
    list(again)
    states = [file.status for file in again.result.files]
    assert states == ["skipped", "skipped", "failed", "skipped"]


class _Killer(distributed.WorkerPlugin):
    """Makes every worker die that reads the file "b"."""

    name = "killer"

    def setup(self, worker: Any) -> None:  # noqa: ARG002
        from napari_inr_denoise.batch import file as one_file

        self._module, self._read = one_file, one_file.read_image

        def read_or_die(path: Path, **options: Any) -> Any:
            if Path(path).name == "b.tif":
                os.kill(os.getpid(), signal.SIGKILL)
            return self._read(path, **options)

        one_file.read_image = read_or_die  # type: ignore[assignment]

    def teardown(self, worker: Any) -> None:  # noqa: ARG002
        self._module.read_image = self._read


def test_a_file_that_kills_workers_is_given_up_and_all_others_are_done(
    folder: Path, tiny: DenoiseSettings, client: Any
) -> None:
    jobs = plan_jobs([str(folder)], folder / "out")
    client.register_plugin(_Killer())
    try:
        run = GeneratorResult(cluster.run_on_cluster(jobs, RunOptions(tiny), client))
        list(run)
    finally:
        client.unregister_worker_plugin("killer")
    states = [file.status for file in run.result.files]
    assert states == ["done", "failed", "failed", "done"]
    assert "3 workers died" in str(run.result.files[1].error)
    assert not jobs[1].output.exists()


def test_a_worker_that_is_killed_in_the_middle_loses_nothing(
    single: Path, tiny: DenoiseSettings, client: Any
) -> None:
    options = RunOptions(_long(tiny))
    jobs = plan_jobs([str(single / "a.tif")], single / "out")
    run = GeneratorResult(cluster.run_on_cluster(jobs, options, client))
    killed, planes = None, []
    for step in run:
        if killed is None and step.progress and step.progress.planes:
            (killed,) = _holders(single)
            os.kill(killed, signal.SIGKILL)
        elif killed is not None and step.progress:
            planes.append(step.progress.planes)
    assert killed is not None
    assert run.result.files[0].status == "done"
    assert min(planes) >= 1
    _assert_like_the_serial_run(single, single / "out", options)


def _command(folder: Path, settings: DenoiseSettings) -> list[str]:
    """Return a run that is long enough to be disturbed."""
    path = folder / "settings.json"
    path.write_text(json.dumps(_long(settings).to_dict()))
    command = [sys.executable, "-m", "napari_inr_denoise", "run", str(folder / "*.tif")]
    return [*command, "--out", str(folder / "out"), "--settings", str(path)]


def _begun(command: list[str], folder: Path, workers: int) -> subprocess.Popen[str]:
    """Start a run in a process group of its own, and wait for a finished plane."""
    running = subprocess.Popen(
        [*command, "--workers", str(workers)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    _wait(lambda: any((folder / "out").glob("*.partial/state.json")))
    return running


def _wait(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)


def _holders(folder: Path) -> list[int]:
    locks = (folder / "out").glob("*.partial/lock")
    return [json.loads(lock.read_text())["process"] for lock in locks]


def _is_gone(process: int) -> bool:
    """Tell whether a process has ended, even if nobody has asked for its end."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"


def _finish_like_undisturbed(
    folder: Path, settings: DenoiseSettings, client: Any
) -> None:
    options = RunOptions(_long(settings))
    jobs = plan_jobs([str(folder / "*.tif")], folder / "out")
    partial = next((folder / "out").glob("*.partial/state.json"))
    before = json.loads(partial.read_text())["finished"]
    run = GeneratorResult(cluster.run_on_cluster(jobs, options, client))
    list(run)
    states = [file.status for file in run.result.files]
    assert states == ["done", "failed"], run.result.files[0].error
    first, *_ = run.result.files[0].planes
    assert first == PlaneReport.from_dict(before[0])
    _assert_like_the_serial_run(folder, folder / "out", options)


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for ended processes")
def test_kill_9_of_the_whole_run_loses_nothing_and_leaves_no_worker(
    single: Path, tiny: DenoiseSettings, client: Any
) -> None:
    running = _begun(_command(single, tiny), single, 1)
    workers = _holders(single)
    running.kill()
    running.communicate(timeout=30)
    _wait(lambda: all(_is_gone(worker) for worker in workers))
    assert not list((single / "out").glob("*.tif"))
    _finish_like_undisturbed(single, tiny, client)


def test_ctrl_c_stops_all_workers_and_keeps_finished_planes(
    single: Path, tiny: DenoiseSettings, client: Any
) -> None:
    running = _begun(_command(single, tiny), single, 2)
    os.killpg(running.pid, signal.SIGINT)
    _, error = running.communicate(timeout=30)
    assert running.returncode in (130, -signal.SIGINT), error
    assert "Interrupted." in error
    assert "Traceback" not in error
    assert "distributed" not in error
    assert _holders(single) == []
    _finish_like_undisturbed(single, tiny, client)


def test_a_run_uses_a_cluster_that_is_there_and_leaves_it_so(
    folder: Path, settings_file: Path, client: Any
) -> None:
    address = client.scheduler.address
    command = ["run", str(folder), "--out", str(folder / "out")]
    command += ["--settings", str(settings_file), "--scheduler", address]
    outcome = CliRunner().invoke(main, command)
    assert outcome.exit_code == 1
    assert "bad.tif: FAILED" in outcome.output
    assert outcome.output.count("->") == 3
    report = json.loads((folder / "out" / "report.json").read_text())
    names = [Path(file["source"]).name for file in report["files"]]
    assert names == ["a.tif", "b.tif", "bad.tif", "c.tif"]
    assert len(client.nthreads()) == 2


def test_no_scheduler_is_wrong_usage(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "_TIMEOUT_S", 0.5)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{closed.getsockname()[1]}"
    command = ["run", str(folder), "--out", str(folder / "out")]
    outcome = CliRunner().invoke(main, [*command, "--scheduler", address])
    assert outcome.exit_code == 2
    assert "no scheduler answers at" in outcome.output
    outcome = CliRunner().invoke(main, [*command, "--scheduler", "x", "--workers", "2"])
    assert outcome.exit_code == 2
    assert "give only one" in outcome.output


def test_a_worker_with_another_version_is_refused() -> None:
    class Other:
        def run(self, *_: object, **__: object) -> dict[str, str]:
            return {"tcp://node7:4000": "0.0.1"}

    with pytest.raises(ConnectionError, match=r"node7:4000 has .* 0.0.1, wanted"):
        cluster._check_versions(Other())


def test_cores_and_gpus_are_shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster.torch.cuda, "device_count", lambda: 2)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,7")
    specs = cluster._worker_specs(3, 4, "auto")
    found = [spec["options"]["env"]["CUDA_VISIBLE_DEVICES"] for spec in specs.values()]
    assert found == ["5", "7", "5"]
    assert {spec["options"]["nthreads"] for spec in specs.values()} == {4}
    assert cluster._worker_specs(2, 1, "cpu")[1]["options"]["env"] == {}


def test_nothing_listens_to_other_machines(client: Any) -> None:
    """Scheduler, workers, what looks after them, and whatever shows how they do."""
    here = psutil.Process()
    assert client.scheduler.address.startswith("tcp://127.0.0.1:")
    listening = [
        one.laddr.ip
        for process in (here, *here.children(recursive=True))
        for one in process.net_connections(kind="inet")
        if one.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 1 + 2 * 2
    assert set(listening) == {"127.0.0.1"}
    port = client.scheduler_info()["services"]["dashboard"]
    with pytest.raises(HTTPError, match="404"):  # the port has other pages
        urlopen(f"http://127.0.0.1:{port}/status", timeout=30)


class _NoScheduler:
    """A client whose scheduler is gone, and who drops what it was given."""

    def __init__(self, *, answers: bool) -> None:
        self._answers = answers

    def nthreads(self) -> dict[str, int]:
        if not self._answers:
            raise OSError("timed out")
        return {"tcp://node7:4000": 1}

    def submit(self, *_: object, key: str, **__: object) -> Any:
        dropped = SimpleNamespace(key=key, cancelled=lambda: True)
        dropped.add_done_callback = lambda function: function(dropped)
        return dropped

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_, **__: None


@pytest.mark.parametrize("answers", [True, False])
def test_a_scheduler_that_is_lost_ends_the_run_with_a_sentence(
    folder: Path, settings_file: Path, monkeypatch: pytest.MonkeyPatch, answers: bool
) -> None:
    def without(_: str) -> Any:
        return nullcontext(_NoScheduler(answers=answers))

    monkeypatch.setattr(cluster, "existing_cluster", without)
    command = ["run", str(folder), "--out", str(folder / "out"), "--scheduler", "x"]
    outcome = CliRunner().invoke(main, [*command, "--settings", str(settings_file)])
    assert outcome.exit_code == 1
    assert "The scheduler no longer answers" in outcome.output
