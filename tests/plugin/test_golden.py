"""What the panel looks like in its main states, beside stored pictures, in both themes.

Pictures are compared at an eighth of their size, where fonts of other machines hardly
matter and a control that is missing, moved or in another colour does. To renew them
after a change that is wanted, and that was looked at:

    INR_DENOISE_NEW_GOLDEN=1 python -m pytest tests/plugin/test_golden.py
"""

from __future__ import annotations

import os
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from tests.conftest import process_events
from tests.plugin.states import STATES, back, before, sized

pytestmark = [
    pytest.mark.window,
    pytest.mark.drawn,
    pytest.mark.skipif(
        tuple(map(int, version("napari").split(".")[:2])) < (0, 9),
        reason="the pictures are of napari 0.9; before, its themes looked otherwise",
    ),
]
FOLDER = Path(__file__).parent / "golden"
SIZE = (304, 640)
_MOST_LOOKS = 20
REDUCED = 8
MOST_OFF = 3.0
"""Mean difference of grey levels, of 255; without one of the rows it is larger."""


def _picture(panel: InrDenoiseWidget) -> NDArray[np.float64]:
    """Return the panel, reduced."""
    shot = panel.grab().toImage()
    shot = shot.convertToFormat(shot.Format.Format_RGB888)
    line = shot.bytesPerLine()
    values = np.frombuffer(shot.constBits().asstring(line * shot.height()), np.uint8)
    rows = values.reshape(shot.height(), line)[:, : 3 * shot.width()]
    picture = Image.fromarray(rows.reshape(shot.height(), shot.width(), 3)).resize(
        (SIZE[0] // REDUCED, SIZE[1] // REDUCED), Image.Resampling.BOX
    )
    return np.asarray(picture, dtype=float)


def _settled(panel: InrDenoiseWidget) -> NDArray[np.float64]:
    """Return the panel once it is laid out."""
    found = _picture(panel)
    for _ in range(_MOST_LOOKS):
        process_events(0.1)
        last, found = found, _picture(panel)
        if np.array_equal(found, last):
            break
    return found


def _stored(state: str, theme: str) -> NDArray[np.float64]:
    return np.asarray(Image.open(FOLDER / f"{state}-{theme}.png"), dtype=float)


@pytest.mark.long
def test_it_looks_as_it_did(viewer: Any, widget: InrDenoiseWidget) -> None:
    sized(widget, *SIZE)
    off = {}
    for state, show in STATES.items():
        show(viewer, widget)
        for theme in ("dark", "light"):
            viewer.theme = theme
            found = _settled(widget)
            if os.environ.get("INR_DENOISE_NEW_GOLDEN"):
                path = FOLDER / f"{state}-{theme}.png"
                Image.fromarray(found.round().astype(np.uint8)).save(path)
            off[state, theme] = np.abs(found - _stored(state, theme)).mean()
        back(widget)
    assert {key: by for key, by in off.items() if by >= MOST_OFF} == {}


def test_a_missing_row_is_noticed(viewer: Any, widget: InrDenoiseWidget) -> None:
    viewer.theme = "dark"
    sized(widget, *SIZE)
    before(viewer, widget)
    widget.inputs.form.show_row(widget.preset, False)
    assert np.abs(_settled(widget) - _stored("before", "dark")).mean() > MOST_OFF
