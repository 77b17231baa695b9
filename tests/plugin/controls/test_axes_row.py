"""Axes are shown with where they come from, and the user's word counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_inr_denoise import read_image, write_image
from napari_inr_denoise.io.record import ImageRecord
from napari_inr_denoise.plugin.layers.source.layer_source import take_source
from napari_inr_denoise.plugin.open_files import add_files
from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from tests.plugin.conftest import PLUGIN

pytestmark = pytest.mark.window


def test_they_say_where_they_come_from(
    viewer: Any, widget: InrDenoiseWidget, tmp_path: Path
) -> None:
    row = widget.inputs.axes
    assert row.origin_label.text() == "from layer"
    assert row.letters_label.text() == "Z Y X"
    viewer.add_image(np.ones((3, 24, 24)), name="plain")
    assert row.origin_label.text() == "guessed"
    path = tmp_path / "a.ome.tif"
    write_image(path, ImageRecord(np.ones((3, 24, 24), np.uint16), "TYX"))
    viewer.open(path, plugin=PLUGIN)
    assert row.origin_label.text() == "from file"
    assert row.letters_label.text() == "T Y X"
    # The reader labels all axes, but has to guess those that a file does not name.
    unnamed = tmp_path / "a.tif"
    printed = {"resolution": (72, 72), "resolutionunit": "INCH"}
    stack = np.ones((5, 24, 24), np.uint16)
    tifffile.imwrite(unnamed, stack, photometric="minisblack", **printed)
    add_files(viewer, [str(unnamed)])
    assert row.letters_label.text() == "Z Y X"
    assert row.origin_label.text() == "guessed"
    # What the reader notes is told as on the command line, without its options.
    guess, size = read_image(unnamed).notes
    sentence = guess.split(". ")[0] + "."
    assert row.origin_label.toolTip() == f"{sentence}\nPress Edit to correct it."
    assert widget.inputs.notes_label.value == size
    row.edit_button.click()
    (only,) = row.editors
    only.setCurrentText("T time")
    only.activated.emit(only.currentIndex())
    assert row.letters_label.text() == "T Y X"
    assert row.origin_label.text() == "from layer"
    assert widget.inputs.notes_label.isVisibleTo(widget)
    viewer.add_image(np.ones((24, 24)), name="flat")
    assert not widget.inputs.notes_label.isVisibleTo(widget)
    assert not row.isVisibleTo(widget)
    assert not widget.scope.isVisibleTo(widget)


def test_a_guess_is_corrected(viewer: Any, widget: InrDenoiseWidget) -> None:
    layer = viewer.add_image(np.ones((2, 3, 24, 24)), name="plain")
    row = widget.inputs.axes
    assert row.letters_label.text() == "T Z Y X"
    row.edit_button.click()
    first, second = row.editors
    first.setCurrentText("C channel")
    first.activated.emit(first.currentIndex())
    assert row.letters_label.text() == "C Z Y X"
    assert row.origin_label.text() == "from layer"
    # A letter that is taken changes places with the old one.
    second.setCurrentText("C channel")
    second.activated.emit(second.currentIndex())
    assert row.letters_label.text() == "Z C Y X"
    assert take_source(layer, viewer.dims, widget.scope.value).axes == "ZCYX"
