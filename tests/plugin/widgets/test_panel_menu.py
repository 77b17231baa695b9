"""The menu of the panel: the same run as a command or a script, and a picture."""

from __future__ import annotations

from email.message import Message
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from qtpy.QtWidgets import QApplication, QFileDialog

from napari_inr_denoise import read_image, write_image
from napari_inr_denoise.cli.main import main
from napari_inr_denoise.io.record import ImageRecord
from napari_inr_denoise.plugin.layers.source.scope import SLICE, STACK, VOLUME
from napari_inr_denoise.plugin.widgets import help_dialog
from napari_inr_denoise.plugin.widgets.copied_run import corrected_axes, quoted
from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from tests.conftest import process_events
from tests.plugin.conftest import PLUGIN

pytestmark = pytest.mark.window


@pytest.fixture
def opened(
    viewer: Any, bare_widget: InrDenoiseWidget, tmp_path: Path
) -> InrDenoiseWidget:
    """The panel with a stack that was opened from a file."""
    noisy = np.random.default_rng(0).poisson(50, (3, 24, 24)).astype(np.uint16)
    path = tmp_path / "a stack.ome.tif"
    write_image(path, ImageRecord(noisy, "ZYX"))
    viewer.open(path, plugin=PLUGIN)
    return bare_widget


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
        f"inr-denoise run {quoted(str(tmp_path / 'a stack.ome.tif'))} "
        f"--out {quoted('a stack.ome-denoised')} "
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


def test_axes_and_type_are_those_of_the_panel(
    opened: InrDenoiseWidget, tmp_path: Path
) -> None:
    opened.menu.copy_command()
    assert "--axes" not in _copied()
    opened.inputs.axes.edit_button.setChecked(True)
    (choice,) = opened.inputs.axes.editors
    choice.setCurrentIndex(1)
    choice.activated.emit(1)
    opened.inputs.output_type.value = True
    opened.scope.value = STACK
    opened.menu.copy_command()
    assert _copied().endswith(" --axes TYX --dtype same")
    opened.menu.copy_script()
    names: dict[str, Any] = {}
    exec(_copied(), names)
    assert names["image"].axes == "TYX"
    assert names["denoised"].dtype == np.uint16
    (tmp_path / "a stack.ome.tif").unlink()
    opened.menu.copy_script()
    assert "The axes of the panel are left out" in opened.status_label.value
    assert _copied().startswith("# The axes of the panel are left out")


def test_what_is_left_out_is_told(viewer: Any, opened: InrDenoiseWidget) -> None:
    layer = viewer.layers[0]
    box = viewer.add_shapes([np.eye(4, 2) * 9], name="box")
    viewer.layers.selection.active = layer
    opened.region.value = box
    opened.scope.value = SLICE
    told = (
        "The region 'box' is left out: whole planes are denoised.",
        "All planes are denoised, not the shown one alone.",
    )
    opened.menu.copy_command()
    assert opened.status_label.value == " ".join(("Command copied.", *told))
    opened.menu.copy_script()
    assert _copied().splitlines()[:2] == [f"# {one}" for one in told]
    opened.region.value, opened.scope.value = None, STACK
    opened.menu.copy_script()
    assert opened.status_label.value == "Script copied."


def test_axes_of_a_file_from_those_of_its_layer(tmp_path: Path) -> None:
    path = str(tmp_path / "a.ome.tif")
    write_image(path, ImageRecord(np.zeros((3, 2, 8, 8), np.uint8), "ZCYX"))
    stated = read_image(path).axes
    assert corrected_axes(path, "ZYX") is None  # a layer for each channel
    assert corrected_axes(path, "TYX") == stated.replace("Z", "T")
    assert corrected_axes(path, "TZYX") is not None
    for wrong in ("CYX", "YX"):
        with pytest.raises(ValueError, match="Choose axes"):
            corrected_axes(path, wrong)


def test_names_are_quoted_for_the_shell() -> None:
    assert quoted("/data/s(1)&x.tif", windows=False) == "'/data/s(1)&x.tif'"
    assert quoted(r"C:\data\s(1)&x.tif", windows=True) == r'"C:\data\s(1)&x.tif"'
    for windows, plain in ((False, "/data/a.tif"), (True, r"C:\data\a.tif")):
        assert quoted(plain, windows=windows) == plain


@pytest.mark.drawn
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
