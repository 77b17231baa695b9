"""Axis letters from the labels of a layer."""

from __future__ import annotations

import pytest

from napari_inr_denoise.plugin.layers.axis_labels import axis_letters


@pytest.mark.parametrize(
    ("labels", "letters"),
    [
        (("tc", "y", "x"), "ZYX"),
        (("zt", "c", "y", "x"), "ZCYX"),
        (("ztc", "t", "y", "x"), "ZTYX"),
        (("", "C", "y", "x"), "ZCYX"),
        (("t", "t", "y", "x"), "TZYX"),
    ],
)
def test_a_label_is_used_if_it_is_one_letter(
    labels: tuple[str, ...], letters: str
) -> None:
    plane = len(labels) - 2, len(labels) - 1
    assert axis_letters(labels, plane, "a") == letters
