"""The command of File > IO Utilities: open TIFFs with pixel size and units."""

from __future__ import annotations

import napari
from napari.utils.notifications import show_error
from qtpy.QtWidgets import QFileDialog

from napari_inr_denoise.io.formats import FILE_SUFFIXES
from napari_inr_denoise.plugin.reader import read_layers


def open_tiff(viewer: napari.Viewer) -> None:
    """Ask for files and add them as layers."""
    patterns = " ".join(f"*{suffix}" for suffix in FILE_SUFFIXES)
    names, _ = QFileDialog.getOpenFileNames(
        None, "Open with axes, pixel size and units", "", f"Images ({patterns})"
    )
    add_files(viewer, names)


def add_files(viewer: napari.Viewer, names: list[str]) -> None:
    """Add files to a viewer as layers; show an error for each that cannot be read."""
    for name in names:
        try:
            for data, keywords, _ in read_layers(name):
                viewer.add_image(data, **keywords)
        except (ImportError, ValueError, OSError) as error:
            show_error(str(error))
