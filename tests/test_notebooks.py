"""The notebooks run from their first cell to their last, and carry no outputs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.doc_blocks import ROOT

NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))


def _code_of(notebook: Path) -> list[dict[str, Any]]:
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def _run(name: str) -> dict[str, Any]:
    notebook = ROOT / "docs" / "notebooks" / name
    names: dict[str, Any] = {"__name__": "__main__"}
    for number, cell in enumerate(_code_of(notebook)):
        text = "".join(cell["source"])
        exec(compile(text, f"{name}, cell {number}", "exec"), names)
    return names


def test_a_noisy_file_becomes_a_figure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = _run("figure.ipynb")
    assert (tmp_path / "figure.png").is_file()
    assert names["figure"].width > 3 * names["figure"].height
    assert names["result"].image.shape == names["record"].data.shape


def test_the_report_of_a_folder_is_read_as_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pandas")  # napari brings it
    monkeypatch.chdir(tmp_path)
    names = _run("batch.ipynb")
    assert len(names["planes"]) == 3
    assert list(names["odd"]["source"]) == ["enlarged.ome.tif"]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_has_no_outputs(notebook: Path) -> None:
    cells = _code_of(notebook)
    assert cells
    assert not any(cell["outputs"] or cell["execution_count"] for cell in cells)
