"""Installation packages and devices."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

_PACKAGES = ("torch", "numpy", "tifffile", "napari", "npe2", "magicgui")
_EXTRAS = ("zarr", "distributed")
_QT_BINDINGS = ("PyQt6", "PySide6", "PyQt5", "PySide2")


@dataclass(frozen=True)
class Installation:
    """Packages and devices of this machine.

    Attributes
    ----------
    versions : dict of str to str or None
        Versions by package; None for a missing one.
    devices : tuple of str
        Devices of torch, the preferred one first; empty if torch does not load.
    device : str
        Description of the device that will be used.
    torch_error : str
        Error on import of torch; empty if there is none.
    torch_for_gpu : bool
        Whether torch was built for CUDA (or AMD's ROCm).
    nvidia : bool
        Whether there is an NVIDIA GPU with its driver.
    qt_bindings : tuple of str
        Installation Python packages for Qt.
    qt_api : str
        Value of the environment variable QT_API; empty if not set.
    """

    versions: dict[str, str | None]
    devices: tuple[str, ...]
    device: str
    torch_error: str
    torch_for_gpu: bool
    nvidia: bool
    qt_bindings: tuple[str, ...]
    qt_api: str


def inspect_installation() -> Installation:
    """Inspect this machine. Packages that fail to load raise nothing."""
    devices, device, for_gpu, error = _torch()
    return Installation(
        versions={name: _version(name) for name in _PACKAGES + _EXTRAS},
        devices=devices,
        device=device,
        torch_error=error,
        torch_for_gpu=for_gpu,
        nvidia=has_nvidia(),
        qt_bindings=tuple(name for name in _QT_BINDINGS if find_spec(name)),
        qt_api=os.environ.get("QT_API", ""),
    )


def installation_lines(found: Installation) -> dict[str, str]:
    """Return names and values to print: versions, devices and the one to be used."""
    lines = {
        "napari-inr-denoise": version("napari-inr-denoise"),
        "python": sys.version.split()[0],
        "system": platform.platform(),
    }
    lines |= {name: text or "not installed" for name, text in found.versions.items()}
    lines["Qt"] = ", ".join(found.qt_bindings) or "not installed"
    if found.torch_error:
        return lines | {"devices": f"torch could not be loaded ({found.torch_error})"}
    lines["devices"] = ", ".join(found.devices)
    return lines | {"torch will run on": found.device}


def has_nvidia() -> bool:
    """Return whether an NVIDIA driver is installed; does not import torch."""
    windows = Path(os.environ.get("SYSTEMROOT", "C:\\Windows"), "System32")
    places = (Path("/proc/driver/nvidia/version"), windows / "nvcuda.dll")
    return any(place.exists() for place in places) or bool(shutil.which("nvidia-smi"))


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _torch() -> tuple[tuple[str, ...], str, bool, str]:
    """Return devices, chosen device, whether built for GPUs, and the import error."""
    try:
        import torch

        from napari_inr_denoise.core.compute.devices import (
            available_devices,
            describe_device,
            pick_device,
        )

        chosen = describe_device(pick_device("auto"))
        for_gpu = bool(torch.version.cuda or getattr(torch.version, "hip", None))
        return tuple(available_devices()), chosen, for_gpu, ""
    # A missing library, a library of another version, or a GPU that is lost.
    except (ImportError, OSError, RuntimeError) as error:
        return (), "", False, " ".join(str(error).split())
