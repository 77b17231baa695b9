"""Links in a folder are followed only inside of it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from napari_inr_denoise import read_image, write_image
from napari_inr_denoise.io.fingerprint import sha256_of
from napari_inr_denoise.io.record import ImageRecord
from napari_inr_denoise.io.untrusted.links import check_links

VALUES = np.arange(20, dtype=np.uint8).reshape(4, 5)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """An OME-Zarr with one chunk, and a second OME-Zarr."""
    for name in ("a.zarr", "elsewhere.zarr"):
        write_image(tmp_path / name, ImageRecord(VALUES, "YX"))
    return tmp_path / "a.zarr"


@pytest.mark.parametrize(
    "place", ["zarr.json", "0", "0/zarr.json", "0/c", "0/c/0/0", "0/other", "labels"]
)
@pytest.mark.parametrize("relative", [True, False])
def test_a_zarr_with_a_link_to_elsewhere_is_refused(
    image: Path, place: str, relative: bool
) -> None:
    link, target = image / place, image.with_name("elsewhere.zarr") / place
    if link.exists():
        link.rename(image.with_name("away"))
    link.symlink_to(os.path.relpath(target, link.parent) if relative else target)
    with pytest.raises(ValueError, match="leads outside of") as raised:
        read_image(image, lazy=True)
    assert str(link) in str(raised.value)
    with pytest.raises(ValueError, match="leads outside of"):
        sha256_of(image)


def test_a_link_that_stays_inside_is_followed(image: Path, tmp_path: Path) -> None:
    (image / "0").rename(image / "full")
    (image / "0").symlink_to("full", target_is_directory=True)
    np.testing.assert_array_equal(read_image(image).data, VALUES)
    (tmp_path / "b.zarr").symlink_to(image, target_is_directory=True)
    np.testing.assert_array_equal(read_image(tmp_path / "b.zarr").data, VALUES)


def test_a_link_to_a_link_that_leads_elsewhere_is_refused(image: Path) -> None:
    (image / "first").symlink_to("second")
    (image / "second").symlink_to("../elsewhere.zarr", target_is_directory=True)
    with pytest.raises(ValueError, match="leads outside of"):
        check_links(image)


def test_a_link_to_itself_ends(image: Path) -> None:
    (image / "round").symlink_to(".", target_is_directory=True)
    check_links(image)
