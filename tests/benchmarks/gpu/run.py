"""Run all sections in a process of their own, within a time, and sum them up.

    bash tests/benchmarks/on_gpu.sh FOLDER [--device cuda] [--dry] [--sections NAMES]

Every figure is written at once to FOLDER/figures.jsonl. A section that raises an error,
ends its process or does not come to an end stops none of the others: its traceback is
in FOLDER/errors.txt. FOLDER/summary.md, which is printed too, has a table of each
section. Set INR_DENOISE_DATA for real frames too.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

from tests.benchmarks.gpu.place import append, rows_of
from tests.benchmarks.gpu.summary import summary

SECONDS = {
    "machine": 30,
    "limits": 30,
    "graphs": 60,
    "correct": 100,
    "seconds": 60,
    "profile": 60,
    "large": 90,
    "share": 40,
    "sine": 30,
    "streams": 40,
    "batched": 20,
    "same": 30,
    "cores": 60,
    "start": 30,
    "memory": 30,
}
"""The sections in order of their value, and how long each may take."""
_TOTAL_S = 510
"""Nine minutes, less what the start, the end and an overrun may take."""
_GRACE_S = 10.0
"""How much longer than its time a section may be at work."""
_FEWEST_S = 5.0
"""Time left under which no section is begun."""
Command = Callable[[Sequence[str], float], list[str]]
"""From sections and the time at which all end to the command of a worker."""


def main() -> None:
    """Measure, and print the summary."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("folder", type=Path)
    add("--device", default="cuda")
    add("--dry", action="store_true", help="tiny, to see that every section works")
    add("--sections", nargs="+", default=list(SECONDS), choices=list(SECONDS))
    add("--total", type=float, default=_TOTAL_S, help="seconds")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for old in ("figures.jsonl", "errors.txt", "log.txt"):
        (options.folder / old).unlink(missing_ok=True)
    worker = [sys.executable, "-P", "-m", "tests.benchmarks.gpu.worker"]
    common = ["--device", options.device, *(["--dry"] if options.dry else [])]

    def command(sections: Sequence[str], until: float) -> list[str]:
        timing = ["--until", str(until)]
        folder = str(options.folder)
        return [*worker, folder, *common, *timing, "--sections", *sections]

    started = time.time()
    run_sections(options.sections, options.folder, command, started + options.total)
    rows = rows_of(options.folder / "figures.jsonl")
    text = summary(rows, options.sections, time.time() - started)
    (options.folder / "summary.md").write_text(text, "utf-8")
    print(text)


def run_sections(
    sections: Sequence[str], folder: Path, command: Command, until: float
) -> None:
    """Run sections in order, in a new process after each that was lost.

    Parameters
    ----------
    sections : sequence of str
        Names.
    folder : Path
        Where figures and errors are written.
    command : Command
        Starts a worker, which prints "@begin NAME SECONDS" and "@end NAME".
    until : float
        When all must have ended, in seconds since the epoch.
    """
    left = list(sections)
    while left and time.time() + _FEWEST_S < until:
        begun, why = _watched(command(left, until), folder, until)
        done = left.index(begun) + 1 if begun in left else 0
        if why is not None:
            lost = begun if begun is not None else left[0]
            append(folder / "figures.jsonl", {"section": lost, "error": why})
            done = left.index(lost) + 1
        elif done == 0:
            return
        left = left[done:]


def _watched(
    command: list[str], folder: Path, until: float
) -> tuple[str | None, str | None]:
    """Run a worker; return the last section that it began, and why it was lost."""
    lines: SimpleQueue[str | None] = SimpleQueue()
    begun, open_, deadline = None, False, until
    with (folder / "log.txt").open("a", encoding="utf-8") as log:
        worker = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, errors="replace"
        )
        reader = Thread(target=_read, args=(worker, lines), daemon=True)
        reader.start()
        while True:
            try:
                line = lines.get(timeout=max(deadline - time.time(), 0.01))
            except Empty:
                worker.kill()
                worker.wait()
                late = "did not come to its end in time and was stopped"
                return begun, late if open_ else None
            if line is None:
                break
            if line.startswith("@begin "):
                _, begun, seconds = line.split()
                open_, deadline = True, min(time.time() + float(seconds), until)
                deadline = min(deadline + _GRACE_S, until)
            elif line.startswith("@end "):
                open_, deadline = False, until
            else:
                log.write(line)
        code = worker.wait()
    if open_ or (begun is None and code):
        return begun, f"its process ended with code {code}; see log.txt"
    return begun, None


def _read(worker: subprocess.Popen[str], lines: SimpleQueue[str | None]) -> None:
    assert worker.stdout is not None
    for line in worker.stdout:
        lines.put(line)
    lines.put(None)


if __name__ == "__main__":
    main()
