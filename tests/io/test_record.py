from __future__ import annotations

import numpy as np
import pytest

from napari_inr_denoise.io.read import with_named_axes
from napari_inr_denoise.io.record import ImageRecord, Quantity


def test_axes_must_fit() -> None:
    with pytest.raises(ValueError, match="one letter per dimension"):
        ImageRecord(np.zeros((4, 5)), "ZYX")


def test_the_plane_keeps_its_sizes_where_only_z_is_unknown() -> None:
    data = np.zeros((2, 3, 4))
    flat = ImageRecord(data, "ZYX", {"Y": 0.2, "X": 0.1})
    assert flat.spatial_spacing_um() == (0.1, 0.2, 0.1)
    assert ImageRecord(data, "ZYX", {"Z": 0.2, "X": 0.1}).spatial_spacing_um() is None


def test_metadata_of_other_channels_are_dropped_with_a_note() -> None:
    record = ImageRecord(
        np.zeros((2, 4, 5)),
        "CYX",
        channel_names=("a", "b", "c"),
        channel_colours=("#ff0000", "#00ff00"),
    )
    fitting = record.with_axes("CYX")
    (note,) = fitting.notes
    assert note.startswith("The file states names of 3 channels, but the image has 2;")
    assert (fitting.channel_names, fitting.channel_colours) == (
        (),
        ("#ff0000", "#00ff00"),
    )
    moved = with_named_axes(fitting, "zyx")
    assert "colours of 2 channels, but the image has 1;" in moved.notes[1]
    assert moved.with_axes("TYX").notes == moved.notes


def test_sizes_that_do_not_agree_give_way() -> None:
    record = ImageRecord(
        np.zeros((4, 5)), "YX", {"X": 2.0}, stated={"X": Quantity(65.0, "nm")}
    )
    assert record.stated == {"X": Quantity(2.0, "\u00b5m")}
