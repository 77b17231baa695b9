"""The panel in napari's dock: a tab for images, one for folders.

The parts know their sections, never each other; the panel connects them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar
from weakref import WeakSet

import napari
from napari.layers import Image
from napari.settings import get_settings
from napari.utils.events import Event
from psygnal import Signal
from qtpy.QtCore import QSize
from qtpy.QtWidgets import QHBoxLayout, QTabWidget, QVBoxLayout, QWidget

from napari_inr_denoise.core.settings import DenoiseSettings
from napari_inr_denoise.plugin.elements.form import button, order_tabs
from napari_inr_denoise.plugin.elements.scrolling import ScrollingColumn
from napari_inr_denoise.plugin.elements.style import ThemeStyle
from napari_inr_denoise.plugin.layers.source.scope import STACK, VISIBLE
from napari_inr_denoise.plugin.results.finished import Finished
from napari_inr_denoise.plugin.runs.build_queue import build_queue
from napari_inr_denoise.plugin.runs.lifetime import Lifetime, while_open
from napari_inr_denoise.plugin.sections.input_section import InputSection
from napari_inr_denoise.plugin.sections.result_section import ResultSection
from napari_inr_denoise.plugin.sections.run_bar import RunBar
from napari_inr_denoise.plugin.widgets.after_run import AfterRun
from napari_inr_denoise.plugin.widgets.before_run import NO_IMAGE, BeforeRun
from napari_inr_denoise.plugin.widgets.folder_widget import FolderWidget
from napari_inr_denoise.plugin.widgets.long_run import LongRun
from napari_inr_denoise.plugin.widgets.panel_menu import PanelMenu
from napari_inr_denoise.plugin.widgets.run_controller import RunController

_SIZE = QSize(330, 560)
"""Preferred size in pixels; the panel scrolls where there is less room."""
_LEAST_HEIGHT = 160
_LOOK = "fast"
"""Quality of a preview."""


class InrDenoiseWidget(QWidget):
    """Denoises the selected layers, or the files of a folder.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        With the layers.

    Attributes
    ----------
    finished : Signal
        Emitted at the end of a run with the layer of the result, or None.
    inputs, run_bar, results : InputSection, RunBar, ResultSection
        The controls. Those that scripts use are attributes of the panel as well: layer,
        scope, region, preset, device, seed, strength and status_label.
    folder : FolderWidget
        The tab for folders.
    before_run, runs, after_run : BeforeRun, RunController, AfterRun
        What the controls act on.
    """

    finished = Signal(object)
    _made: ClassVar[WeakSet[InrDenoiseWidget]] = WeakSet()

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__()
        self._viewer = viewer = napari_viewer
        self._lifetime = Lifetime(self)
        self._long_run = LongRun(self)
        inputs = self.inputs = InputSection(viewer)
        self.run_bar, self.results = RunBar(), ResultSection()
        self.folder = FolderWidget(self._lifetime)
        self.layer, self.scope, self.region = inputs.layer, inputs.scope, inputs.region
        self.preset, self.device, self.seed = inputs.preset, inputs.device, inputs.seed
        self.strength = self.results.strength
        self.status_label = self.run_bar.status_label
        self._lay_out()
        inputs.device.find_devices(self._lifetime)
        say = self.run_bar.say
        self.after_run = AfterRun(self.results, viewer, self._lifetime, say)
        self.after_run.follow_selection()
        self.before_run = BeforeRun(
            inputs, viewer, self._lifetime, self.after_run.source_of
        )
        self.runs = RunController(viewer, self._lifetime, lambda: self.before_run.layer)
        self.menu = PanelMenu(self._menu_button, inputs, say)
        self._help_button.clicked.connect(self.menu.show_help)
        self._connect()
        self._made.add(self)

    def _lay_out(self) -> None:
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(
            _scrolling(self.inputs.native, self.run_bar.native, self.results.native),
            "Image",
        )
        self.tabs.addTab(_scrolling(self.folder.native), "Folder")
        self.tabs.setTabToolTip(0, "Denoise layers")
        self.tabs.setTabToolTip(1, "Denoise the files of a folder without opening them")
        self._help_button = button("", "Help", "icon")
        self._menu_button = button("\u22ee", "Settings, command, script", "icon")
        self._menu_button.setAccessibleName("Menu")
        corner = QWidget()
        beside = QHBoxLayout(corner)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.addWidget(self._help_button)
        beside.addWidget(self._menu_button)
        self.tabs.setCornerWidget(corner)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.tabs)
        self._style = ThemeStyle(self, self._viewer, {"help": self._help_button})

    def _connect(self) -> None:
        bar, runs, before = self.run_bar, self.runs, self.before_run
        bar.start_button.clicked.connect(self.run)
        bar.preview_button.clicked.connect(self.preview)
        for name in self.preset.choices:
            if name != _LOOK:
                bar.offer_comparison(name, partial(self.compare, name))
        bar.stop_button.clicked.connect(self.stop)
        self.results.whole_button.clicked.connect(self._run_whole)
        runs.started.connect(self._show_start)
        runs.progressed.connect(bar.show_step)
        runs.timed.connect(bar.show_time)
        runs.stopping.connect(bar.show_stopping)
        runs.finishing.connect(bar.show_finishing)
        runs.said.connect(bar.say)
        runs.finished.connect(self.after_run.add)
        runs.ended.connect(self._show_end)
        before.counted.connect(self._show_count)
        before.problem.connect(self._show_problem)
        self.inputs.device.failed.connect(bar.say)
        self.after_run.turned.connect(self._show_turn)
        self._viewer.events.theme.connect(self._follow_style)
        get_settings().appearance.events.font_size.connect(self._follow_style)
        self._show_count(len(before.layers))
        self._show_problem("" if before.layer is not None else NO_IMAGE)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return a size with which napari's window need not grow."""
        return _SIZE

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return a small size: the panel scrolls up and down, but not sideways."""
        return QSize(self.tabs.minimumSizeHint().width(), _LEAST_HEIGHT)

    @property
    def native(self) -> QWidget:
        """The Qt side of the panel: itself."""
        return self

    @classmethod
    def docked_in(cls, viewer: napari.Viewer) -> InrDenoiseWidget | None:
        """Return the widget that is docked in a viewer, visible or not, if any."""
        for made in cls._made:
            elsewhere = _unwrapped(made._viewer) is not _unwrapped(viewer)
            # Qt's objects are deleted with the window: asked for last.
            gone = elsewhere or made._lifetime.over or made.parent() is None
            if not gone:
                return made
        return None

    @property
    def settings(self) -> DenoiseSettings:
        """The chosen settings."""
        return self.inputs.settings

    def load(self, path: Path) -> None:
        """Choose the settings that a file holds; raises as `InputSection.load` does."""
        self.inputs.load(path)

    @property
    def running(self) -> bool:
        """Whether an image is being denoised."""
        return self.runs.running

    def run(self) -> None:
        """Denoise the chosen layers, each into a new layer; returns at once."""
        self.denoise(self.before_run.layers, self.scope.value, self.preset.value)

    def preview(self) -> None:
        """Denoise the visible part of the slice in seconds, into a layer of its own."""
        self.denoise(self._chosen, VISIBLE, _LOOK)

    def compare(self, quality: str = "auto") -> None:
        """Preview with the quality Fast and another one, and show them side by side."""
        self.denoise(self._chosen, VISIBLE, _LOOK, quality)

    def _run_whole(self) -> None:
        """Denoise all that the selected preview is a part of, as is chosen."""
        several = self.inputs.scope.isVisibleTo(self)
        scope = STACK if several else self.scope.value
        self.denoise(self.before_run.layers, scope, self.preset.value)

    @property
    def _chosen(self) -> Sequence[Image]:
        chosen = self.before_run.layer
        return () if chosen is None else (chosen,)

    def denoise(self, layers: Sequence[Image], scope: str, *qualities: str) -> None:
        """Denoise layers; returns at once. What is chosen in the panel stays.

        Parameters
        ----------
        layers : sequence of Image
            In their order.
        scope : str
            One of `layers.source.scope.SCOPES`, or `VISIBLE`.
        *qualities : str
            Presets, or the loaded settings; each layer is denoised with each of them.
        """
        if self.running:
            return
        settings = [self.inputs.settings_of(name, scope) for name in qualities]
        queue = build_queue(
            self._viewer,
            layers,
            scope,
            self.region.value,
            settings,
            same_dtype=self.inputs.output_type.value,
        )
        queue.expect(self.before_run.expected)
        queue.name_layers(self.after_run.name_of)
        self.runs.start(queue)

    def stop(self) -> None:
        """Stop the run and keep its best result so far; start no other layer."""
        self.runs.stop()

    def wait(self) -> Image | None:
        """Wait for the end of the run while the window stays responsive.

        Returns
        -------
        Image or None
            The layer of the result, of several layers the last one. None if there is
            no result: `status_label.value` says why.
        """
        return self.runs.wait()

    def _show_start(self, text: str) -> None:
        self._long_run.begin()
        self.before_run.hold()
        self.run_bar.begin(text)
        self.run_bar.show_running(on=True)

    def _show_end(self, layer: Image | None) -> None:
        self.run_bar.show_running(on=False)
        self.after_run.follow_selection()
        told = self.status_label.value
        self.before_run.resume()
        self.run_bar.say(told)
        self.finished.emit(layer)
        self._long_run.end(told)

    def _show_count(self, count: int) -> None:
        self.run_bar.show_layer_count(count)
        self.run_bar.allow(start=count > 0)

    def _show_problem(self, text: str) -> None:
        if not self.running:
            self.run_bar.say(text)

    def _show_turn(self, _: Finished | None) -> None:
        """Remove what was said of another result."""
        if not self.running:
            self.run_bar.say("")

    @while_open
    def _follow_style(self, _: Event) -> None:
        self._style.follow()


def _scrolling(*parts: QWidget) -> ScrollingColumn:
    """Return parts one below the other, in an area that scrolls up and down."""
    column = QWidget()
    layout = QVBoxLayout(column)
    layout.setContentsMargins(6, 6, 6, 6)
    layout.setSpacing(7)
    for part in parts:
        layout.addWidget(part)
    layout.addStretch(1)  # or parts that can grow would take some of the room
    order_tabs(column)
    return ScrollingColumn(column)


def _unwrapped(viewer: napari.Viewer) -> napari.Viewer:
    """Return the viewer itself: napari gives some plugins a proxy, a new one a time."""
    own: napari.Viewer = getattr(viewer, "__wrapped__", viewer)
    return own
