"""The command for a machine with a GPU: every section works, and none stops another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.gpu.run import SECONDS, run_sections
from tests.benchmarks.gpu.summary import summary
from tests.doc_blocks import ROOT

SCRIPT = ROOT / "tests" / "benchmarks" / "on_gpu.sh"


def _rows(folder: Path) -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = {}
    for line in (folder / "figures.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        rows.setdefault(row["section"], []).append(row)
    return rows


def _asked(folder: Path, device: str) -> str:
    environment = {**os.environ, "PYTHON": sys.executable}
    environment.pop("INR_DENOISE_DATA", None)
    done = subprocess.run(
        ["bash", str(SCRIPT), str(folder), "--device", device, "--dry"],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    return done.stdout


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="a script for bash")
def test_every_section_gives_figures_without_a_gpu(tmp_path: Path) -> None:
    told = _asked(tmp_path / "out", "cpu")
    rows = _rows(tmp_path / "out")
    assert list(rows) == list(SECONDS)
    for name, own in rows.items():
        assert not [row for row in own if "error" in row], name
        # Besides the duration.
        assert len(own) > 1, name
    assert [row["recorded"] for row in rows["graphs"][:-1]] == [True] * 4
    assert max(row["weights_off"] for row in rows["graphs"][:-1]) < 1e-3
    assert "FAILED" not in told
    assert "WRONG" not in told
    assert told.strip() == (tmp_path / "out" / "summary.md").read_text("utf-8").strip()


_WORKER = """
import sys, time
for name in sys.argv[1:]:
    print("@begin", name, 0.2, flush=True)
    if name == "crashes":
        import os; os.abort()
    if name == "hangs":
        time.sleep(60)
    print("@end", name, flush=True)
    if name == "breaks the device".replace(" ", "-"):
        sys.exit(0)
"""


def test_a_section_that_is_lost_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.benchmarks.gpu.run._GRACE_S", 0.2)
    begun: list[list[str]] = []

    def command(sections: list[str], _: float) -> list[str]:
        begun.append(list(sections))
        return [sys.executable, "-c", _WORKER, *sections]

    names = ["a", "crashes", "b", "breaks-the-device", "hangs", "c"]
    run_sections(names, tmp_path, command, time.time() + 60)
    assert begun == [names, names[2:], names[4:], ["c"]]
    rows = _rows(tmp_path)
    assert list(rows) == ["crashes", "hangs"]
    assert "ended with code" in rows["crashes"][0]["error"]
    assert "in time" in rows["hangs"][0]["error"]


def test_nothing_is_begun_when_the_time_is_over(tmp_path: Path) -> None:
    run_sections(["a"], tmp_path, lambda *_: ["false"], time.time() + 1)
    assert not (tmp_path / "figures.jsonl").exists()


def test_the_summary_says_first_what_is_wrong() -> None:
    rows = [
        {"section": "limits", "limit": "copy", "T_a_second": 0.5},
        {"section": "limits", "took_s": 1.0},
        {"section": "same", "error": "ValueError: no"},
        {"section": "graphs", "network": "siren", "wrong": "not recorded"},
    ]
    text = summary(rows, ["limits", "same", "graphs", "cores"], 12.0)
    head = text.split("## limits")[0]
    assert "FAILED: same: ValueError: no" in head
    assert "WRONG: graphs: not recorded" in head
    assert "left out for want of time: cores" in head
    assert "| copy | 0.5 |" in text
