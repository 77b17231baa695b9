from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from napari_inr_denoise.batch.checkpoint import folder_lock as module
from napari_inr_denoise.batch.checkpoint.folder_lock import FolderLock, check_not_held

HERE = socket.gethostname()


def _held(path: Path, host: str, process: object, age_s: float = 0.0) -> Path:
    path.write_text(json.dumps({"host": host, "process": process, "run": "other"}))
    then = time.time() - age_s
    os.utime(path, (then, then))
    return path


def _ended_process() -> int:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def test_a_lock_is_there_until_it_is_released(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path / "lock", "mine")
    assert json.loads((tmp_path / "lock").read_text()) == {
        "host": HERE,
        "process": os.getpid(),
        "run": "mine",
    }
    lock.release()
    assert list(tmp_path.iterdir()) == []


def test_a_process_of_another_machine_counts_while_it_touches_its_lock(
    tmp_path: Path,
) -> None:
    # The number is that of a process which has ended here: it says nothing there.
    path = _held(tmp_path / "lock", "node7", _ended_process(), age_s=60)
    with pytest.raises(FileExistsError, match="on node7"):
        FolderLock(path, "mine")
    _held(path, "node7", os.getpid(), age_s=600)
    FolderLock(path, "mine").release()


def test_the_run_that_lost_a_worker_takes_its_lock_at_once(tmp_path: Path) -> None:
    FolderLock(_held(tmp_path / "lock", "node7", 1), "other").release()


def test_a_process_that_was_killed_here_holds_nothing(tmp_path: Path) -> None:
    check_not_held(_held(tmp_path / "lock", HERE, _ended_process()))


@pytest.mark.skipif(not Path("/proc").exists(), reason="Linux tells")
def test_an_end_that_nobody_asked_for_is_an_end(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    stat = Path(f"/proc/{ended.pid}/stat")
    while stat.read_text().rpartition(")")[2].split()[0] != "Z":
        time.sleep(0.01)
    check_not_held(_held(tmp_path / "lock", HERE, ended.pid))
    ended.wait()


@pytest.mark.parametrize("text", ["", "{", "12", '{"host": "x"'])
def test_a_lock_that_was_half_written_holds_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "lock").write_text(text)
    FolderLock(tmp_path / "lock", "mine").release()


def test_a_lock_is_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_HEARTBEAT_S", 0.02)
    path = tmp_path / "lock"
    lock = FolderLock(path, "mine")
    os.utime(path, (1, 1))
    until = time.monotonic() + 10
    while path.stat().st_mtime == 1 and time.monotonic() < until:
        time.sleep(0.01)
    assert path.stat().st_mtime > 1
    lock.release()
