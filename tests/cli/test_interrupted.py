"""Commands that are interrupted with Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tifffile
from click.testing import CliRunner

from napari_inr_denoise.cli.main import main


@pytest.mark.parametrize("command", ["noise", "run"])
def test_ctrl_c_exits_with_130_in_every_command(
    image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("napari_inr_denoise.io.read.read_image", interrupt)
    monkeypatch.setattr("napari_inr_denoise.batch.file.read_image", interrupt)
    out = [] if command == "noise" else ["--out", tmp_path / "out"]
    outcome = CliRunner().invoke(main, [command, str(image), *map(str, out)])
    assert outcome.exit_code == 130
    assert "Interrupted." in outcome.output


def _hear_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is another thing there")
def test_ctrl_c_keeps_what_is_finished(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    flat = np.full((24, 24), 7, np.uint8)  # nothing to fit: done at once
    tifffile.imwrite(tmp_path / "a.tif", flat)
    large = rng.poisson(30, (50, 256, 256)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "b.tif", np.cumsum(large, axis=2, dtype=np.uint32))
    out = tmp_path / "out"
    command = [sys.executable, "-m", "napari_inr_denoise", "run", str(tmp_path)]
    running = subprocess.Popen(
        [*command, "--out", str(out), "--device", "cpu"],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # A shell's background jobs are deaf to Ctrl-C, and hand that down.
        preexec_fn=_hear_ctrl_c,  # noqa: PLW1509 - no threads here yet
    )
    report = out / "report.json"
    until = time.monotonic() + 120
    while not report.exists() and time.monotonic() < until:
        time.sleep(0.1)
    time.sleep(1)
    os.kill(running.pid, signal.SIGINT)
    _, error = running.communicate(timeout=60)
    # Once in many runs the process ends by the signal itself, after its last words;
    # a shell shows 130 for both.
    assert running.returncode in (130, -signal.SIGINT), error
    assert "Interrupted." in error
    assert "Traceback" not in error
    names = {file.name for file in out.iterdir()}
    assert names == {"a.inr.ome.tif", "report.json", "report.csv", "report.html"}
    assert len(json.loads(report.read_text())["files"]) == 1
