"""What `inr-denoise info` tells of a machine."""

from __future__ import annotations

import builtins
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

from napari_inr_denoise.cli import installation as module
from napari_inr_denoise.cli.advice import advice
from napari_inr_denoise.cli.installation import has_nvidia, inspect_installation
from napari_inr_denoise.cli.main import main


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
    assert advice(inspect_installation())[0] in done.output


def test_a_card_that_is_lost_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> int:
        raise RuntimeError("CUDA error: unknown error")

    monkeypatch.setattr(torch.cuda, "device_count", fail)
    assert inspect_installation().torch_error == "CUDA error: unknown error"


def test_what_is_here_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: name.startswith("PySide"))
    monkeypatch.setenv("QT_API", "pyside6")
    found = inspect_installation()
    assert found.qt_bindings == ("PySide6", "PySide2")
    assert found.qt_api == "pyside6"
    assert found.versions["torch"] == module.version("torch")
    assert "cpu" in found.devices
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    assert inspect_installation().torch_for_gpu
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(torch.version, "hip", None, raising=False)
    assert not inspect_installation().torch_for_gpu


def test_missing_packages_are_found_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_EXTRAS", ("a-package-that-is-not-there",))
    assert inspect_installation().versions["a-package-that-is-not-there"] is None


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
