"""The menu of the panel: the same run as a command or a script, and a picture."""

from __future__ import annotations

from email.message import Message
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from qtpy.QtWidgets import QApplication, QFileDialog

from napari_inr_denoise import write_image
from napari_inr_denoise.cli.main import main
from napari_inr_denoise.io.record import ImageRecord
from napari_inr_denoise.plugin.layers.source.scope import VOLUME
from napari_inr_denoise.plugin.widgets import help_dialog
from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from tests.conftest import process_events
from tests.plugin.conftest import PLUGIN

pytestmark = pytest.mark.window


@pytest.fixture
def opened(viewer: Any, widget: InrDenoiseWidget, tmp_path: Path) -> InrDenoiseWidget:
    """The panel with a stack that was opened from a file."""
    noisy = np.random.default_rng(0).poisson(50, (3, 24, 24)).astype(np.uint16)
    path = tmp_path / "a stack.ome.tif"
    write_image(path, ImageRecord(noisy, "ZYX"))
    viewer.layers.clear()
    viewer.open(path, plugin=PLUGIN)
    return widget


def _copied() -> str:
    clipboard = QApplication.clipboard()
    assert clipboard is not None
    return clipboard.text()


def test_the_command_names_what_is_chosen(
    opened: InrDenoiseWidget, tmp_path: Path
) -> None:
    opened.seed.value = 7
    opened.scope.value = VOLUME
    opened.menu.copy_command()
    assert _copied() == (
        f'inr-denoise run "{tmp_path / "a stack.ome.tif"}" '
        '--out "a stack.ome-denoised" '
        f"--preset {opened.settings.preset} --seed 7 --mode volume"
    )
    known = {one.opts[0] for one in main.commands["run"].params}
    assert {"--out", "--preset", "--seed", "--mode"} <= known


def test_what_no_option_can_say_is_in_a_file(opened: InrDenoiseWidget) -> None:
    opened.preset.value = "auto"
    opened.inputs.context.value = 3
    opened.menu.copy_command()
    assert _copied().endswith(" --settings settings.json")
    assert "settings.json" in opened.status_label.value


def test_the_script_runs(opened: InrDenoiseWidget) -> None:
    opened.menu.copy_script()
    names: dict[str, Any] = {}
    exec(_copied(), names)
    assert names["result"].image.shape == (3, 24, 24)
    assert names["settings"] == opened.settings


def test_a_picture_of_the_canvas(
    opened: InrDenoiseWidget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process_events(0.2)
    chosen = (str(tmp_path / "view"), "")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: chosen)
    opened.menu.ask_and_save_picture()
    assert "Saved" in opened.status_label.value
    picture = np.asarray(Image.open(tmp_path / "view.png"))
    assert picture[..., :3].std() > 0


def test_help_needs_no_network(opened: InrDenoiseWidget) -> None:
    opened._help_button.click()
    page = opened.menu.help
    assert page is not None
    assert page.isVisible()
    shown = page.text.toPlainText()
    # What it names is there.
    for control in ("Quality", "Preview", "Split", "Residual", "Uncertainty", "Folder"):
        assert control in shown
    views = [opened.results.show.button(one).text() for one in ("split", "residual")]
    assert views == ["Split", "Residual"]
    opened.menu.show_help()
    assert opened.menu.help is page


def test_help_names_the_documentation_where_it_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "Documentation" not in help_dialog.help_text()
    urls = Message()
    urls["Project-URL"] = "Documentation, https://example.org/docs"
    monkeypatch.setattr(help_dialog, "metadata", lambda _: urls)
    assert "(https://example.org/docs)" in help_dialog.help_text()
