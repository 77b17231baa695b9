from __future__ import annotations

from pathlib import Path

import numpy as np
import tifffile

from napari_inr_denoise.io.fingerprint import sha256_of
from tests.file_sets import SIDE, write_set


def test_a_change_in_any_file_of_a_set_is_known(tmp_path: Path) -> None:
    paths = write_set(tmp_path, ["a.ome.tif", "b.ome.tif"], "a.ome.tif")
    before = sha256_of(paths[0])
    assert sha256_of(paths[1]) == before
    description = tifffile.TiffFile(paths[1]).pages.first.description
    plane = np.full((SIDE, SIDE), 9, np.uint16)
    tifffile.imwrite(paths[1], plane, description=description, metadata=None)
    assert sha256_of(paths[0]) != before


def test_a_change_in_a_companion_or_its_files_is_known(tmp_path: Path) -> None:
    companion = tmp_path / "a.companion.ome"
    (path,) = write_set(tmp_path, ["a.ome.tif"], companion.name)
    before = sha256_of(companion)
    companion.write_text(companion.read_text("utf-8") + "\n", "utf-8")
    changed = sha256_of(companion)
    path.write_bytes(path.read_bytes() + b"\0")
    assert len({before, changed, sha256_of(companion)}) == 3


def test_a_folder_that_is_an_image_is_known_by_its_content(tmp_path: Path) -> None:
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / "c0").write_bytes(b"one")
    first = sha256_of(tmp_path)
    assert sha256_of(tmp_path) == first
    (tmp_path / "0" / "c0").write_bytes(b"two")
    assert sha256_of(tmp_path) != first
    (tmp_path / "0" / "c0").rename(tmp_path / "0" / "c1")
    (tmp_path / "0" / "c1").write_bytes(b"one")
    assert sha256_of(tmp_path) != first
