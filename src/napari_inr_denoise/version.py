"""The version of this program."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def package_version() -> str:
    """Return the installed version; "0+unknown" in a checkout that is not installed."""
    try:
        return version("napari-inr-denoise")
    except PackageNotFoundError:
        return "0+unknown"
