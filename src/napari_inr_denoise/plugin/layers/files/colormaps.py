"""Colormaps of layers as files have them: a colour, or a table of 256 colours."""

from __future__ import annotations

from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

_NAMES = {
    "#ffffff": "gray",
    "#ff0000": "red",
    "#00ff00": "green",
    "#0000ff": "blue",
    "#00ffff": "cyan",
    "#ff00ff": "magenta",
    "#ffff00": "yellow",
}
"""napari's colormaps from black to one colour."""
_ROUNDING = 1
"""Largest difference of a table from an even one, in 1/255."""


def as_table(colormap: Any) -> bytes:  # noqa: ANN401 - whatever napari takes for one
    """Return a colormap as 256 reds, 256 greens and 256 blues."""
    from napari.utils.colormaps import ensure_colormap

    colours = np.asarray(ensure_colormap(colormap).map(np.linspace(0, 1, 256)))
    return bytes(np.rint(colours[:, :3].T * 255).astype(np.uint8).tobytes())


def colour_of(table: bytes) -> str:
    """Return the last colour of a table, "#rrggbb"."""
    return f"#{table[255]:02x}{table[511]:02x}{table[767]:02x}"


def is_even(table: bytes) -> bool:
    """Return whether a table goes evenly from black to a colour."""
    even = np.linspace((0, 0, 0), _columns(table)[-1], 256)
    return bool(np.abs(even - _columns(table)).max() <= _ROUNDING)


def colormap_of(colour: str, table: bytes = b"") -> str | dict[str, Any]:
    """Return a channel's colormap as a layer takes it: a name, a colour or its colours.

    Parameters
    ----------
    colour : str
        "#rrggbb"; an even scale from black.
    table : bytes
        256 reds, greens and blues, which come before the colour; or empty.
    """
    if len(table) == 3 * 256 and not is_even(table):
        opaque = np.ones((256, 1))
        colours = np.hstack([_columns(table) / 255, opaque])
        return {"name": f"table {crc32(table):08x}", "colors": colours}
    colour = (colour_of(table) if table else colour)[:7].lower()
    return _NAMES.get(colour, colour)


def _columns(table: bytes) -> NDArray[np.float64]:
    """Return the colours of a table, (256, 3), from 0 to 255."""
    return np.frombuffer(table, np.uint8).reshape(3, 256).T.astype(float)
