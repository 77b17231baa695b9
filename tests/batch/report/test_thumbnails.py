from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from napari_inr_denoise.batch.report.thumbnails import SIDE, AxesImage, thumbnails
from tests.batch.example_report import FILE, PLANE


def test_thumbnails_show_the_same_part_of_the_odd_plane(tmp_path: Path) -> None:
    noisy = np.zeros((2, 3, 200, 300), np.uint16)
    noisy[1, 2, 100:190, 200:280] = 1000
    odd = replace(PLANE, index={"C": 1, "Z": 2}, reason="non_finite")
    file = replace(FILE, planes=(replace(PLANE, index={"C": 0, "Z": 0}), odd))
    moved = AxesImage(np.moveaxis(noisy, 0, 1).astype(np.float32), "ZCYX")
    found = thumbnails(AxesImage(noisy, "CZYX"), moved, file)
    assert found is not None
    assert found.place == "C 1, Z 2, from x 192, y 96"
    assert found.before == found.after
    (tmp_path / "x.png").write_bytes(found.before)
    picture = np.asarray(Image.open(tmp_path / "x.png"))
    assert picture.shape == (SIDE, SIDE)
    assert picture[50, 50] > 200
    assert picture[1, 1] < 50


def test_colours_stay_colours_and_small_images_small() -> None:
    rgb = AxesImage(np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3), "YXS")
    found = thumbnails(rgb, rgb, FILE)
    assert found is not None
    assert b"IHDR\x00\x00\x00\x07\x00\x00\x00\x05\x08\x02" in found.before
