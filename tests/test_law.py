"""The law of the house, in fresh interpreters: who may load what."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import napari_inr_denoise

ROOT = Path(napari_inr_denoise.__file__).parent
VIEWER = ("napari", "qtpy", "magicgui", "superqt")
_CORE = [
    "napari_inr_denoise." + ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for folder in ("core", "io", "batch")
    for path in sorted((ROOT / folder).rglob("*.py"))
    # The kernels need Triton, which is loaded where there is a GPU.
    if path.name not in ("__init__.py", "sine_kernels.py")
]


def _loaded(*stages: tuple[str, tuple[str, ...]]) -> list[list[str]]:
    """Run programs one after the other; return what each loaded though forbidden."""
    checks = "\n".join(
        f"{program}\nfound.append([m for m in {forbidden} if m in sys.modules])"
        for program, forbidden in stages
    )
    check = f"import sys\nfound = []\n{checks}\nprint(found)"
    done = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, check=True
    )
    return eval(done.stdout)


def test_the_package_loads_nothing_heavy() -> None:
    heavy = ("torch", "numpy", "skimage", "tifffile", *VIEWER)
    assert _loaded(("import napari_inr_denoise", heavy)) == [[]]


def test_the_reader_and_the_writer_load_no_torch() -> None:
    program = "from napari_inr_denoise.plugin import reader, writer"
    assert _loaded((program, ("torch", *VIEWER))) == [[]]


def test_the_panels_and_the_menu_load_no_torch_and_nothing_slow() -> None:
    program = (
        "from napari_inr_denoise.plugin import commands\n"
        "from napari_inr_denoise.plugin.widgets import denoise_widget, folder_widget"
    )
    assert _loaded((program, ("torch", "ome_types", "scipy.stats"))) == [[]]


def test_files_load_no_torch() -> None:
    program = "from napari_inr_denoise import read_image, write_image"
    assert _loaded((program, ("torch", *VIEWER))) == [[]]


def test_a_run_loads_no_compiler_core_no_files_and_none_of_them_a_viewer() -> None:
    """In one interpreter: each stage loads more than the one before."""
    run = (
        "import numpy, napari_inr_denoise as package\n"
        "small = package.DenoiseSettings(device='cpu', window_steps=2,\n"
        "    attention_steps=2, attention_width=4, max_steps=2,\n"
        "    candidates='neighbourhood+attention+siren')\n"
        "noisy = numpy.random.default_rng(0).poisson(20, (48, 48))\n"
        "package.denoise(noisy, settings=small)"
    )
    slow = ("sympy", "torch._dynamo", "torch._inductor", "scipy.stats")
    core = ", ".join(name for name in _CORE if ".core." in name)
    files = ("tifffile", "ome_types", "click", "dask")
    rest = ", ".join([*_CORE, "napari_inr_denoise.cli.main"])
    found = _loaded((run, slow), (f"import {core}", files), (f"import {rest}", VIEWER))
    assert found == [[], [], []]


@pytest.mark.parametrize("name", napari_inr_denoise.__all__)
def test_the_public_names_are_there(name: str) -> None:
    assert getattr(napari_inr_denoise, name)
    assert name in dir(napari_inr_denoise)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        napari_inr_denoise.nothing  # noqa: B018
