"""What `inr-denoise info` advises."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from napari_inr_denoise.cli.advice import MIN_NAPARI, advice
from napari_inr_denoise.cli.installation import Installation

_VERSIONS = {"torch": "2.9.0", "napari": "0.6.0", "zarr": "3.1", "distributed": "2025"}
WELL = Installation(
    versions=dict(_VERSIONS),
    devices=("cuda", "cuda:0", "cpu"),
    device="GPU (NVIDIA H100)",
    torch_error="",
    torch_for_gpu=True,
    nvidia=True,
    qt_bindings=("PyQt6",),
    qt_api="",
)


def _without(package: str, found: str | None = None) -> dict[str, str | None]:
    return _VERSIONS | {package: found}


def test_where_all_is_well_nothing_is_advised() -> None:
    assert advice(WELL) == []
    assert advice(replace(WELL, nvidia=False, devices=("cpu",))) == []
    assert advice(replace(WELL, nvidia=False, devices=("mps", "cpu"))) == []
    assert advice(replace(WELL, qt_bindings=("PyQt6", "PySide6"), qt_api="x")) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"devices": ("cpu",), "torch_for_gpu": False}, "built for the CPU alone"),
        ({"devices": ("cpu",)}, "Update the driver"),
        ({"torch_error": "libcudart.so.12: cannot open"}, "Reinstall it"),
        ({"torch_error": "[WinError 1114] c10.dll"}, "before napari"),
        ({"versions": _without("napari")}, "napari is not installed"),
        ({"versions": _without("napari", "0.5.2")}, "wanted 0.5.3 or later"),
        ({"versions": _without("napari", "0.4.19.post1")}, "wanted 0.5.3 or later"),
        ({"versions": _without("zarr")}, "napari-inr-denoise[zarr]"),
        ({"versions": _without("distributed")}, "napari-inr-denoise[distributed]"),
        ({"qt_bindings": ()}, "no Qt to open a window"),
        ({"qt_bindings": ("PyQt6", "PySide6")}, "Set the environment variable QT_API"),
    ],
)
def test_what_is_wrong_is_said_once_and_with_what_to_do(
    changes: dict[str, Any], words: str
) -> None:
    (said,) = advice(replace(WELL, **changes))
    assert words in said


@pytest.mark.parametrize("later", ["0.5.3", "0.5.10", "0.6.0rc1", "1.0"])
def test_a_napari_that_will_do_is_left_alone(later: str) -> None:
    assert advice(replace(WELL, versions=_without("napari", later))) == []


def test_the_least_napari_is_that_of_the_package() -> None:
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    assert f'napari[pyqt6]>={".".join(map(str, MIN_NAPARI))}"' in text
