"""What is installed and where the fit will run."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import PackageNotFoundError, version

_PACKAGES = ("torch", "numpy", "scikit-image", "tifffile", "napari", "npe2", "magicgui")


def installation() -> dict[str, str]:
    """Return names and values to show: versions, devices and the one in use."""
    found = {
        "napari-inr-denoise": version("napari-inr-denoise"),
        "python": sys.version.split()[0],
        "system": platform.platform(),
    }
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found | _devices()


def _devices() -> dict[str, str]:
    """Return what torch finds; a torch that fails to load is said, not raised."""
    try:
        from napari_inr_denoise.core.devices import (
            available_devices,
            describe_device,
            pick_device,
        )

        chosen = describe_device(pick_device("auto"))
    except (ImportError, OSError) as error:
        return {"devices": f"torch could not be loaded ({error}); reinstall torch"}
    return {"devices": ", ".join(available_devices()), "torch will run on": chosen}
