"""The widget that denoises the files of a folder without opening them in napari."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from magicgui.types import FileDialogMode
from magicgui.widgets import (
    CheckBox,
    ComboBox,
    Container,
    FileEdit,
    Label,
    ProgressBar,
    PushButton,
    SpinBox,
    TextEdit,
    Widget,
)

from napari_inr_denoise.batch.eta import Pace
from napari_inr_denoise.plugin.controls import folder_messages
from napari_inr_denoise.plugin.controls.device_choice import DeviceChoice
from napari_inr_denoise.plugin.controls.file_dialogs import ask_and_load
from napari_inr_denoise.plugin.controls.messages import error_message
from napari_inr_denoise.plugin.controls.preset_choice import PresetChoice
from napari_inr_denoise.plugin.controls.rows import BAR_STEPS, arrange, row, show_text
from napari_inr_denoise.plugin.controls.tooltips import FOLDER_TIPS, set_tooltips
from napari_inr_denoise.plugin.runs.folder_worker import FolderRun, FolderWorker
from napari_inr_denoise.plugin.runs.lifetime import Lifetime, while_open

if TYPE_CHECKING:
    from napari_inr_denoise.batch.serial import BatchStep
    from napari_inr_denoise.core.report.report import DenoiseReport


_DOCK_PIXELS = 340
_FOLDER = FileDialogMode.EXISTING_DIRECTORY
_MODES = [("every plane", "plane"), ("each volume as one (z, y, x)", "volume")]
_TYPES = [("float32", False), ("the type of each image", True)]
_MOST_WORKERS = max(os.cpu_count() or 1, 2)


class FolderWidget(Container[Widget]):
    """Denoises all the images of a folder, as `inr-denoise run` does."""

    def __init__(self) -> None:
        super().__init__()
        self._worker: FolderWorker | None = None
        self._run: FolderRun
        self._count, self._pace = 0, Pace()
        self._failed: list[str] = []
        self.source = FileEdit(mode=_FOLDER, label="images", nullable=True)
        self.out = FileEdit(mode=_FOLDER, label="results", nullable=True)
        self.preset = PresetChoice()
        self.mode = ComboBox(choices=_MODES, label="denoise")
        self.device = DeviceChoice()
        self.workers = SpinBox(
            value=1,
            min=1,
            max=_MOST_WORKERS,
            label="at once",
            tooltip="Number of files denoised at once, each in a process of its own. "
            "Each needs as much memory as a single file.",
        )
        self.dtype = ComboBox(choices=_TYPES, label="write as")
        self.overwrite = CheckBox(text="Replace existing results", label="")
        # No keyboard shortcuts: they would collide with those of the other widget.
        self.load_button = PushButton(text="Load settings...")
        self.run_button = PushButton(text="Run")
        self.stop_button = PushButton(text="Stop", enabled=False)
        self.progress = ProgressBar(value=0, min=0, max=BAR_STEPS, label="progress")
        self.file_label = Label(value="-", label="file")
        self.plane_label = Label(value="-", label="planes")
        self.time_label = Label(value="-", label="time left")
        self.status_label = Label(value="Choose two folders and press Run.", label="")
        self.failures = TextEdit(value="", label="failed")
        self.extend([*self._choices, *self._rows()])
        self._lifetime = Lifetime(self.native)
        self._prepare()

    @property
    def _choices(self) -> tuple[Widget, ...]:
        return (
            self.source,
            self.out,
            self.preset,
            self.mode,
            self.device,
            self.workers,
            self.dtype,
            self.overwrite,
        )

    def _rows(self) -> list[Widget]:
        return [
            row(self.run_button, self.stop_button, self.load_button),
            self.progress,
            self.file_label,
            self.plane_label,
            self.time_label,
            self.status_label,
            self.failures,
        ]

    def _prepare(self) -> None:
        arrange(self, _DOCK_PIXELS)
        set_tooltips(self, self, FOLDER_TIPS)
        for folder in (self.source, self.out):
            folder.choose_btn.text = "Browse..."  # the default text is too long
        self.failures.native.setReadOnly(True)
        self.failures.visible = False
        self.run_button.changed.connect(self.run)
        self.stop_button.changed.connect(self.stop)
        self.load_button.changed.connect(self._ask_and_load)
        self.device.failed.connect(self._say)
        self.device.find_devices(self._lifetime)

    @property
    def running(self) -> bool:
        """Whether files are being denoised."""
        return self._worker is not None

    def run(self) -> None:
        """Denoise the chosen folder; returns at once."""
        if self._worker is not None:
            return
        source, out = self.source.value, self.out.value
        # FileEdit may also return a tuple, but not for folders.
        if not (isinstance(source, Path) and isinstance(out, Path) and source.is_dir()):
            self._say("Choose a folder of images and a folder for the results first.")
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
            self._say("Stopping...")

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

    def _start(self, worker: FolderWorker) -> None:
        worker.stepped.connect(self._show_step)
        worker.returned.connect(self._show_summary)
        worker.errored.connect(self._show_failure)
        worker.finished.connect(self._show_finished)
        self._worker = worker
        self._count, self._pace = 0, Pace()
        self.progress.value = 0
        self._failed = []
        self.failures.visible = False
        self._say("Looking for images...")
        self._allow(running=True)
        self._lifetime.start(worker)

    def _allow(self, running: bool) -> None:
        for widget in (*self._choices, self.run_button, self.load_button):
            widget.enabled = not running
        self.stop_button.enabled = running
        for label in (self.file_label, self.plane_label, self.time_label):
            show_text(label, "-")

    @while_open
    def _show_step(self, batch: BatchStep) -> None:
        if self._count == 0:
            self._say("Denoising...")
        self._count = batch.count
        self._pace.follow(batch)
        self.progress.value = int(self._pace.share * BAR_STEPS)
        show_text(self.file_label, folder_messages.file_message(batch))
        show_text(self.plane_label, folder_messages.plane_message(batch))
        show_text(self.time_label, folder_messages.time_message(self._pace))
        if batch.done is not None and batch.done.file.status == "failed":
            self._name_failure(folder_messages.failure_message(batch.done.file))

    def _name_failure(self, text: str) -> None:
        self._failed.append(text)
        # Setting the value would let Qt interpret the text as HTML.
        self.failures.native.setPlainText("\n".join(self._failed))
        self.failures.visible = True

    @while_open
    def _show_summary(self, report: DenoiseReport | None) -> None:
        problem = "" if self._worker is None else self._worker.problem
        where = problem or f"The report is {self._run.out / 'report.html'}."
        self._say(folder_messages.summary_message(report, self._count, where))

    @while_open
    def _show_failure(self, error: Exception) -> None:
        self._say(error_message(error))

    @while_open
    def _show_finished(self) -> None:
        self._worker = None
        self._allow(running=False)

    def _say(self, text: str) -> None:
        show_text(self.status_label, text)
