"""What is installed and where the fit will run."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

_PACKAGES = ("torch", "numpy", "scikit-image", "tifffile", "napari", "npe2", "magicgui")
_EXTRAS = ("zarr", "distributed")
_QT_BINDINGS = ("PyQt6", "PySide6", "PyQt5", "PySide2")


@dataclass(frozen=True)
class Installed:
    """What is found on this machine.

    Attributes
    ----------
    versions : dict of str to str or None
        Of packages; None for one that is missing.
    devices : tuple of str
        That torch computes on, the one that is taken first; empty if it doesn't load.
    device : str
        The one that is taken, in words.
    torch_error : str
        Why torch does not load; empty if it does.
    torch_for_gpu : bool
        Whether torch was built for CUDA (or AMD's ROCm).
    nvidia : bool
        Whether there is an NVIDIA card with its driver.
    qt_bindings : tuple of str
        Python packages for Qt.
    qt_api : str
        The one that the environment variable QT_API asks for; empty if none.
    """

    versions: dict[str, str | None]
    devices: tuple[str, ...]
    device: str
    torch_error: str
    torch_for_gpu: bool
    nvidia: bool
    qt_bindings: tuple[str, ...]
    qt_api: str


def look_around() -> Installed:
    """Return what is found here; nothing that fails to load is raised."""
    devices, device, for_gpu, error = _torch()
    return Installed(
        versions={name: _version(name) for name in _PACKAGES + _EXTRAS},
        devices=devices,
        device=device,
        torch_error=error,
        torch_for_gpu=for_gpu,
        nvidia=has_nvidia(),
        qt_bindings=tuple(name for name in _QT_BINDINGS if find_spec(name)),
        qt_api=os.environ.get("QT_API", ""),
    )


def installation(found: Installed) -> dict[str, str]:
    """Return names and values to show: versions, devices and the one in use."""
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
    """Return whether the driver of an NVIDIA card is here, asked without torch."""
    windows = Path(os.environ.get("SYSTEMROOT", "C:\\Windows"), "System32")
    places = (Path("/proc/driver/nvidia/version"), windows / "nvcuda.dll")
    return any(place.exists() for place in places) or bool(shutil.which("nvidia-smi"))


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _torch() -> tuple[tuple[str, ...], str, bool, str]:
    """Return torch's devices, the one taken, if built for GPUs, and what went wrong."""
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
    # A library that is missing, one of another version, a card that is lost.
    except (ImportError, OSError, RuntimeError) as error:
        return (), "", False, " ".join(str(error).split())
