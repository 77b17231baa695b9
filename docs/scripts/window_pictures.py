"""Take the pictures of the documentation: the real window, before, during, after a run.

Run from the top of the repository, where there is no screen under a virtual one:

    xvfb-run -a -s "-screen 0 1600x1000x24" python docs/scripts/window_pictures.py

Names make only a part: ``window_pictures.py napari live states-dark table-light``.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import napari
import numpy as np
import tifffile
from napari._qt.utils import QImg2array
from PIL import Image
from qtpy.QtCore import QPoint
from qtpy.QtWidgets import QApplication, QMenu, QWidget

from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from napari_inr_denoise.samples import field_of_cells

FOLDER = Path("docs/pictures").absolute()
PLUGIN = "napari-inr-denoise"
SIZE = (1280, 800)
THEMES = ("dark", "light")
COLOURS = 256
"""Of a picture: few enough for small files."""
FILM_WIDTH, FILM_FRAMES, FRAME_MS = 640, 40, 120
FRAME_EVERY_S = 0.4


def work_until(condition: Callable[[], bool]) -> None:
    """Let Qt work until a condition holds."""
    while not condition():
        QApplication.processEvents()
        time.sleep(0.01)


def work_for(seconds: float) -> None:
    """Let Qt work for a while."""
    end = time.monotonic() + seconds
    work_until(lambda: time.monotonic() > end)


@contextmanager
def window(theme: str, widget_name: str) -> Iterator[tuple[napari.Viewer, Any]]:
    """Open the window with one of the widgets."""
    viewer = napari.Viewer(show=True, title="napari")
    viewer.theme = theme
    viewer.window.resize(*SIZE)
    _, widget = viewer.window.add_plugin_dock_widget(PLUGIN, widget_name)
    work_until(lambda: "PU (" in widget.device.native.currentText())
    yield viewer, widget
    widget.stop()
    work_until(lambda: not widget.running)
    viewer.close()
    work_for(0.2)


@contextmanager
def opened(sample: str, theme: str) -> Iterator[tuple[napari.Viewer, InrDenoiseWidget]]:
    """Open a sample beside the widget, and wait until it has estimated."""
    with window(theme, "INR Denoise") as (viewer, widget):
        viewer.open_sample(PLUGIN, sample)
        work_until(lambda: "GB" in widget.form.needs_label.value)
        work_for(1.0)
        yield viewer, widget


def grab(viewer: napari.Viewer) -> Image.Image:
    """Return the window as it is."""
    shot = viewer.window.screenshot(canvas_only=False, flash=False)
    return Image.fromarray(shot).convert("RGB")


def save(viewer: napari.Viewer, name: str) -> None:
    """Save the window as it is."""
    _store(grab(viewer), name)


def save_part(part: QWidget, name: str) -> None:
    """Save a menu or a dialog as it is."""
    _store(Image.fromarray(QImg2array(part.grab().toImage())).convert("RGB"), name)


def _store(picture: Image.Image, name: str) -> None:
    path = FOLDER / f"{name}.png"
    picture.quantize(COLOURS).save(path, optimize=True)
    print(path, f"{path.stat().st_size / 1e3:.0f} kB")


def run(widget: InrDenoiseWidget, preset: str) -> None:
    """Run to the end."""
    widget.preset.value = preset
    widget.run()
    work_until(lambda: not widget.running)


def show_grid(viewer: napari.Viewer) -> None:
    """Show the layers in a grid."""
    viewer.grid.enabled, viewer.grid.stride = True, 1
    work_for(1.0)
    viewer.reset_view()
    work_for(1.0)


def readme() -> None:
    """Noisy and denoised side by side."""
    with opened("cells", "dark") as (viewer, widget):
        run(widget, "auto")
        show_grid(viewer)
        save(viewer, "napari")


def states(theme: str) -> None:
    """Before, during and after the run of a plane, and the comparison."""
    with opened("cells", theme) as (viewer, widget):
        save(viewer, f"before-{theme}")
        widget.preset.value = "paper"
        widget.run()
        work_until(lambda: len(widget.form.plot.points) > 8)
        save(viewer, f"during-{theme}")
        widget.stop()
        work_until(lambda: not widget.running)
        run(widget, "fast")
        work_for(0.5)
        save(viewer, f"after-{theme}")
        widget.form.compare_button.native.click()
        work_for(0.5)
        save(viewer, f"compare-{theme}")


def table(theme: str) -> None:
    """After the run of a stack, with a row for each plane."""
    with opened("stack", theme) as (viewer, widget):
        widget.scope.value = widget.scope.choices[1]
        run(widget, "fast")
        work_for(0.5)
        save(viewer, f"table-{theme}")


def region(theme: str) -> None:
    """Denoise the box around a drawn shape, of two layers that are selected."""
    with opened("cells", theme) as (viewer, widget):
        noisy = viewer.layers[0]
        other = viewer.add_image(
            noisy.data[::-1], scale=noisy.scale, units=noisy.units, name="other cells"
        )
        corners = np.array(noisy.data.shape) * [[0.2], [0.8]]
        box = viewer.add_shapes(
            corners,
            scale=noisy.scale,
            units=noisy.units,
            name="region",
            face_color="transparent",
            edge_color="yellow",
            edge_width=2,
        )
        viewer.layers.selection = {noisy, other}
        widget.layer.value, widget.region.value = noisy, box
        work_until(lambda: "GB" in widget.form.needs_label.value)
        run(widget, "fast")
        other.visible = viewer.layers["other cells [denoised]"].visible = False
        viewer.layers.move(viewer.layers.index(box), len(viewer.layers))
        work_for(0.5)
        save(viewer, f"region-{theme}")


def layers(theme: str) -> None:
    """Noisy, denoised, what was removed and the uncertainty side by side."""
    with opened("cells", theme) as (viewer, widget):
        run(widget, "fast")
        widget.form.removed_button.native.click()
        widget.form.uncertainty_button.native.click()
        show_grid(viewer)
        save(viewer, f"layers-{theme}")


def folder(theme: str) -> None:
    """After the run over a folder with a damaged file."""
    with (
        TemporaryDirectory() as place,
        chdir(place),
        window(theme, "Denoise a folder") as (viewer, widget),
    ):
        images, results = Path("images"), Path("results")
        images.mkdir()
        for seed in range(3):
            sample = field_of_cells(seed=seed)
            tifffile.imwrite(images / f"cells_{seed}.tif", sample.noisy)
        (images / "damaged.tif").write_bytes(b"II*\0nothing of the kind")
        widget.source.value, widget.out.value = images, results
        widget.preset.value = "fast"
        widget.run()
        work_until(lambda: not widget.running)
        viewer.open(results / "cells_0.inr.ome.tif", plugin=PLUGIN)
        work_for(1.0)
        save(viewer, f"folder-{theme}")


def menus(theme: str) -> None:
    """Show the commands under Layers > Filter, and the page in Preferences."""
    with opened("cells", theme) as (viewer, _):
        shown = viewer.window.layers_menu
        for title in ("Filter", "INR Denoise"):
            _popup(viewer, shown)
            shown = next(
                action.menu()
                for action in shown.actions()
                if action.menu() is not None and title in action.text().replace("&", "")
            )
        _popup(viewer, shown)
        save_part(shown, f"menu-{theme}")
        shown.close()
        dialog = viewer.window._open_preferences_dialog()
        work_for(1.0)
        row = next(
            k
            for k in range(dialog._list.count())
            if "inr" in dialog._list.item(k).text().lower()
        )
        dialog._list.setCurrentRow(row)
        work_for(0.5)
        save_part(dialog, f"preferences-{theme}")
        dialog.close()


def _popup(viewer: napari.Viewer, menu: QMenu) -> None:
    menu.popup(viewer.window._qt_window.mapToGlobal(QPoint(200, 200)))
    work_for(0.3)


def film() -> None:
    """Save how a result comes about, as an animation."""
    frames: list[Image.Image] = []
    with opened("cells", "dark") as (viewer, widget):
        widget.preset.value = "paper"
        widget.run()
        while widget.running and len(frames) < FILM_FRAMES:
            frames.append(_frame(viewer))
            work_for(FRAME_EVERY_S)
        widget.stop()
        work_until(lambda: not widget.running)
        work_for(0.5)
        frames.append(_frame(viewer))
    palette = frames[-1].quantize(64)
    small = [
        frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames
    ]
    path = FOLDER / "live.gif"
    last = [FRAME_MS] * (len(small) - 1) + [20 * FRAME_MS]
    small[0].save(path, save_all=True, append_images=small[1:], duration=last, loop=0)
    print(path, f"{path.stat().st_size / 1e3:.0f} kB, {len(small)} frames")


def _frame(viewer: napari.Viewer) -> Image.Image:
    shot = grab(viewer)
    return shot.resize((FILM_WIDTH, FILM_WIDTH * shot.height // shot.width))


def main(names: list[str]) -> None:
    """Make the pictures that are named, or all."""
    makers: dict[str, Callable[[], None]] = {"napari": readme, "live": film}
    for theme in THEMES:
        for make in (states, table, region, layers, folder, menus):
            makers[f"{make.__name__}-{theme}"] = partial(make, theme)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in names or makers:
        if name not in makers:
            sys.exit(f"got {name!r}, wanted some of: {', '.join(makers)}")
        makers[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
