"""What `inr-denoise info` tells of a machine and advises."""

from __future__ import annotations

import builtins
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

from napari_inr_denoise.batch import installation as module
from napari_inr_denoise.batch.advice import LEAST_NAPARI, advice
from napari_inr_denoise.batch.installation import Installed, has_nvidia, look_around
from napari_inr_denoise.cli import main

_VERSIONS = {"torch": "2.9.0", "napari": "0.6.0", "zarr": "3.1", "distributed": "2025"}
WELL = Installed(
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
    assert f'napari[pyqt6]>={".".join(map(str, LEAST_NAPARI))}"' in text


@pytest.mark.parametrize(
    "error",
    [
        ImportError("libtorch_cpu.so: cannot open shared object file"),
        OSError("[WinError 1114] Error loading c10.dll"),
    ],
    ids=["ImportError", "OSError"],
)
def test_a_torch_that_does_not_load_is_said(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def load(name: str, *arguments: Any, **options: Any) -> Any:
        if name == "torch":
            raise error
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", load)
    done = CliRunner().invoke(main, ["info"])
    assert done.exit_code == 0
    assert "torch could not be loaded" in done.output
    assert advice(look_around())[0] in done.output


def test_a_card_that_is_lost_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> int:
        raise RuntimeError("CUDA error: unknown error")

    monkeypatch.setattr(torch.cuda, "device_count", fail)
    assert look_around().torch_error == "CUDA error: unknown error"


def test_what_is_here_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: name.startswith("PySide"))
    monkeypatch.setenv("QT_API", "pyside6")
    found = look_around()
    assert found.qt_bindings == ("PySide6", "PySide2")
    assert found.qt_api == "pyside6"
    assert found.versions["torch"] == module.version("torch")
    assert "cpu" in found.devices
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    assert look_around().torch_for_gpu
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(torch.version, "hip", None, raising=False)
    assert not look_around().torch_for_gpu


def test_missing_packages_are_found_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_EXTRAS", ("a-package-that-is-not-there",))
    assert look_around().versions["a-package-that-is-not-there"] is None


@pytest.mark.skipif(sys.platform == "win32", reason="the program's name differs there")
def test_a_driver_is_found_without_torch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("SYSTEMROOT", str(tmp_path))
    if not Path("/proc/driver/nvidia/version").exists():
        assert not has_nvidia()
    program = tmp_path / "nvidia-smi"
    program.touch(mode=0o755)
    assert has_nvidia()
    program.unlink()
    (tmp_path / "System32").mkdir()
    (tmp_path / "System32" / "nvcuda.dll").touch()
    assert has_nvidia()
