"""Saves results and reports from the panel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_inr_denoise.image.conversion import Losses, as_dtype
from napari_inr_denoise.plugin.controls.file_dialogs import (
    ask_for_report,
    ask_to_save,
)
from napari_inr_denoise.plugin.controls.messages import composite_name
from napari_inr_denoise.plugin.results.finished import Finished
from napari_inr_denoise.plugin.runs.lifetime import Lifetime, while_open
from napari_inr_denoise.plugin.runs.worker import CallWorker
from napari_inr_denoise.plugin.sections.result_section import ResultSection
from napari_inr_denoise.plugin.writer import LayerData, write_layers

if TYPE_CHECKING:
    from napari_inr_denoise.batch.report.thumbnails import Thumbnails

KINDS = {
    "OME-TIFF, 16-bit integers (*.ome.tif)": (".ome.tif", "uint16"),
    "OME-TIFF, 32-bit float (*.ome.tif)": (".ome.tif", "float32"),
    "OME-Zarr, 16-bit integers (*.ome.zarr)": (".ome.zarr", "uint16"),
    "OME-Zarr, 32-bit float (*.ome.zarr)": (".ome.zarr", "float32"),
}
"""Ending and data type by the name of the filter in the dialog."""
_INTEGERS = np.dtype(np.uint16)
"""The integers of `KINDS`."""
_ENOUGH_LEVELS = 256
"""Grey levels from the smallest to the largest value of an image that integers suit."""
_ENDINGS = (".tif", ".tiff", ".zarr")
_UNWANTED = '<>:"/\\|?*'


class SaveControl:
    """Asks where to save a result or its report, and writes it.

    Parameters
    ----------
    section : ResultSection
        With the buttons.
    lifetime : Lifetime
        Lifetime of the panel.
    say : callable
        Takes a message for the user.
    """

    def __init__(
        self, section: ResultSection, lifetime: Lifetime, say: Callable[[str], None]
    ) -> None:
        self._section, self._lifetime, self._say = section, lifetime, say
        self._offered: Finished | None = None
        self._channels: tuple[Finished, ...] = ()
        section.save_button.clicked.connect(self.ask_and_save)
        section.report_button.clicked.connect(self.ask_and_report)

    def offer(
        self, finished: Finished | None, channels: tuple[Finished, ...] = ()
    ) -> None:
        """Choose the result to save, and the channels that go into its file."""
        if finished is not self._offered:
            self._section.show_saved(None)
        self._offered, self._channels = finished, channels

    def ask_and_save(self) -> None:
        """Ask for a file and write the result as its layers show it."""
        offered = self._offered
        if offered is None:
            return
        name = offered.layer.name
        if len(self._channels) > 1:
            name = f"{composite_name(self._channels)} [denoised]"
        try:
            answer = ask_to_save(
                self._section.native,
                "Save the result",
                _file_name(name),
                {kind: KINDS[kind][0] for kind in _kinds(self._channels)},
                _ENDINGS,
                sources=_sources(self._channels),
            )
        except FileExistsError as error:
            self._show_failure(error)
            return
        if answer is None:
            return
        path, kind = answer
        self._section.save_button.setEnabled(False)
        self._say(f"Saving {path.name}...")
        layers = [_layer_data(one) for one in self._channels]
        dtype = np.dtype(KINDS[kind][1])
        worker = CallWorker(partial(_write, str(path), layers, dtype))
        worker.returned.connect(partial(self._show_saved, offered))
        worker.errored.connect(self._show_failure)
        self._lifetime.start(worker)

    @while_open
    def _show_saved(self, saved: Finished, found: tuple[str, Sequence[str]]) -> None:
        path, notes = found
        self._section.save_button.setEnabled(True)
        if saved is self._offered:  # another one may have been selected meanwhile
            self._section.show_saved(Path(path))
        self._say(" ".join((f"Saved {path}.", *notes)))

    @while_open
    def _show_failure(self, error: Exception) -> None:
        self._section.save_button.setEnabled(True)
        self._say(f"The result could not be saved: {error}")

    def ask_and_report(self) -> None:
        """Ask for a file and write the report."""
        if self._offered is None:
            return
        name, sources = self._offered.layer.name, _sources((self._offered,))
        try:
            path = ask_for_report(self._section.native, _file_name(name), sources)
            if path is None:
                return
            write_result_report(self._offered, path)
        except OSError as error:
            self._say(f"The report could not be saved: {error}")
        else:
            self._section.show_saved(path)
            self._say(f"Saved {path}.")


def write_result_report(finished: Finished, path: Path) -> None:
    """Write the report of a result: HTML, CSV or, by default, JSON."""
    if path.suffix.lower() in {".html", ".htm"}:
        from napari_inr_denoise.batch.report.files import replace_text
        from napari_inr_denoise.batch.report.page import page

        replace_text(path, page(finished.report, [_thumbnails(finished)], path.parent))
        return
    from napari_inr_denoise.batch.report.files import write_report_file

    write_report_file(finished.report, path)


def _thumbnails(finished: Finished) -> Thumbnails | None:
    """Return pictures before and after; None without the noisy image."""
    from napari_inr_denoise.batch.report.thumbnails import AxesImage, thumbnails

    source, result = finished.source, finished.result
    if not source.has_values:
        return None
    shown = result.image if finished.shown is None else finished.shown
    noisy, denoised = (AxesImage(data, source.axes) for data in (source.image(), shown))
    doubt = result.uncertainty
    uncertainty = None if doubt is None else AxesImage(doubt, source.axes)
    return thumbnails(noisy, denoised, finished.report.files[0], uncertainty)


def _file_name(name: str) -> str:
    return "".join(sign for sign in name if sign not in _UNWANTED)


def _kinds(channels: Sequence[Finished]) -> list[str]:
    """Return the names of `KINDS`; first, and preselected, those that lose little."""
    integers = all(_suits_integers(one) for one in channels)

    def comes_last(kind: str) -> bool:
        return (KINDS[kind][1] == _INTEGERS) != integers

    return sorted(KINDS, key=comes_last)


def _suits_integers(finished: Finished) -> bool:
    """Return whether 16-bit integers hold the range of a result in enough levels."""
    image, source = finished.result.image, finished.source
    dtype = np.dtype(finished.layer.data.dtype)
    if np.can_cast(dtype, _INTEGERS):
        return True
    of_floats = source.has_values and np.dtype(source.data.dtype).kind == "f"
    if of_floats or not isinstance(image, np.ndarray):  # a lazy one takes long to read
        return False
    low, high = float(image.min()), float(image.max())  # NaN if there is one
    ends = np.iinfo(_INTEGERS)
    held = low >= ends.min - 0.5 and high <= ends.max + 0.5
    return held and (dtype.kind in "iu" or high - low >= _ENOUGH_LEVELS - 1)


def _sources(channels: Sequence[Finished]) -> list[Path]:
    """Return the files that noisy images were read from, also of removed layers."""
    told = {one.source.path for one in channels}
    told |= {one.report.files[0].source for one in channels}
    # The report of a layer without a file has the name of the layer.
    return [Path(one) for one in told if one is not None and Path(one).is_absolute()]


def _layer_data(finished: Finished) -> LayerData:
    data, attributes, _ = finished.layer.as_layer_data_tuple()
    return data if finished.shown is None else finished.shown, attributes, "image"


def _write(
    path: str, layers: Sequence[LayerData], dtype: np.dtype[Any]
) -> tuple[str, Sequence[str]]:
    """Write layers as the channels of a file; return its path and what was lost.

    In a thread: a long stack takes seconds.
    """
    converted, losses = [], Losses()
    for data, attributes, kind in layers:
        values = np.asarray(data)
        if values.dtype != dtype and not attributes.get("rgb"):
            values, lost = as_dtype(values, dtype)
            losses += lost
        converted.append((values, attributes, kind))
    (written,) = write_layers(path, converted)
    return written, losses.notes(dtype)
