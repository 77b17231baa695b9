"""The command of File > IO Utilities: open TIFFs with pixel size and units."""

from __future__ import annotations

from pathlib import Path

import napari
from napari.utils.notifications import show_error
from qtpy.QtWidgets import QFileDialog, QInputDialog

from napari_inr_denoise.io.formats import FILE_SUFFIXES
from napari_inr_denoise.io.read import list_images
from napari_inr_denoise.plugin.layers.metadata_keys import FILE_KEY
from napari_inr_denoise.plugin.reader import read_layers


def open_tiff(viewer: napari.Viewer) -> None:
    """Ask for files and add them as layers."""
    patterns = " ".join(f"*{suffix}" for suffix in FILE_SUFFIXES)
    names, _ = QFileDialog.getOpenFileNames(
        None, "Open with axes, pixel size and units", "", f"Images ({patterns})"
    )
    add_files(viewer, names)


def add_files(viewer: napari.Viewer, names: list[str]) -> None:
    """Add files to a viewer as layers; show an error for each that cannot be read.

    If a file holds several images, the user chooses one or all.
    """
    for name in names:
        try:
            images = [entry.name for entry in list_images(name)]
            chosen = None if len(images) == 1 else _ask_for_image(name, images)
            if chosen == "":
                continue
            for data, keywords, _ in read_layers(name, chosen):
                metadata = {**keywords.get("metadata", {}), FILE_KEY: name}
                viewer.add_image(data, **{**keywords, "metadata": metadata})
        except (ImportError, ValueError, OSError) as error:
            show_error(str(error))


def _ask_for_image(name: str, images: list[str]) -> str:
    """Return the name of the chosen image, "all", or "" for none."""
    text = f"{Path(name).name} holds {len(images)} images."
    chosen, accepted = QInputDialog.getItem(
        None, "Open an image", text, [*images, "all"], 0, False
    )
    return chosen if accepted else ""
