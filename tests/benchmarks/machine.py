"""What a table was measured with, so that it describes itself."""

from __future__ import annotations

import os
import platform
import shlex
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import torch

from napari_inr_denoise.core.compute.devices import describe_device


def describe_run(module: str, device: torch.device) -> Iterator[str]:
    """Yield the command, the machine and the versions, a line each."""
    yield f"- command: `python -m {module} {shlex.join(sys.argv[1:])}`"
    yield f"- platform: {platform.platform()}, Python {platform.python_version()}"
    yield f"- CPU: {_cpu_model()}, {os.cpu_count()} cores"
    yield f"- device: {describe_device(device)}, torch {torch.__version__}"
    yield f"- date: {date.today().isoformat()}"


def _cpu_model() -> str:
    """Return the processor's name; Linux tells it only in a file."""
    about = Path("/proc/cpuinfo")
    lines = about.read_text(encoding="utf-8").splitlines() if about.exists() else []
    for line in lines:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
