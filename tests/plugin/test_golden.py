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
from numpy.typing import NDArray
from PIL import Image
from qtpy.QtCore import Qt

from napari_inr_denoise.plugin.elements.facts import Chip
from napari_inr_denoise.plugin.layers.scope import STACK
from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from tests.conftest import process_events, wait_until

pytestmark = pytest.mark.window
FOLDER = Path(__file__).parent / "golden"
SIZE = (304, 640)
REDUCED = 8
MOST_OFF = 3.0
"""Mean difference of grey levels, of 255; without one of the rows it is larger."""
CHIPS = [
    Chip("Noise only", "", "good"),
    Chip("error 3.4"),
    Chip("Stopped", "", "warning"),
]


def _picture(widget: InrDenoiseWidget) -> NDArray[np.float64]:
    """Return the panel at a size of its own, without what differs by the machine."""
    widget.before_run.hold()  # or an answer may come while the picture is taken
    widget.inputs.clear_estimates()
    widget.inputs.noise_label.value = "sigma 3.99, photon + read noise (gain 1, read 2)"
    for name in widget.preset.choices:
        widget.preset.annotate(name, "~9 s")
    widget.results.chips.show_facts(CHIPS)
    # A window of its own: in the dock, napari's window would give the size.
    widget.setParent(None, Qt.WindowType.Window)
    widget.setFixedSize(*SIZE)
    widget.show()
    process_events(0.3)
    shot = widget.grab().toImage()
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
@pytest.mark.parametrize("state", ["before", "result"])
def test_it_looks_as_it_did(
    viewer: Any, widget: InrDenoiseWidget, theme: str, state: str
) -> None:
    viewer.theme = theme
    viewer.layers[0].data = viewer.layers[0].data[:3, :32, :32]
    widget.scope.value = STACK
    if state == "result":
        widget.run()
        wait_until(lambda: not widget.running)
    found, path = _picture(widget), FOLDER / f"{state}-{theme}.png"
    if os.environ.get("INR_DENOISE_NEW_GOLDEN"):
        Image.fromarray(found.round().astype(np.uint8)).save(path)
    stored = np.asarray(Image.open(path), dtype=float)
    assert found.shape == stored.shape
    assert np.abs(found - stored).mean() < MOST_OFF


def test_a_missing_row_is_noticed(viewer: Any, widget: InrDenoiseWidget) -> None:
    viewer.theme = "dark"
    viewer.layers[0].data = viewer.layers[0].data[:3, :32, :32]
    widget.scope.value = STACK
    widget.inputs.form.show_row(widget.preset, False)
    stored = np.asarray(Image.open(FOLDER / "before-dark.png"), dtype=float)
    assert np.abs(_picture(widget) - stored).mean() > MOST_OFF
