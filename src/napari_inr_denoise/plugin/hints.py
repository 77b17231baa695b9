"""What each control says under the mouse."""

from __future__ import annotations

from magicgui.widgets import Container, Widget

TIPS = {
    "layer": "The image to denoise; its result is a layer of its own",
    "scope": "What of the image is denoised",
    "preset": "auto: best quality, fast: a look in seconds, paper: as published",
    "device": "Where the networks are trained; auto takes a GPU where there is one",
    "seed": "The same seed gives the same result",
    "stop_button": "End now; the best so far is kept as the result",
    "load_button": "Choose what a file of settings says",
    "progress": "Of the whole run",
    "noise_label": "The noise of the slice on display, measured in the image itself",
    "needs_label": "What a run will take, from a measurement on a part",
    "residual_label": "What is removed (root mean square), in the image's units",
    "step_label": "Steps of training",
    "status_label": "What is going on, or how the last run ended",
}
"""Of controls that have no tooltip yet."""


def give_hints(form: Container[Widget]) -> None:
    """Give the controls their tooltips, their labels as well."""
    for name, tip in TIPS.items():
        getattr(form, name).tooltip = tip
    for widget in form:
        if widget.tooltip and widget.label:
            label = widget.native.parentWidget().layout().itemAt(0).widget()
            label.setToolTip(widget.tooltip)
