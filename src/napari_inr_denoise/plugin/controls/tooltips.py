"""The tooltips of the controls."""

from __future__ import annotations

from collections.abc import Mapping

from magicgui.widgets import Container, Widget

DENOISE_TIPS = {
    "layer": "The image to denoise; the result is added as a new layer",
    "scope": "The part of the image to denoise",
    "preset": "auto: the default, fast: a look in seconds, paper: the published method",
    "device": "Where the networks are trained; auto uses a GPU if there is one",
    "seed": "Start of the random numbers: the same seed gives the same result",
    "stop_button": "Stop now and keep the best result so far",
    "load_button": "Use the settings of a file",
    "progress": "Progress of the whole run over all its layers, and the time left",
    "noise_label": "Noise of the displayed slice, measured in the image itself",
    "needs_label": "Time and memory that Run will take, measured on a part of it",
    "residual_label": "What is removed (RMS), in the units of the image",
    "step_label": "Training steps so far",
    "status_label": "What is being done now, or how the last run ended",
}
"""Tooltips of the denoising widget, for controls that have none yet."""
FOLDER_TIPS = {
    "source": "The folder with the images; its subfolders are searched as well",
    "out": "The folder for results and report, with the same subfolders as the images",
    "preset": DENOISE_TIPS["preset"],
    "mode": "Plane by plane, or each volume as one by the published method",
    "device": DENOISE_TIPS["device"],
    "dtype": "float32 keeps fractions; the type of each image rounds and clips them",
    "overwrite": "Denoise finished images again, and replace files of other programs",
    "run_button": "Denoise all images; finished ones that have not changed are skipped",
    "stop_button": "Stop now and keep finished results; the next Run continues there",
    "load_button": DENOISE_TIPS["load_button"],
    "progress": "Finished part of all files, by their size",
    "file_label": "The current file",
    "plane_label": "The current plane, and how many planes of the file are finished",
    "time_label": "Expected time for all files, from the speed so far",
    "status_label": DENOISE_TIPS["status_label"],
    "failures": "Files that could not be denoised, with the cause",
}
"""Tooltips of the folder widget."""


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
