"""The sections by name."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

import torch

from tests.benchmarks.gpu import runs, steps
from tests.benchmarks.gpu.batched import batched
from tests.benchmarks.gpu.place import Place, Row, Section
from tests.benchmarks.gpu.profiled import profile
from tests.benchmarks.machine import describe_run


def machine(place: Place) -> Iterator[Row]:
    """Yield what the figures are measured on."""
    _, *lines = describe_run("tests.benchmarks.gpu.run", place.device)
    for line in lines:
        yield {"what": line.removeprefix("- ")}
    yield {"what": f"threads of torch: {torch.get_num_threads()}"}
    for name in ("triton", "numpy", "scipy"):
        try:
            yield {"what": f"{name} {version(name)}"}
        except PackageNotFoundError:
            yield {"what": f"{name} is not installed"}
    compiler = shutil.which(os.environ.get("CC", "gcc")) or shutil.which("clang")
    yield {"what": f"C compiler, which Triton needs: {compiler}"}
    if place.device.type == "cuda":
        about = torch.cuda.get_device_properties(place.device)
        yield {"what": f"CUDA {torch.version.cuda}"}
        yield {"what": f"cuDNN {torch.backends.cudnn.version()}"}
        yield {
            "what": f"{about.multi_processor_count} multiprocessors, capability "
            f"{about.major}.{about.minor}, {about.total_memory / 1e9:.1f} GB"
        }
        free, total = torch.cuda.mem_get_info(place.device)
        yield {"what": f"{free / 1e9:.1f} of {total / 1e9:.1f} GB free"}


SECTIONS: dict[str, Section] = {
    "machine": machine,
    "limits": steps.limits,
    "graphs": steps.graphs,
    "correct": runs.correct,
    "seconds": runs.seconds,
    "profile": profile,
    "large": runs.large,
    "share": steps.share,
    "sine": steps.sine,
    "streams": steps.streams,
    "batched": batched,
    "same": runs.same,
    "cores": runs.cores,
    "start": runs.start,
    "memory": runs.memory,
}
