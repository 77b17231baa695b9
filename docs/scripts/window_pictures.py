"""Take the pictures of the documentation: the real window on the whole way through.

Run from the top of the repository, where there is no screen under a virtual one:

    xvfb-run -a -s "-screen 0 1280x800x24" python docs/scripts/window_pictures.py

Every state is saved at 1280x800 in both themes, and the panel alone at a width of 300
pixels, in rows, as ``panel-dark.png`` and ``panel-light.png``. Names make only a
part: ``window_pictures.py plane-dark stack-light live napari``.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import napari
import numpy as np
import tifffile
from PIL import Image
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QImage
from qtpy.QtWidgets import QApplication, QDockWidget, QFileDialog, QMenu, QWidget

from napari_inr_denoise.plugin.layers.source.scope import STACK, VOLUME
from napari_inr_denoise.plugin.widgets import long_run
from napari_inr_denoise.plugin.widgets.save_control import KINDS
from napari_inr_denoise.samples import field_of_cells, small_stack

FOLDER = Path("docs/pictures").absolute()
long_run.show_info = lambda _: None  # no window is active under a virtual screen
PLUGIN = "napari-inr-denoise"
SIZE = (1280, 800)
NARROW = 300
THEMES = ("dark", "light")
COLOURS = 256
"""Of a picture: few enough for small files."""
FILM_WIDTH, FILM_FRAMES, FRAME_MS = 640, 40, 120
FILM_COLOURS = 128
FRAME_EVERY_S = 0.4
GAP, PANEL_HEIGHT, PER_ROW = 12, 760, 6


def work_until(condition: Callable[[], bool]) -> None:
    """Let Qt work until a condition holds."""
    while not condition():
        QApplication.processEvents()
        time.sleep(0.01)


def work_for(seconds: float) -> None:
    """Let Qt work for a while."""
    end = time.monotonic() + seconds
    work_until(lambda: time.monotonic() > end)


class Journey:
    """A window with the panel, and the pictures taken of it."""

    def __init__(self, theme: str, panels: list[Image.Image]) -> None:
        self.theme, self._panels = theme, panels
        self.viewer = napari.Viewer(show=True, title="napari")
        self.viewer.theme = theme
        self.viewer.window.resize(*SIZE)
        _, self.panel = self.viewer.window.add_plugin_dock_widget(PLUGIN, "INR Denoise")
        work_until(lambda: "PU (" in self.panel.device.native.currentText())

    def close(self) -> None:
        """Stop what is at work and close the window."""
        self.panel.stop()
        work_until(lambda: not self.panel.running)
        self.viewer.close()
        work_for(0.2)

    def open(self, sample: str) -> None:
        """Open a sample, and wait until all of it is estimated."""
        self.viewer.open_sample(PLUGIN, sample)
        self.estimated()

    def estimated(self) -> None:
        """Wait until the noise and the time of each quality are known."""
        buttons = [self.panel.preset.button(k) for k in self.panel.preset.choices]
        noise = self.panel.inputs.noise_label
        work_until(lambda: noise.value != "-")
        work_until(lambda: all("\n" in one.text() for one in buttons))
        work_for(0.5)

    def run(self, preset: str) -> None:
        """Run to the end."""
        self.panel.preset.value = preset
        self.panel.run()
        work_until(lambda: not self.panel.running)
        work_for(0.5)

    def show(self, view: str) -> None:
        """Show a view of the result."""
        self.panel.results.show.value = view
        work_for(0.5)

    def take(self, name: str) -> None:
        """Save the window, and keep a picture of the panel at its narrow width."""
        work_for(0.3)
        store(self.grab(), f"{name}-{self.theme}")
        before = self.panel.width()
        self._widen(NARROW)
        self._panels.append(picture_of(self.panel))
        self._widen(before)

    def _widen(self, width: int) -> None:
        window, dock = self.panel.window(), self.panel.parentWidget()
        while not isinstance(dock, QDockWidget):
            dock = dock.parentWidget()
        window.resizeDocks([dock], [width], Qt.Orientation.Horizontal)
        work_for(0.3)

    def grab(self) -> Image.Image:
        """Return the window as it is."""
        assert (self.panel.window().width(), self.panel.window().height()) == SIZE
        return picture_of(self.panel.window())


def picture_of(part: QWidget) -> Image.Image:
    """Return what a widget shows."""
    shot = part.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    line = shot.bytesPerLine()
    values = np.frombuffer(shot.constBits().asstring(line * shot.height()), np.uint8)
    rows = values.reshape(shot.height(), line)[:, : 3 * shot.width()]
    return Image.fromarray(rows.reshape(shot.height(), shot.width(), 3))


def store(picture: Image.Image, name: str) -> None:
    """Save a picture with few colours."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.png"
    picture.quantize(COLOURS).save(path, optimize=True)
    print(path, f"{path.stat().st_size / 1e3:.0f} kB")


def store_panels(panels: list[Image.Image], theme: str) -> None:
    """Save the pictures of the panel in rows."""
    if not panels:
        return
    width = NARROW + GAP
    height = min(max(one.height for one in panels), PANEL_HEIGHT) + GAP
    size = (width * PER_ROW - GAP, height * math.ceil(len(panels) / PER_ROW) - GAP)
    sheet = Image.new("RGB", size, "#777777")
    for number, one in enumerate(panels):
        row, column = divmod(number, PER_ROW)
        sheet.paste(one, (column * width, row * height))
    store(sheet, f"panel-{theme}")


@contextmanager
def journey(theme: str, panels: list[Image.Image]) -> Iterator[Journey]:
    """Open a window, and close it at the end."""
    made = Journey(theme, panels)
    try:
        yield made
    finally:
        made.close()


def plane(theme: str, panels: list[Image.Image]) -> None:
    """Take an image from its opening to the saved result."""
    with TemporaryDirectory() as place, chdir(place), journey(theme, panels) as way:
        way.take("empty")
        way.open("cells")
        way.take("before")
        way.panel.inputs.noise.plot_button.setChecked(True)
        way.take("noise")
        way.panel.inputs.noise.plot_button.setChecked(False)
        way.panel.inputs.advanced.unfolded = True
        way.take("advanced")
        way.panel.inputs.advanced.unfolded = False
        way.panel.preview()
        work_until(lambda: not way.panel.running)
        way.take("preview")
        way.panel.compare("auto")
        work_until(lambda: not way.panel.running)
        way.take("compared")
        way.viewer.layers.remove("noisy cells [preview]")
        way.panel.preset.value = "paper"
        way.panel.run()
        work_until(lambda: len(way.panel.run_bar.plot.points) > 3)
        way.take("during")
        way.panel.stop()
        work_until(lambda: not way.panel.running)
        way.take("stopped")
        way.viewer.layers.remove("noisy cells [denoised, partial]")
        way.run("fast")
        way.take("after")
        for view in ("split", "residual", "uncertainty"):
            way.show(view)
            way.take(view)
        way.show("result")
        path = Path("cells.inr.ome.tif")
        answer = str(path), next(iter(KINDS))
        with patch.object(QFileDialog, "getSaveFileName", lambda *_: answer):
            way.panel.results.save_button.click()
        work_until(path.is_file)
        way.take("saved")
        way.viewer.layers.clear()
        way.viewer.open(path, plugin=PLUGIN)
        way.take("reopened")


def stack(theme: str, panels: list[Image.Image]) -> None:
    """Take a stack with its table, and a volume."""
    with journey(theme, panels) as way:
        sample = small_stack()
        layer = way.viewer.add_image(sample.noisy[:6, :64, :64], name="noisy stack")
        layer.axis_labels = ("z", "y", "x")
        way.panel.scope.value = STACK
        way.estimated()
        way.take("stack-before")
        way.run("fast")
        way.panel.results.planes.unfolded = True
        way.take("table")
        way.viewer.layers.selection.active = layer
        way.panel.scope.value = VOLUME
        way.estimated()
        way.panel.run()
        work_until(lambda: len(way.panel.run_bar.plot.points) > 2)
        way.take("volume")


def axes(theme: str, panels: list[Image.Image]) -> None:
    """Take a stack whose axes are guessed, while they are corrected."""
    with journey(theme, panels) as way:
        sample = small_stack()
        way.viewer.add_image(sample.noisy[:2, :64, :64], name="two of something")
        way.estimated()
        way.panel.inputs.axes.edit_button.setChecked(True)
        way.take("axes")


def region(theme: str, panels: list[Image.Image]) -> None:
    """Take the box around a drawn shape."""
    with journey(theme, panels) as way:
        way.open("cells")
        noisy = way.viewer.layers[0]
        way.panel.inputs.advanced.unfolded = True
        box = way.viewer.add_shapes(
            np.array(noisy.data.shape) * [[0.2], [0.8]],
            scale=noisy.scale,
            units=noisy.units,
            name="Region",
            face_color="transparent",
            edge_color="yellow",
            edge_width=2,
        )
        way.panel.region.value = box
        way.viewer.layers.selection.active = noisy
        way.estimated()
        way.run("fast")
        way.viewer.layers.move(way.viewer.layers.index(box), len(way.viewer.layers))
        way.take("region")


def composite(theme: str, panels: list[Image.Image]) -> None:
    """Take two channels, and the composite of their results."""
    with journey(theme, panels) as way:
        for name, colour, seed in (("nuclei", "cyan", 0), ("actin", "magenta", 1)):
            way.viewer.add_image(
                field_of_cells(seed=seed).noisy[:128, :128],
                name=name,
                colormap=colour,
                blending="additive",
            )
        way.estimated()
        way.take("composite-before")
        way.run("fast")
        way.take("composite")
        way.show("split")
        way.take("composite-split")


def folder(theme: str, panels: list[Image.Image]) -> None:
    """Take the tab for folders, after a run with a damaged file."""
    with TemporaryDirectory() as place, chdir(place), journey(theme, panels) as way:
        images = Path("images")
        images.mkdir()
        for seed in range(3):
            sample = field_of_cells(seed=seed)
            tifffile.imwrite(images / f"cells_{seed}.tif", sample.noisy[:96, :96])
        (images / "damaged.tif").write_bytes(b"II*\0nothing of the kind")
        way.panel.tabs.setCurrentIndex(1)
        tab = way.panel.folder
        tab.source.line_edit.value, tab.out.line_edit.value = "images", "results"
        tab.preset.value = "fast"
        tab.run()
        work_until(lambda: bool(tab.plane_label.value))
        way.take("folder-during")
        work_until(lambda: not tab.running)
        way.take("folder")


def menus(theme: str, panels: list[Image.Image]) -> None:
    """Show the commands under Layers > Filter, and the page in Preferences."""
    with journey(theme, panels) as way:
        way.open("cells")
        shown = way.viewer.window.layers_menu
        for title in ("Filter", "INR Denoise"):
            _popup(way, shown)
            shown = next(
                action.menu()
                for action in shown.actions()
                if action.menu() is not None and title in action.text().replace("&", "")
            )
        _popup(way, shown)
        store(picture_of(shown), f"menu-{theme}")
        shown.close()
        dialog = way.viewer.window._open_preferences_dialog()
        work_for(1.0)
        row = next(
            k
            for k in range(dialog._list.count())
            if "inr" in dialog._list.item(k).text().lower()
        )
        dialog._list.setCurrentRow(row)
        work_for(0.5)
        store(picture_of(dialog), f"preferences-{theme}")
        dialog.close()


def _popup(way: Journey, menu: QMenu) -> None:
    menu.popup(way.panel.window().mapToGlobal(QPoint(200, 200)))
    work_for(0.3)


def readme() -> None:
    """Take the result of the preset auto beside the noisy image, in the split view."""
    with journey("dark", []) as way:
        way.open("cells")
        way.run("auto")
        way.show("split")
        store(way.grab(), "napari")


def film() -> None:
    """Save how a result comes about, as an animation."""
    frames: list[Image.Image] = []
    with journey("dark", []) as way:
        way.open("cells")
        way.panel.preset.value = "fast"
        way.panel.run()
        while way.panel.running:
            frames.append(_frame(way))
            work_for(FRAME_EVERY_S)
        work_for(0.5)
        last = _frame(way)
    frames = [*frames[:: math.ceil(len(frames) / FILM_FRAMES)], last]
    palette = frames[-1].quantize(FILM_COLOURS)
    small = [
        frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames
    ]
    path = FOLDER / "live.gif"
    times = [FRAME_MS] * (len(small) - 1) + [20 * FRAME_MS]
    small[0].save(path, save_all=True, append_images=small[1:], duration=times, loop=0)
    print(path, f"{path.stat().st_size / 1e3:.0f} kB, {len(small)} frames")


def _frame(way: Journey) -> Image.Image:
    shot = way.grab()
    return shot.resize((FILM_WIDTH, FILM_WIDTH * shot.height // shot.width))


def main(names: list[str]) -> None:
    """Make the pictures that are named, or all."""
    makers: dict[str, Callable[[], Any]] = {"napari": readme, "live": film}
    panels: dict[str, list[Image.Image]] = {theme: [] for theme in THEMES}
    for theme in THEMES:
        for make in (plane, stack, axes, region, composite, folder, menus):
            makers[f"{make.__name__}-{theme}"] = partial(make, theme, panels[theme])
    for name in names or makers:
        if name not in makers:
            sys.exit(f"got {name!r}, wanted some of: {', '.join(makers)}")
        makers[name]()
    for theme in THEMES:
        store_panels(panels[theme], theme)


if __name__ == "__main__":
    main(sys.argv[1:])
