"""Files that napari's menu opens, and the choice among the images of one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tifffile

from napari_inr_denoise.plugin import open_files

pytestmark = pytest.mark.window


def test_files_are_opened_with_their_sizes(viewer: Any, tmp_path: Any) -> None:
    path = tmp_path / "cells.tif"
    metadata = {"axes": "ZYX", "unit": "um", "spacing": 0.5}
    data = np.zeros((3, 8, 8), np.uint16)
    tifffile.imwrite(path, data, imagej=True, resolution=(10, 10), metadata=metadata)
    open_files.add_files(viewer, [str(path)])
    np.testing.assert_allclose(viewer.layers[0].scale, (0.5, 0.1, 0.1))
    assert [str(unit) for unit in viewer.layers[0].units] == ["micrometer"] * 3


def test_of_several_images_of_a_file_one_is_chosen(
    viewer: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as writer:
        for side, name in ((8, "left"), (9, "right")):
            writer.write(np.zeros((side, side), np.uint8), metadata={"Name": name})
    answers = iter([("right", True), ("all", True), ("left", False)])
    monkeypatch.setattr(
        open_files.QInputDialog, "getItem", lambda *_, **__: next(answers)
    )
    for count in (1, 3, 3):
        open_files.add_files(viewer, [str(path)])
        assert len(viewer.layers) == count
    assert viewer.layers[0].name == "a right"
