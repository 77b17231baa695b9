"""Files that are cut short, or hold fewer planes than they claim."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from napari_inr_denoise import read_image

PLANES = 5
KINDS: dict[str, dict[str, Any]] = {
    "imagej": {"imagej": True, "metadata": {"axes": "ZYX"}},
    "tifffile": {"metadata": {"axes": "ZYX"}},
    "compressed": {"metadata": {"axes": "ZYX"}, "compression": "zlib"},
    "strips": {"metadata": {"axes": "ZYX"}, "compression": "zlib", "rowsperstrip": 8},
    "tiles": {"metadata": {"axes": "ZYX"}, "tile": (16, 16)},
}


@pytest.fixture
def stack(rng: np.random.Generator) -> NDArray[np.uint16]:
    return rng.integers(0, 60000, (PLANES, 32, 32), dtype=np.uint16)


def _cut(path: Path, share: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])


@pytest.mark.parametrize("share", [0.9, 0.5])
@pytest.mark.parametrize("kind", KINDS)
def test_a_stack_that_is_cut_short_is_refused_or_masked(
    tmp_path: Path, stack: NDArray[np.uint16], kind: str, share: float
) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, stack, photometric="minisblack", **KINDS[kind])
    _cut(path, share)
    with pytest.raises(ValueError, match=r"not be read whole: planes .* of 5, the fi"):
        read_image(path)
    record = read_image(path, lazy=True, incomplete=True)
    missing, found = np.asarray(record.missing), np.asarray(record.data)
    assert record.axes == "ZYX"
    assert found.shape == missing.shape == stack.shape
    assert missing[-1].any()
    assert not missing[: int(PLANES * share) - 1].any()
    np.testing.assert_array_equal(found[~missing], stack[~missing])
    assert not found[missing].any()
    np.testing.assert_array_equal(np.isnan(record.measured), missing)
    # Blocks agree with the whole.
    part = (slice(1, 5), slice(5, 20), slice(3, 30))
    np.testing.assert_array_equal(record.missing[part], missing[part])
    assert "is incomplete: planes missing" in record.notes[-1]


def test_missing_floats_are_nan(tmp_path: Path, stack: NDArray[np.uint16]) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, stack.astype(np.float32), metadata={"axes": "ZYX"})
    _cut(path, 0.7)
    record = read_image(path, incomplete=True)
    assert record.data.dtype == np.float32
    np.testing.assert_array_equal(np.isnan(record.data), record.missing)


def test_colours_that_are_cut_short(tmp_path: Path, rng: np.random.Generator) -> None:
    for planar in ("contig", "separate"):
        shape = (2, 32, 32, 3) if planar == "contig" else (2, 3, 32, 32)
        values = rng.integers(1, 255, shape, dtype=np.uint8)
        path = tmp_path / f"{planar}.tif"
        tifffile.imwrite(
            path,
            values,
            photometric="rgb",
            planarconfig=planar,
            compression="zlib",
            rowsperstrip=8,
        )
        _cut(path, 0.8)
        record = read_image(path, incomplete=True)
        assert 0 < record.missing.mean() < 1
        kept = record.data[~record.missing]
        np.testing.assert_array_equal(kept, values[~record.missing])


def test_fewer_pages_than_imagej_claims(
    tmp_path: Path, stack: NDArray[np.uint16]
) -> None:
    path = tmp_path / "a.tif"
    text = "ImageJ=1.54f\nimages=10\nchannels=2\nslices=5\nhyperstack=true\n"
    with tifffile.TiffWriter(path) as writer:
        for number, plane in enumerate(stack[:3]):
            description = text if number == 0 else None
            writer.write(
                plane, description=description, metadata=None, contiguous=False
            )
    with pytest.raises(ValueError, match="7 of 10, the first is number 4"):
        read_image(path)
    record = read_image(path, incomplete=True)
    assert (record.axes, record.data.shape) == ("ZCYX", (5, 2, 32, 32))
    np.testing.assert_array_equal(record.data[0], stack[:2])
    assert record.missing.reshape(10, -1).all(axis=1).sum() == 7


def test_a_claim_of_ome_that_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.tif"
    values = np.ones((3, 8, 8), np.uint8)
    tifffile.imwrite(path, values, ome=True, metadata={"axes": "ZYX"})
    with tifffile.TiffFile(path) as tiff:
        xml = tiff.ome_metadata.replace('SizeZ="3"', 'SizeZ="4"')
    tifffile.imwrite(
        path, values, description=xml, metadata=None, photometric="minisblack"
    )
    with pytest.raises(ValueError, match="1 of 4, the first is number 4"):
        read_image(path)
    assert read_image(path, incomplete=True).missing[3].all()


def test_pages_that_lead_beyond_the_end(
    tmp_path: Path, stack: NDArray[np.uint16]
) -> None:
    """How many there were is not known: what is left is a smaller image."""
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as writer:
        for plane in stack:
            writer.write(plane, metadata=None, contiguous=False)
    with tifffile.TiffFile(path) as tiff:
        end = tiff.pages[3].offset
    path.write_bytes(path.read_bytes()[:end])
    with pytest.raises(ValueError, match="cut short after 3 pages"):
        read_image(path)
    record = read_image(path, incomplete=True)
    np.testing.assert_array_equal(record.data, stack[:3])


def test_nothing_left_is_refused(tmp_path: Path, stack: NDArray[np.uint16]) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, stack, imagej=True)
    _cut(path, 0.1)
    with pytest.raises(ValueError, match="before the first plane ends"):
        read_image(path, incomplete=True)


def test_a_whole_stack_without_its_list_of_pages_is_whole(
    tmp_path: Path, stack: NDArray[np.uint16]
) -> None:
    """As ImageJ writes it: all planes, and then the list."""
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, stack, imagej=True)
    with tifffile.TiffFile(path) as tiff:
        start = tiff.pages.first.dataoffsets[0]
    path.write_bytes(path.read_bytes()[: start + stack.nbytes])
    np.testing.assert_array_equal(read_image(path).data, stack)
