"""What each control says under the mouse."""

from __future__ import annotations

from collections.abc import Mapping

from magicgui.widgets import Container, Widget

DENOISE_TIPS = {
    "layer": "The image to denoise; its result is a layer of its own",
    "scope": "What of the image is denoised",
    "preset": "auto: best quality, fast: a look in seconds, paper: as published",
    "device": "Where the networks are trained; auto takes a GPU where there is one",
    "seed": "The same seed gives the same result",
    "stop_button": "End now; the best so far is kept as the result",
    "load_button": "Choose what a file of settings says",
    "progress": "Of the whole run, all of its layers, and the time that is left",
    "noise_label": "The noise of the slice on display, measured in the image itself",
    "needs_label": "What Run will take, from a measurement on a part",
    "residual_label": "What is removed (root mean square), in the image's units",
    "step_label": "Steps of training",
    "status_label": "What is going on, or how the last run ended",
}
"""Of controls that have no tooltip yet."""
FOLDER_TIPS = {
    "source": "Where the images are; folders inside are searched through, too",
    "out": "Where the results and the report go; folders are as among the images",
    "preset": DENOISE_TIPS["preset"],
    "mode": "A volume is fitted as one by the published method",
    "device": DENOISE_TIPS["device"],
    "dtype": "float32 keeps fractions; the type of each image is rounded and clipped",
    "overwrite": "Denoise again what is done, and replace files from elsewhere",
    "run_button": "What is done and unchanged is passed over",
    "stop_button": "End now; what is finished is kept, and the next Run goes on there",
    "load_button": DENOISE_TIPS["load_button"],
    "progress": "Of all files, by their sizes",
    "file_label": "The file at work",
    "plane_label": "The plane at work, and how many of the file are finished",
    "time_label": "Of all files, from the pace so far",
    "status_label": DENOISE_TIPS["status_label"],
    "failures": "Files that could not be denoised, and why",
}
"""The same of the widget for folders."""


def set_tooltips(
    panel: Container[Widget], controls: object, tips: Mapping[str, str]
) -> None:
    """Set the tooltips of controls, and of the labels beside them.

    Parameters
    ----------
    panel : Container
        With the rows.
    controls : object
        With the controls as attributes.
    tips : mapping of str to str
        Tooltips by the names of these attributes.
    """
    for name, tip in tips.items():
        getattr(controls, name).tooltip = tip
    for widget in panel:
        if widget.tooltip and widget.label:
            label = widget.native.parentWidget().layout().itemAt(0).widget()
            label.setToolTip(widget.tooltip)
