"""The commands of Layers > Filter > INR Denoise: denoise the selected layers.

A command opens the widget and starts a run there. Progress, Stop and the result are in
their usual places, and what the user has chosen for the next run stays.
"""

from __future__ import annotations

from collections.abc import Collection

import napari
from napari.layers import Image, Layer
from napari.utils.notifications import show_warning
from qtpy.QtWidgets import QDockWidget, QWidget

from napari_inr_denoise.plugin.layers.channels import noisy_images
from napari_inr_denoise.plugin.layers.source.scope import SLICE, STACK, VOLUME
from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget

_DOCK_NAME = "INR Denoise (INR Denoise)"
"""The name that napari gives the dock; the menu entry finds the widget by it."""


def open_widget(viewer: napari.Viewer) -> None:
    """Open the widget or bring it to the front."""
    shown_widget(viewer)


def open_folder(viewer: napari.Viewer) -> None:
    """Open the widget at its tab for folders."""
    widget = shown_widget(viewer)
    widget.tabs.setCurrentIndex(widget.tabs.count() - 1)


def slice_fast(viewer: napari.Viewer) -> None:
    """Denoise the displayed slice of the selected layers with the preset fast."""
    _run(viewer, SLICE, "fast")


def slice_auto(viewer: napari.Viewer) -> None:
    """Denoise the displayed slice of the selected layers with the preset auto."""
    _run(viewer, SLICE, "auto")


def planes_fast(viewer: napari.Viewer) -> None:
    """Denoise every plane of the selected layers with the preset fast."""
    _run(viewer, STACK, "fast")


def planes_auto(viewer: napari.Viewer) -> None:
    """Denoise every plane of the selected layers with the preset auto."""
    _run(viewer, STACK, "auto")


def volume(viewer: napari.Viewer) -> None:
    """Denoise each selected layer as one volume."""
    _run(viewer, VOLUME)


def shown_widget(viewer: napari.Viewer) -> InrDenoiseWidget:
    """Return the viewer's widget, docked, visible and in front.

    Parameters
    ----------
    viewer : napari.Viewer
        A widget is added if it has none.
    """
    widget = InrDenoiseWidget.docked_in(viewer)
    if widget is None:
        widget = InrDenoiseWidget(viewer)
        viewer.window.add_dock_widget(widget, name=_DOCK_NAME)
    _bring_forward(widget)
    return widget


def _bring_forward(widget: InrDenoiseWidget) -> None:
    native: QWidget | None = widget
    while native is not None and not isinstance(native, QDockWidget):
        native = native.parentWidget()
    if native is not None:
        native.show()
        native.raise_()


def _run(viewer: napari.Viewer, scope: str, preset: str | None = None) -> None:
    """Denoise the selected layers one after the other, or warn why not."""
    docked = InrDenoiseWidget.docked_in(viewer)
    if docked is not None and docked.running:
        show_warning(
            "INR Denoise is running. Wait for its end, or press Stop in its panel, "
            "then choose this again."
        )
        return
    layers = _to_denoise(viewer)
    if not layers:
        show_warning(_selection_message(viewer.layers.selection))
        return
    widget = shown_widget(viewer)
    widget.denoise(layers, scope, preset or widget.preset.value)
    if not widget.running:
        show_warning(widget.status_label.value)


def _to_denoise(viewer: napari.Viewer) -> list[Image]:
    """Return the selected noisy images."""
    return [one for one in noisy_images(viewer) if one in viewer.layers.selection]


def _selection_message(selected: Collection[Layer]) -> str:
    names = ", ".join(sorted(one.name for one in selected))
    got = f"Got {names}, wanted noisy images. " if names else ""
    return f"{got}Select image layers in the list of layers, then choose this again."
