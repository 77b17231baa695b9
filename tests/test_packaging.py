"""What stands twice because other programs read it: it says the same."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from typing import Any

import yaml

from tests.doc_blocks import ROOT

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
_CONDA_NAMES = {"torch": "pytorch"}


def _pairs(requirements: list[str]) -> set[tuple[str, ...]]:
    """Return names and bounds of requirements, under conda's names."""
    split = (re.split(r"(?:\[\w+\])?\s*>=", text) for text in requirements)
    return {(_CONDA_NAMES.get(name, name), *bound) for name, *bound in split}


def test_the_conda_recipe_has_the_requirements_of_the_package() -> None:
    recipe = yaml.safe_load((ROOT / "recipe" / "recipe.yaml").read_text("utf-8"))
    python, *others = recipe["requirements"]["run"]
    assert python == "python >=${{ python_min }}"
    least = recipe["context"]["python_min"]
    assert PROJECT["project"]["requires-python"] == f">={least}"
    assert _pairs(others) == _pairs(PROJECT["project"]["dependencies"])
    extras = PROJECT["project"]["optional-dependencies"]
    optional = [*extras["napari"], *extras["zarr"], *extras["distributed"]]
    assert _pairs(recipe["requirements"]["run_constraints"]) == _pairs(optional)
    host = [text for text in recipe["requirements"]["host"] if text.startswith("hatch")]
    assert _pairs(host) == _pairs(PROJECT["build-system"]["requires"])


def test_the_citation_names_the_paper_and_the_licence() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert citation["license"] == PROJECT["project"]["license"]
    first = citation["references"][0]
    assert first["identifiers"][0]["value"] == "arXiv:2204.02405"


def test_workflows_test_each_python_that_is_promised() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text("utf-8"))
    tested = set(workflow["jobs"]["tests"]["strategy"]["matrix"]["python"])
    promised = re.findall(r"Python :: (3\.\d+)", str(PROJECT["project"]["classifiers"]))
    assert tested == set(promised)


def test_threads_wait_without_keeping_a_core() -> None:
    """Set before torch is loaded, and only where nothing else is asked for."""
    program = (
        "import os, sys, napari_inr_denoise\n"
        "class Torch:\n"
        "    def find_spec(name, *_):\n"
        "        if name == 'torch': sys.exit(os.environ['OMP_WAIT_POLICY'])\n"
        "assert 'torch' not in sys.modules\n"
        "sys.meta_path.insert(0, Torch)\n"
        "napari_inr_denoise.denoise"
    )
    for asked, found in (("", "PASSIVE"), ("ACTIVE", "ACTIVE")):
        environment = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}
        if asked:
            environment["OMP_WAIT_POLICY"] = asked
        done = subprocess.run(
            [sys.executable, "-c", program],
            check=False,
            capture_output=True,
            text=True,
            env=environment,
        )
        assert done.stderr.strip() == found
