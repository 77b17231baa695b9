"""A process that measures some sections; started and watched by `run`."""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
from pathlib import Path

_PARSER = argparse.ArgumentParser(description=__doc__)
_PARSER.add_argument("folder", type=Path)
_PARSER.add_argument("--device", required=True)
_PARSER.add_argument("--dry", action="store_true")
_PARSER.add_argument("--until", type=float, required=True)
_PARSER.add_argument("--sections", nargs="+", required=True)


def main() -> None:
    """Measure; a GPU that was lost ends the process, and `run` starts another."""
    options = _PARSER.parse_args()
    if options.dry:
        # Triton reads it when it is imported.
        os.environ.setdefault("TRITON_INTERPRET", "1")
    for name in options.sections:
        if not _measured(name, options):
            sys.exit(0)


def _measured(name: str, options: argparse.Namespace) -> bool:
    """Measure a section; return whether this process can go on."""
    from tests.benchmarks.gpu.run import SECONDS

    now = time.time()
    seconds = min(SECONDS[name], options.until - now)
    if seconds <= 0:
        return False
    print(f"@begin {name} {seconds:.1f}", flush=True)
    figures, started = options.folder / "figures.jsonl", time.perf_counter()
    good = True
    try:
        _write_rows(name, options, figures, now + seconds)
    except BaseException as error:  # noqa: BLE001 - the other sections are measured
        with (options.folder / "errors.txt").open("a", encoding="utf-8") as file:
            file.write(f"== {name}\n{traceback.format_exc()}\n")
        _note(figures, name, "error", f"{type(error).__name__}: {error}"[:300])
        # After an error of the device nothing works in this process.
        good = "CUDA error" not in str(error) and isinstance(error, Exception)
    took = time.perf_counter() - started
    _note(figures, name, "took_s", round(took, 1))
    print(f"@end {name}", flush=True)
    return good


def _write_rows(
    name: str, options: argparse.Namespace, figures: Path, until: float
) -> None:
    # Imported here, so that what fails at import is an error of the section.
    import torch

    from tests.benchmarks.gpu.place import Place, append
    from tests.benchmarks.gpu.sections import SECTIONS

    device = torch.device(options.device)
    if device.type == "cuda":
        torch.cuda.synchronize()  # raises here what an earlier section broke
    place = Place(device, options.dry, until, options.folder)
    for row in SECTIONS[name](place):
        append(figures, {"section": name, **row})


def _note(figures: Path, name: str, key: str, value: str | float) -> None:
    import json

    with figures.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"section": name, key: value}) + "\n")


if __name__ == "__main__":
    main()
