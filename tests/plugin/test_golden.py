"""What the widget looks like, beside stored pictures, in both themes.

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
from napari_inr_denoise.plugin.controls.rows import show_text
from numpy.typing import NDArray
from PIL import Image

from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from tests.conftest import process_events, wait_until

pytestmark = pytest.mark.window
FOLDER = Path(__file__).parent / "golden"
SIZE = (352, 720)
REDUCED = 8
MOST_OFF = 3.0
"""Mean difference of grey levels, of 255; without one of the rows it is 6."""


def _picture(widget: InrDenoiseWidget) -> NDArray[np.float64]:
    """Return the widget at a size of its own, without what differs by the machine."""
    for label in (widget.inputs.cost_label, widget.inputs.noise_label):
        show_text(label, "-")
    widget.device.native.setItemText(0, "auto: CPU (2 threads)")
    widget.device.native.setCurrentIndex(0)
    widget.native.setFixedSize(*SIZE)
    process_events(0.3)
    shot = widget.native.grab().toImage()
    shot = shot.convertToFormat(shot.Format.Format_RGB888)
    line = shot.bytesPerLine()
    values = np.frombuffer(shot.constBits().asstring(line * shot.height()), np.uint8)
    rows = values.reshape(shot.height(), line)[:, : 3 * shot.width()]
    picture = Image.fromarray(rows.reshape(shot.height(), shot.width(), 3)).resize(
        (SIZE[0] // REDUCED, SIZE[1] // REDUCED), Image.Resampling.BOX
    )
    return np.asarray(picture, dtype=float)


@pytest.mark.skipif(
    tuple(map(int, version("napari").split(".")[:2])) < (0, 9),
    reason="the pictures are of napari 0.9; before, its themes looked otherwise",
)
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_it_looks_as_it_did(viewer: Any, widget: InrDenoiseWidget, theme: str) -> None:
    viewer.theme = theme
    wait_until(lambda: widget.inputs.noise_label.value != "-")
    widget.before_run.hold()  # or an answer may come while the picture is taken
    found, path = _picture(widget), FOLDER / f"{theme}.png"
    if os.environ.get("INR_DENOISE_NEW_GOLDEN"):
        Image.fromarray(found.round().astype(np.uint8)).save(path)
    stored = np.asarray(Image.open(path), dtype=float)
    assert found.shape == stored.shape
    assert np.abs(found - stored).mean() < MOST_OFF


def test_a_missing_row_is_noticed(viewer: Any, widget: InrDenoiseWidget) -> None:
    viewer.theme = "dark"
    wait_until(lambda: widget.inputs.noise_label.value != "-")
    widget.before_run.hold()
    widget.preset.native.parentWidget().hide()
    stored = np.asarray(Image.open(FOLDER / "dark.png"), dtype=float)
    assert np.abs(_picture(widget) - stored).mean() > MOST_OFF
