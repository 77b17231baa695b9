"""Advice on problems of an installation."""

from __future__ import annotations

import re
from collections.abc import Iterator

from napari_inr_denoise.cli.installation import Installation

MIN_NAPARI = (0, 5, 3)
_TORCH_PAGE = "https://pytorch.org/get-started/locally"
_NAME = "napari-inr-denoise"


def advice(found: Installation) -> list[str]:
    """Return a message for each problem, with what to do about it.

    Parameters
    ----------
    found : Installation
        Result of `inspect_installation`.
    """
    return [*_about_torch(found), *_about_window(found), *_about_extras(found)]


def _about_torch(found: Installation) -> Iterator[str]:
    if found.torch_error:
        yield _broken_torch(found.torch_error)
    elif not found.nvidia or any(name.startswith("cuda") for name in found.devices):
        return
    elif found.torch_for_gpu:
        yield (
            "There is an NVIDIA card, but torch cannot use it. Most often its driver "
            "is older than the CUDA that torch was built for. Update the driver, or "
            f"install a build of torch for an older CUDA ({_TORCH_PAGE})."
        )
    else:
        yield (
            "There is an NVIDIA card, but this torch was built for the CPU alone, many "
            f"times slower. Choose a CUDA build on {_TORCH_PAGE} and install it over "
            "this one."
        )


def _broken_torch(error: str) -> str:
    if "1114" in error:
        return (
            "torch was loaded after Qt and could not start its libraries (WinError "
            "1114). Update the Microsoft Visual C++ Redistributable, or import torch "
            "before napari."
        )
    return (
        f"torch could not be loaded ({error}). Reinstall it: pip install "
        f"--force-reinstall torch, or choose another build on {_TORCH_PAGE}."
    )


def _about_window(found: Installation) -> Iterator[str]:
    napari = found.versions.get("napari")
    install = f'pip install "{_NAME}[napari]"'
    if napari is None:
        yield (
            "napari is not installed: the command line and Python work, the window "
            f"does not. To install it: {install}"
        )
        return
    if _numbers(napari) < MIN_NAPARI:
        wanted = ".".join(map(str, MIN_NAPARI))
        yield f"napari is {napari}, wanted {wanted} or later. Update it: {install}"
    if not found.qt_bindings:
        yield f"napari has no Qt to open a window. Install one: {install}"
    if len(found.qt_bindings) > 1 and not found.qt_api:
        names = " and ".join(found.qt_bindings)
        yield (
            f"{names} are both installed, and it is not defined which one is used. "
            f"Set the environment variable QT_API to {found.qt_bindings[0].lower()}, "
            "or uninstall the others."
        )


def _about_extras(found: Installation) -> Iterator[str]:
    needs = {
        "zarr": "OME-Zarr can be neither read nor written",
        "distributed": "files cannot be shared out among workers",
    }
    for package, without in needs.items():
        if found.versions.get(package) is None:
            yield (
                f"{package} is not installed: {without}. To install it: pip install "
                f'"{_NAME}[{package}]"'
            )


def _numbers(text: str) -> tuple[int, ...]:
    """Return the leading numbers of a version."""
    begin = re.match(r"\d+(\.\d+)*", text)
    return tuple(int(part) for part in begin[0].split(".")) if begin else ()
