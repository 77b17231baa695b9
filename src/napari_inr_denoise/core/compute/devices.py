"""Devices: choice, check, description, memory."""

from __future__ import annotations

import sys

import torch


def pick_device(name: str) -> torch.device:
    """Return the device with a name. "auto" prefers CUDA, then MPS, then the CPU.

    Raises
    ------
    ValueError
        If the name is unknown, or if this machine has no such device.
    """
    if name == "auto":
        return torch.device(available_devices()[0])
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    here = available_devices()
    if device is None or not (name in here or device.type in here):
        raise ValueError(
            f"device: got {name!r}, wanted auto or one that is available here: "
            f"{', '.join(here)}."
        )
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ValueError(
            f"device: got {name!r}, but there are {torch.cuda.device_count()} CUDA "
            "devices, counted from cuda:0."
        )
    return device


def available_devices() -> list[str]:
    """Return the names of this machine's devices, the fastest kind first."""
    found = [f"cuda:{k}" for k in range(torch.cuda.device_count())]
    if found:
        found.insert(0, "cuda")
    if torch.backends.mps.is_available():
        found.append("mps")
    return [*found, "cpu"]


def describe_device(device: torch.device) -> str:
    """Return a device's name for users, such as "GPU (NVIDIA H100)"."""
    if device.type == "cuda":
        return f"GPU ({torch.cuda.get_device_name(device)})"
    if device.type == "mps":
        return "GPU (Apple, MPS)"
    threads = torch.get_num_threads()
    return f"CPU ({threads} thread{'s' if threads != 1 else ''})"


def synchronize(device: torch.device) -> None:
    """Wait until a device has finished all work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def peak_memory_mb(device: torch.device) -> float | None:
    """Return the peak memory of this process, in MB (10^6 bytes).

    On CUDA: memory of the device. Elsewhere: memory of the host; None on Windows.
    """
    if device.type == "cuda":
        return round(torch.cuda.max_memory_allocated(device) / 1e6, 1)
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round((peak if sys.platform == "darwin" else peak * 1024) / 1e6, 1)
