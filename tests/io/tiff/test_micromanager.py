"""Micro-Manager files that hold all positions, without OME-XML."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise import list_images, read_image

SIDE = 8
TAGS = 2 + 10 * 12 + 4


def _page(at: int, following: int, text: int) -> bytes:
    """Return the tags of a page whose pixels follow; its JSON text is at 40."""
    start = at + TAGS
    tags = [
        *((256, SIDE), (257, SIDE), (258, 16), (259, 1), (262, 1), (273, start)),
        *((277, 1), (278, SIDE), (279, 2 * SIDE**2)),
    ]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    entries += struct.pack("<HHII", 51123, 2, text, 40)
    return struct.pack("<H", len(tags) + 1) + entries + struct.pack("<I", following)


def _write(path: Path, planes: NDArray[np.uint16], places: list[list[int]]) -> None:
    """Write planes with an index of channel, slice, frame and position."""
    labels = [{"Label": "corner"}, {"Label": "centre"}]
    summary = json.dumps({"StagePositions": labels}).encode()
    first, length = 40 + len(summary), TAGS + 2 * SIDE**2
    offsets = [first + k * length for k in range(len(planes))]
    end = first + len(planes) * length
    header = struct.pack("<2sHI", b"II", 42, first)
    header += struct.pack("<8I", 54773648, end, 0, 0, 0, 0, 2355492, len(summary))
    content = header + summary
    for plane, at, following in zip(planes, offsets, [*offsets[1:], 0], strict=True):
        content += _page(at, following, len(summary)) + plane.tobytes()
    content += struct.pack("<2I", 3453623, len(planes))
    for place, at in zip(places, offsets, strict=True):
        content += struct.pack("<5I", *place, at)
    path.write_bytes(content)


def test_positions_are_told_apart_by_the_index(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    path = tmp_path / "a_MMStack.tif"
    planes = rng.integers(0, 999, (7, SIDE, SIDE), dtype=np.uint16)
    # Frame by frame, all positions; the last plane was not taken any more.
    places = [[0, z, t, p] for t in range(2) for p in range(2) for z in range(2)][:7]
    _write(path, planes, places)
    assert [entry.name for entry in list_images(path)] == ["corner", "centre"]
    record = read_image(path)
    assert (record.axes, record.data.shape) == ("TZYX", (2, 2, SIDE, SIDE))
    found = record.data.reshape(4, SIDE, SIDE)
    np.testing.assert_array_equal(found, planes[[0, 1, 4, 5]])
    record = read_image(path, series="centre", incomplete=True)
    assert record.missing.any(axis=(2, 3)).tolist() == [[False, False], [False, True]]
    np.testing.assert_array_equal(record.data[1, 0], planes[6])
