"""The tab that denoises the files of a folder without opening them in napari."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from magicgui.types import FileDialogMode
from magicgui.widgets import CheckBox, FileEdit, SpinBox
from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QPlainTextEdit, QVBoxLayout, QWidget

from napari_inr_denoise.batch.eta import Pace
from napari_inr_denoise.plugin.controls import folder_messages
from napari_inr_denoise.plugin.controls.device_choice import DeviceChoice
from napari_inr_denoise.plugin.controls.file_dialogs import ask_and_load
from napari_inr_denoise.plugin.controls.messages import error_message
from napari_inr_denoise.plugin.controls.preset_choice import PresetChoice
from napari_inr_denoise.plugin.controls.run_choices import OutputType
from napari_inr_denoise.plugin.elements.form import Form, TextLabel, button, row
from napari_inr_denoise.plugin.elements.progress import ShareBar
from napari_inr_denoise.plugin.elements.section import Foldable
from napari_inr_denoise.plugin.elements.segments import Segments
from napari_inr_denoise.plugin.runs.folder_worker import FolderRun, FolderWorker
from napari_inr_denoise.plugin.runs.lifetime import Lifetime, while_open
from napari_inr_denoise.plugin.widgets.long_run import LongRun

if TYPE_CHECKING:
    from napari_inr_denoise.batch.serial import BatchStep
    from napari_inr_denoise.core.report.report import DenoiseReport


_FOLDER = FileDialogMode.EXISTING_DIRECTORY
_MODES = (
    ("Every plane", "plane", "Every plane, with those beside it along Z or time"),
    ("Volumes", "volume", "Each volume as one: mostly less error, in twice the time"),
)
_MOST_WORKERS = max(os.cpu_count() or 1, 2)
_FAILURES_HEIGHT = 180
_HINT = "Choose two folders and press Denoise folder."


class FolderWidget:
    """Denoises all the images of a folder, as `inr-denoise run` does.

    Parameters
    ----------
    lifetime : Lifetime
        Lifetime of the panel. When it ends, the files at work are stopped.

    Attributes
    ----------
    native : QWidget
        The Qt side.
    """

    def __init__(self, lifetime: Lifetime) -> None:
        self._lifetime = lifetime
        self._worker: FolderWorker | None = None
        self._run: FolderRun
        self._count, self._pace = 0, Pace()
        self._failed: list[str] = []
        self._page = Path()
        self._make_choices()
        self.progress = ShareBar()
        self.progress.setToolTip("Finished part of all files, by their size")
        self.file_label, self.plane_label = TextLabel(), TextLabel()
        self.time_label = TextLabel()
        self.status_label = TextLabel(_HINT)
        self.failures = QPlainTextEdit()
        self.failures.setReadOnly(True)
        self.failures.setAccessibleName("Failed files")
        self.failures.setToolTip("Files that could not be denoised, with the cause")
        self._make_buttons()
        self.native = QWidget()
        self._long_run = LongRun(self.native)
        self._lay_out()
        self.device.failed.connect(self._say)
        self.device.find_devices(self._lifetime)
        self._allow(running=False)

    def _make_choices(self) -> None:
        self.source = FileEdit(mode=_FOLDER, label="Images", nullable=True)
        self.out = FileEdit(mode=_FOLDER, label="Results", nullable=True)
        for folder in (self.source, self.out):
            folder.choose_btn.text = "..."  # the default text is too long
            folder.margins = (0, 0, 0, 0)
        self.preset = PresetChoice()
        self.mode = Segments(_MODES)
        self.device = DeviceChoice()
        self.workers = SpinBox(value=1, min=1, max=_MOST_WORKERS)
        self.dtype = OutputType()
        self.overwrite = CheckBox(text="Overwrite existing results", label="")
        self.overwrite.tooltip = (
            "Denoise finished images again, and replace files of other programs and "
            "results of other images"
        )

    def _make_buttons(self) -> None:
        self.run_button = button(
            "Denoise folder",
            "Denoise all images; finished ones that have not changed are skipped",
            "primary",
        )
        self.stop_button = button(
            "Stop", "Keep what is finished; the next run continues there"
        )
        self.load_button = button("Load settings...", "Use the settings of a file")
        self.report_button = button("Open report", "Open the page on the last run")
        self.report_button.setVisible(False)
        self.source.changed.connect(self._follow_folders)
        self.out.changed.connect(self._follow_folders)
        self.run_button.clicked.connect(self.run)
        self.stop_button.clicked.connect(self.stop)
        self.load_button.clicked.connect(self._ask_and_load)
        self.report_button.clicked.connect(self._open_report)

    def _lay_out(self) -> None:
        form, advanced = Form(), Form()
        form.add("Images", self.source, "Folder of the images, with its subfolders")
        form.add("Results", self.out, "Folder for results and report")
        for name, folder in (("Images", self.source), ("Results", self.out)):
            folder.choose_btn.tooltip = f"Choose the folder: {name}"
            folder.choose_btn.native.setAccessibleName(f"Choose the folder: {name}")
            folder.line_edit.native.setAccessibleName(name)
        form.add("Planes", self.mode, "Plane by plane, or each volume as one")
        form.add("Quality", self.preset, "More time gives a smaller error")
        advanced.add("Device", self.device, "Where the networks are trained")
        tip = "Files denoised in parallel, each in a process with memory of its own"
        advanced.add("Parallel files", self.workers, tip)
        advanced.add("Output type", self.dtype, OutputType.tip)
        advanced.add_wide(self.overwrite)
        advanced.add_wide(self.load_button)
        self.advanced = Foldable("Advanced", advanced, "Device, files, output")
        self._busy = QWidget()
        busy = QVBoxLayout(self._busy)
        layout = QVBoxLayout(self.native)
        for one in (busy, layout):
            one.setContentsMargins(0, 0, 0, 0)
        for told in (self.file_label, self.plane_label, self.time_label):
            busy.addWidget(told)
        busy.addWidget(self.progress)
        for part in (
            form,
            self.advanced.native,
            row(self.run_button, self.stop_button),
            self._busy,
            self.status_label,
            self.failures,
            self.report_button,
        ):
            layout.addWidget(part)
        self.failures.setVisible(False)

    @property
    def _choices(self) -> tuple[QWidget, ...]:
        return (
            *(one.native for one in (self.source, self.out, self.device)),
            *(one.native for one in (self.workers, self.dtype, self.overwrite)),
            self.preset,
            self.mode,
            self.load_button,
        )

    @property
    def running(self) -> bool:
        """Whether files are being denoised."""
        return self._worker is not None

    @while_open
    def _follow_folders(self, _: object) -> None:
        """Remove the hint once both folders are chosen."""
        chosen = self.source.line_edit.value and self.out.line_edit.value
        if chosen and self.status_label.value == _HINT:
            self._say("")

    def run(self) -> None:
        """Denoise the chosen folder; returns at once."""
        if self._worker is not None:
            return
        self._forget_last()
        source, out = _folder(self.source), _folder(self.out)
        problem = folder_messages.folders_problem(source, out)
        if source is None or out is None or problem:
            self._say(problem)
            return
        settings = self.preset.settings(device=self.device.value, mode=self.mode.value)
        self._run = FolderRun(
            source,
            out,
            settings,
            same_dtype=self.dtype.value,
            overwrite=self.overwrite.value,
            workers=self.workers.value,
        )
        self._start(FolderWorker(self._run))

    def stop(self) -> None:
        """Stop and keep finished files, and finished planes of the current file."""
        if self._worker is not None:
            self._worker.stop()
            self.stop_button.setText("Stopping...")
            self.stop_button.setEnabled(False)

    def load(self, path: Path) -> None:
        """Choose the settings that a file holds.

        Raises
        ------
        OSError, TypeError, ValueError
            If the file holds no settings; nothing has changed then.
        """
        settings = self.preset.load(path)
        self.mode.value = settings.mode
        self.device.prefer(settings.device)

    def _ask_and_load(self) -> None:
        message = ask_and_load(self.native, self.load)
        if message:
            self._say(message)

    def _open_report(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._page)))

    def _forget_last(self) -> None:
        """Hide what belongs to the run before."""
        self._failed = []
        self.failures.setPlainText("")
        self.failures.setVisible(False)
        self.report_button.setVisible(False)

    def _start(self, worker: FolderWorker) -> None:
        worker.stepped.connect(self._show_step)
        worker.returned.connect(self._show_summary)
        worker.errored.connect(self._show_failure)
        worker.finished.connect(self._show_finished)
        self._worker = worker
        self._count, self._pace = 0, Pace()
        self.progress.show_share(0.0)
        self._long_run.begin()
        self._say("Looking for images...")
        self._allow(running=True)
        self._lifetime.start(worker)

    def _allow(self, running: bool) -> None:
        for widget in (*self._choices, self.run_button):
            widget.setEnabled(not running)
        self.stop_button.setText("Stop")
        self.stop_button.setEnabled(running)
        self.stop_button.setVisible(running)
        self.run_button.setVisible(not running)
        self._busy.setVisible(running)
        for label in (self.file_label, self.plane_label, self.time_label):
            label.value = ""

    @while_open
    def _show_step(self, batch: BatchStep) -> None:
        if self._count == 0:
            self._say("")
        self._count = batch.count
        self._pace.follow(batch)
        self.progress.show_share(self._pace.share)
        self.file_label.value = folder_messages.file_message(batch)
        self.plane_label.value = folder_messages.plane_message(batch)
        self.time_label.value = folder_messages.time_message(self._pace)
        if batch.done is not None and batch.done.file.status == "failed":
            self._name_failure(folder_messages.failure_message(batch.done.file))

    def _name_failure(self, text: str) -> None:
        self._failed.append(text)
        self.failures.setPlainText("\n".join(self._failed))
        self.failures.setVisible(True)
        self._fit_failures()

    def _fit_failures(self) -> None:
        """Give the failures the height of their lines, within limits."""
        told = self.failures
        document, bar = told.document(), told.verticalScrollBar()
        assert document is not None
        assert bar is not None
        lines = document.size().height() + 1  # in lines of text, not in pixels
        needed = round(lines * told.fontMetrics().lineSpacing())
        told.setFixedHeight(min(needed + 2 * told.frameWidth(), _FAILURES_HEIGHT))

    @while_open
    def _show_summary(self, report: DenoiseReport | None) -> None:
        problem = "" if self._worker is None else self._worker.problem
        self._page = self._run.out / "report.html"
        self.report_button.setVisible(not problem and self._page.is_file())
        self._say(folder_messages.summary_message(report, self._count, problem))

    @while_open
    def _show_failure(self, error: Exception) -> None:
        self._say(error_message(error))

    @while_open
    def _show_finished(self) -> None:
        self._worker = None
        self._allow(running=False)
        self._long_run.end(self.status_label.value)

    def _say(self, text: str) -> None:
        self.status_label.value = text


def _folder(chosen: FileEdit) -> Path | None:
    """Return a folder as it was typed or pasted: after ~, or in quotation marks."""
    typed = str(chosen.line_edit.value).strip().strip("\"'")
    path = Path(typed)
    with suppress(RuntimeError):  # nobody has that name
        path = path.expanduser()
    return path if typed else None
