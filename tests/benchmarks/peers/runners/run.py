"""Run one method on one plane: `python run.py METHOD FOLDER`, in any environment.

Reads noisy.npy (shape (Y, X), float64), told.json and, for correlated noise, psd.npy;
writes image.npy and answer.json.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time
from pathlib import Path

import numpy as np

_GRACE = (1.2, 10)
"""A process is ended after 1.2 times the CPU time for the image and 10 s."""


class Task:
    """A plane to denoise, and when to stop.

    Attributes
    ----------
    noisy : ndarray of float32, shape (Y, X)
    variant : str
        Which of the runner's methods.
    psd : ndarray, shape (Y, X), or None
        Spectrum of correlated noise.
    note : str
        What the method says of its run, for the table.
    """

    def __init__(self, folder: Path) -> None:
        told = json.loads((folder / "told.json").read_text("utf-8"))
        psd = folder / "psd.npy"
        self.noisy = np.load(folder / "noisy.npy").astype(np.float32)
        self.psd = np.load(psd) if psd.exists() else None
        self.variant: str = told["variant"]
        self.note = ""
        self._seconds: float = told["seconds"]
        self._started = cpu_seconds()

    def limit(self) -> None:
        """Begin to count, after the imports; the system ends what does not stop."""
        self._started = cpu_seconds()
        factor, more = _GRACE
        last = int(self._started + factor * self._seconds + more)
        resource.setrlimit(resource.RLIMIT_CPU, (last, last + 5))

    def out_of_time(self, share: float = 1.0) -> bool:
        """Return whether a share of the time is over, and with it the method's turn."""
        return cpu_seconds() - self._started > share * self._seconds


def cpu_seconds() -> float:
    """Return the CPU seconds of this process and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def peak_mb() -> float:
    """Return the largest resident memory of this process, in 10^6 bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # the usage of resources also counts who started the process
        for line in status.read_text("utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # macOS: bytes


def main() -> None:
    """Run the method that the command line names."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    method = importlib.import_module(name)
    task = Task(folder)
    task.limit()
    started, cpu = time.perf_counter(), cpu_seconds()
    image = method.denoise(task)
    answer = {
        "cpu_seconds": cpu_seconds() - cpu,
        "wall_seconds": time.perf_counter() - started,
        "peak_mb": peak_mb(),
        "note": task.note,
    }
    np.save(folder / "image.npy", np.asarray(image, dtype=np.float64))
    (folder / "answer.json").write_text(json.dumps(answer), "utf-8")


if __name__ == "__main__":
    main()
