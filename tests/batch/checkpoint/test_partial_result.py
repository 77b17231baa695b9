from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_inr_denoise.batch.checkpoint.partial_result import PartialResult

IDENTITY = {"settings": {"seed": 0}, "source": "abc"}
PLANE = {"index": {"Z": 0}, "sigma": 2.0}


def _begun(output: Path, planes: int = 1) -> None:
    """Leave a folder with one finished plane of ones."""
    with PartialResult(output, IDENTITY, (3, 4, 5)) as kept:
        kept.image[0] = np.ones((4, 5), dtype=np.float32)
        if planes:
            kept.keep([PLANE] * planes)


def test_what_is_finished_is_found_again(tmp_path: Path) -> None:
    _begun(tmp_path / "a.ome.tif")
    assert (tmp_path / "a.ome.tif.partial").is_dir()
    with PartialResult(tmp_path / "a.ome.tif", IDENTITY, (3, 4, 5)) as kept:
        assert kept.finished == [PLANE]
        assert (kept.image[0] == 1).all()
        assert (kept.image[1:] == 0).all()
        kept.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_a_finished_plane_is_not_left(tmp_path: Path) -> None:
    _begun(tmp_path / "a.ome.tif", planes=0)
    assert list(tmp_path.iterdir()) == []


def test_an_error_leaves_what_is_finished(tmp_path: Path) -> None:
    def fail() -> None:
        with PartialResult(tmp_path / "a", IDENTITY, (2, 2)) as kept:
            kept.keep([PLANE])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with PartialResult(tmp_path / "a", IDENTITY, (2, 2)) as kept:
        assert kept.finished == [PLANE]


@pytest.mark.parametrize(
    ("identity", "shape"),
    [({**IDENTITY, "source": "other"}, (3, 4, 5)), (IDENTITY, (4, 3, 5))],
)
def test_another_image_or_setting_begins_anew(
    tmp_path: Path, identity: dict[str, Any], shape: tuple[int, ...]
) -> None:
    _begun(tmp_path / "a")
    with PartialResult(tmp_path / "a", identity, shape) as kept:
        assert kept.finished == []
        assert not np.asarray(kept.image).any()


@pytest.mark.parametrize("damage", ["state.json", "pixels.f32"])
def test_what_is_damaged_begins_anew(tmp_path: Path, damage: str) -> None:
    _begun(tmp_path / "a")
    (tmp_path / "a.partial" / damage).write_bytes(b"{")
    with PartialResult(tmp_path / "a", IDENTITY, (3, 4, 5)) as kept:
        assert kept.finished == []


def test_what_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "a.partial"
    folder.mkdir()
    (folder / "thesis.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="not written by this program"):
        PartialResult(tmp_path / "a", IDENTITY, (2, 2))
    assert (folder / "thesis.txt").read_text() == "mine"
    (tmp_path / "b.partial").write_text("mine")
    with pytest.raises(FileExistsError, match="not written by this program"):
        PartialResult(tmp_path / "b", IDENTITY, (2, 2))


@pytest.mark.skipif(os.name == "nt", reason="locks of other processes are taken over")
def test_two_processes_do_not_write_the_same(tmp_path: Path) -> None:
    _begun(tmp_path / "a")
    lock = tmp_path / "a.partial" / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE
    ) as p:
        holder = {"host": socket.gethostname(), "process": p.pid, "run": "other"}
        lock.write_text(json.dumps(holder))
        with pytest.raises(FileExistsError, match=f"process {p.pid}"):
            PartialResult(tmp_path / "a", IDENTITY, (3, 4, 5))
        p.communicate(b"\n")
    with PartialResult(tmp_path / "a", IDENTITY, (3, 4, 5)) as kept:
        assert kept.finished == [PLANE]
