"""Dialogs that load and save settings files and reports."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from qtpy.QtWidgets import QFileDialog, QMessageBox, QWidget

from napari_inr_denoise.core.settings import DenoiseSettings
from napari_inr_denoise.io.atomic import atomic_write

_ENDING = ".json"
_FILTER = f"Settings (*{_ENDING})"
_REPORTS = "Report (*.html *.csv *.json)"
_REPORT_ENDINGS = (".html", ".htm", ".csv", ".json")


def ask_to_save(
    parent: QWidget,
    title: str,
    name: str,
    filters: Mapping[str, str],
    endings: Sequence[str] = (),
    *,
    sources: Sequence[Path] = (),
) -> tuple[Path, str] | None:
    """Ask where to save a file; a file is replaced only if the user says so.

    The dialog checks the name as it was typed. The check is repeated here if the name
    had no ending, or the proposed name has the ending of another filter.

    Parameters
    ----------
    parent : QWidget
        Parent of the dialog.
    title : str
        Its title.
    name : str
        The proposed name, without ending.
    filters : mapping of str to str
        Ending by the filter of the dialog; the first one is preselected.
    endings : sequence of str, optional
        Endings that a typed name may have, beside those of the filters.
    sources : sequence of Path, optional
        Files and folders that are never written to. The folder of the first one is
        proposed, else the working directory.

    Returns
    -------
    (Path, str) or None
        The path with its ending, and the filter; None if the user cancels.

    Raises
    ------
    FileExistsError
        If the path is one of the sources, holds one or is in one.
    """
    preselected = next(iter(filters))
    proposed = name + filters[preselected]
    start = next(filter(Path.is_dir, map(_beside, sources)), Path()) / proposed
    typed, kind = QFileDialog.getSaveFileName(
        parent, title, str(start), ";;".join(filters)
    )
    if not typed:
        return None
    kind = kind if kind in filters else preselected
    chosen = path = Path(typed)
    if chosen.name == proposed:
        path = chosen.with_name(name + filters[kind])
    elif not chosen.name.lower().endswith((*filters.values(), *endings)):
        path = chosen.with_name(chosen.name + filters[kind])
    if any(_holds(path, one) or _holds(one, path) for one in sources):
        raise FileExistsError(
            f"got {path}, which the image was read from; wanted another file. "
            "Choose another name."
        )
    # Qt asks about files that were typed as they are, not about folders.
    unasked = path.exists() and (path != chosen or path.is_dir())
    return (path, kind) if not unasked or _may_replace(parent, title, path) else None


def _beside(source: Path) -> Path:
    """Return the folder that a file, or the OME-Zarr that holds it, is in."""
    stores = [one for one in source.parents if one.suffix == ".zarr"]
    return [source, *stores][-1].parent


def _holds(folder: Path, path: Path) -> bool:
    """Return whether a path is a folder, or a file or folder in it."""
    path, folder = path.resolve(), folder.resolve()
    above = (path, *path.parents)
    if not folder.exists():
        return folder in above
    # Not by name alone: case may not matter.
    return any(one.exists() and one.samefile(folder) for one in above)


def _may_replace(parent: QWidget, title: str, path: Path) -> bool:
    """Ask the question that the dialog asks about an existing file."""
    yes, no = QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No
    text = f"{path.name} already exists.\nDo you want to replace it?"
    return bool(QMessageBox.warning(parent, title, text, yes | no, no) == yes)


def ask_for_name(parent: QWidget) -> Path | None:
    """Ask where to save settings; return None if the user cancels."""
    answer = ask_to_save(parent, "Save settings", "settings", {_FILTER: _ENDING})
    return None if answer is None else answer[0]


def ask_for_report(
    parent: QWidget, name: str, sources: Sequence[Path] = ()
) -> Path | None:
    """Ask where to save the report of a layer; return None if the user cancels.

    Parameters and exceptions are those of `ask_to_save`.
    """
    filters = {_REPORTS: _REPORT_ENDINGS[0]}
    title = "Save the report"
    answer = ask_to_save(parent, title, name, filters, _REPORT_ENDINGS, sources=sources)
    return None if answer is None else answer[0]


def ask_and_load(parent: QWidget, load: Callable[[Path], None]) -> str:
    """Ask for a settings file and load it.

    Parameters
    ----------
    parent : QWidget
        Parent of the dialog.
    load : callable
        Takes the path; raises as `batch.settings_file.read_settings` does.

    Returns
    -------
    str
        A message for the user; empty if the user cancels.
    """
    name, _ = QFileDialog.getOpenFileName(parent, "Load settings", "", _FILTER)
    if not name:
        return ""
    try:
        load(Path(name))
    except (OSError, TypeError, ValueError) as error:
        return f"The settings could not be loaded: {error}"
    return f"The settings are those of {name}."


def save_settings(settings: DenoiseSettings, path: Path) -> None:
    """Write settings to a JSON file; a failure leaves no partial file.

    Parameters
    ----------
    settings : DenoiseSettings
        All fields are written, so that a version with other defaults does the same.
    path : Path
        An existing file is replaced.
    """
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(settings.to_dict(), indent=1) + "\n", "utf-8")
