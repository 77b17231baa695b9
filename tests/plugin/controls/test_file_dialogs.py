"""What is asked before a file is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from qtpy.QtWidgets import QFileDialog, QMessageBox

from napari_inr_denoise.plugin.controls.file_dialogs import ask_to_save

TIFF, ZARR = "OME-TIFF (*.ome.tif)", "OME-Zarr (*.ome.zarr)"
FILTERS = {TIFF: ".ome.tif", ZARR: ".ome.zarr"}


class Asked:
    """The dialogs, answered as a user would.

    Attributes
    ----------
    typed, kind : str
        The name that is typed, or none for the proposed one, and the filter.
    proposed : str
        The path that was proposed last.
    replace : bool
        Whether a file may be replaced.
    questions : list of str
        What was asked about files that exist.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.typed, self.kind, self.replace = "", TIFF, False
        self.proposed = ""
        self.questions: list[str] = []

    def name(self, _: object, __: str, proposed: str, ___: str) -> tuple[str, str]:
        self.proposed = proposed
        return str(self._folder / (self.typed or proposed)), self.kind

    def question(self, _: object, __: str, text: str, *___: object) -> object:
        self.questions.append(text)
        buttons = QMessageBox.StandardButton
        return buttons.Yes if self.replace else buttons.No

    def save(self, *sources: Path) -> Path | None:
        parent: Any = None
        endings = (".tif",)
        answer = ask_to_save(parent, "", "a", FILTERS, endings, sources=sources)
        return None if answer is None else answer[0]


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Asked:
    made = Asked(tmp_path)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", made.name)
    monkeypatch.setattr(QMessageBox, "warning", made.question)
    return made


def test_an_ending_is_appended_or_follows_the_filter(
    asked: Asked, tmp_path: Path
) -> None:
    for typed, kind, wanted in (
        ("", TIFF, "a.ome.tif"),
        ("", ZARR, "a.ome.zarr"),
        ("cells", ZARR, "cells.ome.zarr"),
        ("cells 0.5", TIFF, "cells 0.5.ome.tif"),
        ("cells.tif", TIFF, "cells.tif"),
        ("cells.OME.TIF", TIFF, "cells.OME.TIF"),
        ("cells", "unknown", "cells.ome.tif"),
    ):
        asked.typed, asked.kind = typed, kind
        assert asked.save() == tmp_path / wanted
    assert not asked.questions


def test_a_file_that_the_dialog_did_not_see_is_asked_about(
    asked: Asked, tmp_path: Path
) -> None:
    (tmp_path / "cells.ome.tif").touch()
    (tmp_path / "cells.ome.zarr").mkdir()
    for typed, kind in (("cells", TIFF), ("cells.ome.zarr", ZARR)):
        asked.typed, asked.kind = typed, kind
        for asked.replace in (False, True):
            assert (asked.save() is not None) == asked.replace
    assert len(asked.questions) == 4
    assert asked.questions[0].startswith("cells.ome.tif already exists.")
    asked.typed = "cells.ome.tif"  # the dialog has asked
    assert asked.save() == tmp_path / "cells.ome.tif"
    assert len(asked.questions) == 4


def test_the_folder_of_the_source_is_proposed(asked: Asked, tmp_path: Path) -> None:
    inner = tmp_path / "plate.ome.zarr" / "A" / "1"
    inner.mkdir(parents=True)
    for sources in ((tmp_path / "cells.tif",), (tmp_path / "no" / "x.tif", inner)):
        asked.typed = "other"
        asked.save(*sources)
        assert asked.proposed == str(tmp_path / "a.ome.tif")
        asked.typed = ""
        assert asked.save(*sources) == tmp_path / "a.ome.tif"
    asked.save(tmp_path / "no" / "x.tif")
    assert asked.proposed == "a.ome.tif"


def test_a_source_is_never_written_to(asked: Asked, tmp_path: Path) -> None:
    raw, group = tmp_path / "cells.ome.tif", tmp_path / "cells.ome.zarr" / "0"
    raw.touch()
    group.mkdir(parents=True)
    asked.replace = True
    for typed in ("cells", "cells.ome.tif", "cells.ome.zarr"):
        asked.typed = typed
        with pytest.raises(FileExistsError, match="Choose another name"):
            asked.save(raw, group)
    asked.typed = "other"
    assert asked.save(raw, group) == tmp_path / "other.ome.tif"
    assert not asked.questions
