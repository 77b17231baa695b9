from __future__ import annotations

import numpy as np
import pytest
from napari.utils.colormaps import ensure_colormap

from napari_inr_denoise.plugin.layers.files.colormaps import (
    as_table,
    colormap_of,
    colour_of,
    is_even,
)


@pytest.mark.parametrize(
    "name", ["gray", "green", "magenta", "#123456", "viridis", "gray_r", "I Blue"]
)
def test_colormaps_come_back_as_they_look(name: str) -> None:
    table = as_table(name)
    back = colormap_of(colour_of(table), b"" if is_even(table) else table)
    ends = np.linspace(0, 1, 50)
    wanted, found = (ensure_colormap(each).map(ends) for each in (name, back))
    np.testing.assert_allclose(found, wanted, atol=1.5 / 255)


def test_what_one_colour_says_needs_no_table() -> None:
    assert [is_even(as_table(name)) for name in ("red", "#123456", "viridis")] == [
        True,
        True,
        False,
    ]
    assert colormap_of("#FF00FF") == "magenta"
    assert colormap_of("#ff000080") == "red"
    assert colormap_of("", as_table("green")) == "green"
