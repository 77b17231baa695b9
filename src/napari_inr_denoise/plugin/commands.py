"""Layers > Filter > INR Denoise: the selected layers denoised by one click.

A command does what the user would do: it opens the widget, chooses, and presses Run. So
progress, Stop and the result are where they are after any run.
"""

from __future__ import annotations

from collections.abc import Collection

import napari
from napari.layers import Image, Layer
from napari.utils.notifications import show_warning
from qtpy.QtWidgets import QDockWidget

from napari_inr_denoise.plugin.layers.metadata_keys import is_result
from napari_inr_denoise.plugin.layers.scope import SLICE, STACK, VOLUME
from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget

_DOCK_NAME = "INR Denoise (INR Denoise)"
"""That which napari gives it when it is opened by the menu: the entry knows it then."""


def open_widget(viewer: napari.Viewer) -> None:
    """Open the widget, or bring it to the front."""
    shown_widget(viewer)


def slice_fast(viewer: napari.Viewer) -> None:
    """Denoise the shown slice of the selected layers, for a look."""
    _run(viewer, SLICE, "fast")


def slice_auto(viewer: napari.Viewer) -> None:
    """Denoise the shown slice of the selected layers, as well as there is."""
    _run(viewer, SLICE, "auto")


def planes_fast(viewer: napari.Viewer) -> None:
    """Denoise every plane of the selected layers, for a look."""
    _run(viewer, STACK, "fast")


def planes_auto(viewer: napari.Viewer) -> None:
    """Denoise every plane of the selected layers, as well as there is."""
    _run(viewer, STACK, "auto")


def volume(viewer: napari.Viewer) -> None:
    """Denoise each selected layer as one volume: the published method, no preset."""
    _run(viewer, VOLUME)


def shown_widget(viewer: napari.Viewer) -> InrDenoiseWidget:
    """Return the viewer's widget, docked, visible and in front.

    Parameters
    ----------
    viewer : napari.Viewer
        Where it is, or comes to.
    """
    widget = InrDenoiseWidget.docked_in(viewer)
    if widget is None:
        widget = InrDenoiseWidget(viewer)
        viewer.window.add_dock_widget(widget, name=_DOCK_NAME)
    _bring_forward(widget)
    return widget


def _bring_forward(widget: InrDenoiseWidget) -> None:
    native = widget.native
    while native is not None and not isinstance(native, QDockWidget):
        native = native.parent()
    if native is not None:
        native.show()
        native.raise_()


def _run(viewer: napari.Viewer, scope: str, preset: str | None = None) -> None:
    """Denoise the selected layers, one after the other, or say why not."""
    layers = _to_denoise(viewer)
    if not layers:
        show_warning(_selection_message(viewer.layers.selection))
        return
    widget = shown_widget(viewer)
    if widget.running:
        show_warning(
            "INR Denoise is at work: wait for its end or press Stop in its widget, "
            "then choose this again."
        )
        return
    # The others that are selected come with it, as with the widget's own Run.
    widget.layer.value = layers[0]
    widget.scope.value = scope
    if preset is not None:
        widget.preset.value = preset
    widget.run()
    if not widget.running:
        show_warning(widget.status_label.value)


def _to_denoise(viewer: napari.Viewer) -> list[Image]:
    """Return the images that are selected; a result only if it is alone."""
    selected = [one for one in viewer.layers if one in viewer.layers.selection]
    images = [one for one in selected if isinstance(one, Image)]
    noisy = [one for one in images if not is_result(one)]
    return images if len(selected) == 1 else noisy


def _selection_message(selected: Collection[Layer]) -> str:
    names = ", ".join(sorted(one.name for one in selected))
    got = f"Got {names}, wanted noisy images. " if names else ""
    return f"{got}Select image layers in the list of layers, then choose this again."
