"""What the canvas shows of a result: one view at a time, and no layers left behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import napari
from napari.components.grid import GridCanvas
from napari.layers import Image
from napari.utils.events import Event
from qtpy.QtCore import QTimer

from napari_inr_denoise.plugin.layers.order import covering, raise_above
from napari_inr_denoise.plugin.results.colour_bar import ColourBar
from napari_inr_denoise.plugin.results.finished import Finished
from napari_inr_denoise.plugin.results.split_array import SplitArray
from napari_inr_denoise.plugin.results.split_line import SplitLine, canvas_of
from napari_inr_denoise.plugin.results.views import (
    COMPARED,
    NOISY,
    RESIDUAL,
    RESULT,
    SPLIT,
    UNCERTAINTY,
    split_labels,
    split_layer,
    view_layer,
    views_of,
)
from napari_inr_denoise.plugin.runs.lifetime import Lifetime, while_open
from napari_inr_denoise.plugin.sections.result_section import ResultSection

_DRAWN_MS = 100
"""Time until the canvas was drawn again, in milliseconds. napari 0.9 can crash if two
layers are removed or hidden between two drawings, and the removal of another layer may
end a view."""
_LOOK = ("contrast_limits", "gamma", "colormap")
"""What the split view shows as its result does."""
_IN_GRID = "the line needs one canvas. Turn off the grid below the list of layers."
HOLD_KEY = "N"
"""Key that shows the noisy image while it is held."""


class ShowControl:
    """Connects the buttons of the row Show with the layers of the viewer.

    A view other than the result is a layer, for a composite one of each channel. They
    come and go with it; the selection stays. A view ends by another button, by another
    result, by the removal of its layer, or when the dock is closed.

    A result that is offered lies above its noisy image, as after a run. Pressing its
    button, or that of the noisy image, brings it above all that hides it.

    Parameters
    ----------
    section : ResultSection
        With the buttons.
    viewer : napari.Viewer
        With the layers.
    lifetime : Lifetime
        Lifetime of the panel.
    say : callable
        Takes a message for the user.

    Attributes
    ----------
    line : SplitLine
        The line of the split view.
    bar : ColourBar or None
        The colour bar of the uncertainty, while that is shown.
    """

    def __init__(
        self,
        section: ResultSection,
        viewer: napari.Viewer,
        lifetime: Lifetime,
        say: Callable[[str], None],
    ) -> None:
        self._section, self._viewer = section, viewer
        self._lifetime, self._say = lifetime, say
        self._offered: Finished | None = None
        self._channels: tuple[Finished, ...] = ()
        self._split: dict[Finished, tuple[SplitArray, Image]] = {}
        self._layer: Image | None = None
        self._leaving: list[Image] = []
        self._sources_hidden: set[Finished] = set()
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(_DRAWN_MS)
        self._timer.timeout.connect(self._take_away)
        self._ordering = QTimer()
        self._ordering.setSingleShot(True)
        self._ordering.timeout.connect(self._raise_results)
        self.bar: ColourBar | None = None
        self.line = SplitLine(section.native, viewer, lifetime)
        section.show.changed.connect(self._switch)
        section.show.pressed.connect(self._uncover)
        section.raw.toggled.connect(self.renew)
        viewer.layers.events.removed.connect(self._follow_removal)
        self._grid.events.enabled.connect(self._follow_grid)
        lifetime.undocking.connect(self.end)
        # The user, or another open panel of the viewer, may have the key already.
        with suppress(ValueError):
            viewer.bind_key(HOLD_KEY, self._hold)
            lifetime.undocking.connect(self._leave_key)

    @property
    def layer(self) -> Image | None:
        """The layer of the current view; None for the result and the noisy image."""
        return self._layer

    @property
    def _grid(self) -> GridCanvas:
        # It is in `canvas` since napari 0.9.
        return getattr(self._viewer, "canvas", self._viewer).grid

    @property
    def _own_layers(self) -> list[Image]:
        split = [layer for _, layer in self._split.values()]
        return split or [one for one in (self._layer,) if one is not None]

    def offer(
        self, finished: Finished | None, channels: tuple[Finished, ...] = ()
    ) -> None:
        """Choose the result to show; end the view of another one.

        Parameters
        ----------
        finished : Finished or None
            The result.
        channels : tuple of Finished
            The results of its composite, which are shown together.
        """
        offered = () if finished is None else views_of(finished)
        same = finished is self._offered and channels == self._channels
        if not same or self._section.show.value not in offered:
            self.end()
        self._offered, self._channels = finished, channels
        self._section.offer_raw(False)
        # Others may not know yet of a layer that is being inserted.
        self._ordering.start(0)

    @while_open
    def _raise_results(self) -> None:
        """Let nothing of the noisy images hide, or add up with, what is offered."""
        layers = self._viewer.layers
        for one in self._channels:
            source, result = one.source.layer_in(layers), one.layer
            if source is None or result not in layers or not result.visible:
                continue
            if source.blending == "additive":
                source.visible = False
            raise_above(
                layers, result, [k for k in covering(layers, result) if k == source]
            )

    @while_open
    def _uncover(self) -> None:
        """Bring the result or the noisy image above all that hides it."""
        layers, view = self._viewer.layers, self._section.show.value
        for one in self._channels:
            source, result = one.source.layer_in(layers), one.layer
            shown = source if view == NOISY else result
            if view not in {NOISY, RESULT} or shown is None or shown not in layers:
                continue
            shown.visible = True
            raise_above(layers, shown, covering(layers, shown))
        if view == RESULT:
            self._raise_results()

    @while_open
    def end(self) -> None:
        """Show the result again, and remove the layers of the view shortly after."""
        if self._section.show.value != RESULT:
            self._section.show.value = RESULT  # calls _switch

    @while_open
    def _switch(self, view: str) -> None:
        self._leave()
        offered = self._offered
        if offered is None or view == RESULT:
            return
        try:
            self._begin(offered, view)
        except (ValueError, OSError) as error:
            self._section.show.value = RESULT
            self._say(f"This cannot be shown: {error}")

    def _begin(self, offered: Finished, view: str) -> None:
        if view == NOISY:
            self._show_noisy(on=True)
        elif view in {SPLIT, COMPARED}:
            self._begin_split(offered, view)
        else:
            raw = self._section.raw.isChecked()
            data, keywords = view_layer(offered, view, raw=raw)
            self._layer = self._added(data, keywords)
            canvas = canvas_of(self._section.native)
            if view == UNCERTAINTY and canvas is not None:
                self.bar = ColourBar(canvas, self._layer)
        self._section.offer_raw(
            view == RESIDUAL and "normalized_residual" in offered.result.maps
        )

    def _begin_split(self, offered: Finished, view: str) -> None:
        if self._grid.enabled:
            raise ValueError(_IN_GRID)
        for one in self._channels if view == SPLIT else (offered,):
            if not one.source.has_values:
                continue
            array, keywords = split_layer(one, view)
            self.line.aim(array, one.layer)
            self._split[one] = array, self._added(array, keywords)
            one.layer.events.data.connect(self._renew_split)
            for name in _LOOK:
                one.layer.events[name].connect(self._follow_look)
            if one.layer.blending == "additive":
                one.layer.visible = False  # the split view is in its place
        self._layer = self._split[offered][1]
        self.line.begin(tuple(self._split.values()), split_labels(offered, view))

    def _added(self, data: Any, keywords: dict[str, Any]) -> Image:  # noqa: ANN401
        """Add the layer of a view; the user's selection stays."""
        layers = self._viewer.layers
        selected, active = set(layers.selection), layers.selection.active
        layer = self._viewer.add_image(data, **keywords)
        layers.selection = selected
        if active is not None:
            layers.selection.active = active
        return layer

    def _leave(self) -> None:
        """End the current view; its layers are removed after the next drawing."""
        self._section.offer_raw(False)
        self._leaving += self._own_layers
        self._layer = None
        if self.bar is not None:
            self.bar.end()
            self.bar = None
        self._show_noisy(on=False)
        for one in self._split:
            one.layer.events.data.disconnect(self._renew_split)
            for name in _LOOK:
                one.layer.events[name].disconnect(self._follow_look)
        self._split = {}
        self.line.end()
        if self._leaving:
            self._timer.start()

    @while_open
    def _take_away(self) -> None:
        if not self._leaving:
            return
        layer = self._leaving.pop(0)
        if layer in self._viewer.layers:
            self._viewer.layers.remove(layer)
        if self._leaving:
            self._timer.start()

    def _show_noisy(self, *, on: bool) -> None:
        """Hide the results, and show their sources, or the other way round."""
        layers = self._viewer.layers
        for one in self._channels:
            source, result = one.source.layer_in(layers), one.layer
            if on:
                if source is not None and not source.visible:
                    source.visible = True
                    self._sources_hidden.add(one)
                result.visible = False
            elif not result.visible and result in layers:
                result.visible = True
            if not on and one in self._sources_hidden and source is not None:
                source.visible = False
        if not on:
            self._sources_hidden.clear()

    def _hold(self, _: object) -> Iterator[None]:
        """Show the noisy image while the key is held."""
        section = self._section
        held = not self._lifetime.over and section.show.value == RESULT
        offered = self._offered
        if not held or offered is None or not offered.source.has_values:
            yield
            return
        self._show_noisy(on=True)
        yield
        if not self._lifetime.over:
            self._show_noisy(on=False)

    @while_open
    def _leave_key(self) -> None:
        """Leave the key to the next panel, and nothing that holds this one."""
        bound = self._viewer.bind_key(HOLD_KEY, None)
        if bound is not None and bound != self._hold:  # the user's, since then
            self._viewer.bind_key(HOLD_KEY, bound)

    @while_open
    def renew(self, *_: object) -> None:
        """Update the residual or map to the strength and the unit that are chosen."""
        view, layer, offered = self._section.show.value, self._layer, self._offered
        if layer is None or offered is None or view in {SPLIT, COMPARED}:
            return
        raw = self._section.raw.isChecked()
        layer.data, keywords = view_layer(offered, view, raw=raw)
        layer.name = keywords["name"]
        layer.contrast_limits = keywords["contrast_limits"]

    @while_open
    def _renew_split(self, _: Event) -> None:
        """Update the split view when the data of a result change."""
        for one, (array, layer) in self._split.items():
            array.after = one.layer.data
            layer.refresh(extent=False)

    @while_open
    def _follow_look(self, event: Event) -> None:
        """Let the split view follow the controls of its result, which is selected."""
        for one, (_, layer) in self._split.items():
            setattr(layer, event.type, getattr(one.layer, event.type))

    @while_open
    def _follow_grid(self, _: Event) -> None:
        """End the view with a line, which cannot be in several canvases."""
        if self._split and self._grid.enabled:
            self.end()
            self._say(f"Split has ended: {_IN_GRID}")

    @while_open
    def _follow_removal(self, event: Event) -> None:
        """End the view when a layer of it is removed."""
        # Equal, but not the same: napari gives plugins a proxy of a layer.
        if any(event.value == layer for layer in self._own_layers):
            self.end()
