"""Damaged and malicious files, and a process with limits that reads them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from napari_inr_denoise import write_image
from napari_inr_denoise.io.record import ImageRecord

SECONDS = 10
# Reads each file lazily and completely; stops at any error that is not a message.
PROGRAM = """
import resource, sys, time
from pathlib import Path
limit = 2**30
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
import numpy as np
from napari_inr_denoise import read_image
for name in sys.argv[1:]:
    started = time.process_time()
    said = "read"
    try:
        record = read_image(name, lazy=True)
        last = tuple(size - 1 for size in record.data.shape)
        record.data[last]
        np.asarray(read_image(name).data)
    except (ValueError, FileNotFoundError) as error:
        said = " ".join(str(error).split())
        assert said.startswith(name) and said.endswith("."), said
    took = time.process_time() - started
    print(f"{Path(name).name}|{took:.1f}|{said}", flush=True)
"""


def read_in_a_gigabyte(paths: list[Path]) -> dict[str, str]:
    """Return the outcome for each file, read in a process with 1 GB of memory."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, paths)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=SECONDS * len(paths),
        check=False,
    )
    lines = [line.split("|", 2) for line in done.stdout.splitlines()]
    assert done.returncode == 0, (lines[-1:], done.stderr[-2000:])
    assert len(lines) == len(paths)
    assert all(float(seconds) < SECONDS for _, seconds, _ in lines)
    assert done.stderr == ""  # no log lines about single tags
    return {name: said for name, _, said in lines}


def write_ome_tiff(path: Path, xml: str) -> None:
    """Write a TIFF of 5x6 zeros with a given description."""
    values = np.zeros((5, 6), np.uint8)
    tifffile.imwrite(path, values, description=xml.encode(), metadata=None)


def write_png(path: Path, side: int, bits: int, deflated: bytes) -> Path:
    """Write a square PNG, 8-bit grey or 16-bit RGB, with any pixel stream."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        crc = zlib.crc32(kind + content).to_bytes(4, "big")
        return len(content).to_bytes(4, "big") + kind + content + crc

    colour_type = {8: 0, 16: 2}[bits]
    header = side.to_bytes(4, "big") * 2 + bytes([bits, colour_type, 0, 0, 0])
    parts = [(b"IHDR", header), (b"IDAT", deflated), (b"IEND", b"")]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*one) for one in parts))
    return path


def write_zarr(
    path: Path, change: Callable[[dict[str, Any]], None], metadata: str = "0/zarr.json"
) -> Path:
    """Write an OME-Zarr of 4x5 ones with changed JSON of its array or group."""
    write_image(path, ImageRecord(np.ones((4, 5), np.uint8), "YX"))
    content = json.loads((path / metadata).read_text())
    change(content)
    (path / metadata).write_text(json.dumps(content))
    return path
