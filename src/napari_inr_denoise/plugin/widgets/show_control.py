"""What the canvas shows of a result: one view at a time, and no layers left behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import napari
from napari.layers import Image
from napari.utils.events import Event
from qtpy.QtCore import QTimer

from napari_inr_denoise.plugin.layers.metadata_keys import SHOWS_KEY
from napari_inr_denoise.plugin.results.finished import Finished
from napari_inr_denoise.plugin.results.split_array import SplitArray
from napari_inr_denoise.plugin.results.split_line import SplitLine
from napari_inr_denoise.plugin.results.views import (
    NOISY,
    RESIDUAL,
    RESULT,
    SPLIT,
    UNCERTAINTY,
    view_layer,
    views_of,
)
from napari_inr_denoise.plugin.runs.lifetime import Lifetime, while_open
from napari_inr_denoise.plugin.sections.result_section import ResultSection

_DRAWN_MS = 100
"""Time until the canvas was drawn again, in milliseconds. napari 0.9 can crash if two
layers are removed or hidden between two drawings, and the removal of another layer may
end a view."""
HOLD_KEY = "N"
"""Key that shows the noisy image while it is held."""


class ShowControl:
    """Connects the buttons of the row Show with the layers of the viewer.

    A view other than the result is one layer, which comes and goes with it; the
    selection stays. A view ends by another button, by another result, by the removal of
    its layer, or when the dock is closed.

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
        self._layer: Image | None = None
        self._leaving: list[Image] = []
        self._source_hidden = False
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(_DRAWN_MS)
        self._timer.timeout.connect(self._take_away)
        self.line = SplitLine(section.native, viewer, lifetime)
        section.show.changed.connect(self._switch)
        section.raw.toggled.connect(self._renew_residual)
        viewer.layers.events.removed.connect(self._follow_removal)
        lifetime.undocking.connect(self.end)
        # Another panel in the same viewer may have the key already.
        with suppress(ValueError):
            viewer.bind_key(HOLD_KEY, self._hold)

    @property
    def layer(self) -> Image | None:
        """The layer of the current view; None for the result and the noisy image."""
        return self._layer

    def offer(self, finished: Finished | None) -> None:
        """Choose the result to show; end the view of another one."""
        offered = () if finished is None else views_of(finished)
        if finished is not self._offered or self._section.show.value not in offered:
            self.end()
        self._offered = finished
        self._section.offer_raw(False)

    @while_open
    def end(self) -> None:
        """Show the result again, and remove the layer of the view shortly after."""
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
            self._show_noisy(offered, on=True)
        elif view == SPLIT:
            self._begin_split(offered)
        else:
            raw = self._section.raw.isChecked()
            data, keywords = view_layer(offered, view, raw=raw)
            self._layer = self._added(data, keywords)
            if view == UNCERTAINTY and hasattr(self._layer, "colorbar"):
                self._layer.colorbar.visible = True  # since napari 0.7
        self._section.offer_raw(
            view == RESIDUAL and "normalized_residual" in offered.result.maps
        )

    def _begin_split(self, offered: Finished) -> None:
        result = offered.layer
        array = SplitArray(offered.source.image(), result.data)
        _, keywords, _ = result.as_layer_data_tuple()
        adds = result.blending == "additive"
        own = {
            "name": f"{result.name} [split]",
            "metadata": {SHOWS_KEY: SPLIT},
            "blending": "additive" if adds else "opaque",
            "opacity": 1.0,
            "visible": True,
        }
        self.line.aim(array, result)
        self._layer = self._added(array, keywords | own)
        self.line.begin(array, self._layer)
        result.events.data.connect(self._renew_split)
        if adds:  # a channel of a composite: the split view is in its place
            result.visible = False

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
        """End the current view; its layer is removed after the next drawing."""
        self._section.offer_raw(False)
        layer, self._layer = self._layer, None
        offered = self._offered
        if offered is not None:
            self._show_noisy(offered, on=False)
            offered.layer.events.data.disconnect(self._renew_split)
        self.line.end()
        if layer is not None:
            self._leaving.append(layer)
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

    def _show_noisy(self, offered: Finished, *, on: bool) -> None:
        """Hide the result, and show its source, or the other way round."""
        layers, result = self._viewer.layers, offered.layer
        source = offered.source.layer_in(layers)
        if on:
            if source is not None and not source.visible:
                source.visible = self._source_hidden = True
            result.visible = False
        elif not result.visible and result in layers:
            result.visible = True
        if not on and self._source_hidden and source is not None:
            source.visible = self._source_hidden = False

    def _hold(self, _: object) -> Iterator[None]:
        """Show the noisy image while the key is held."""
        section = self._section
        held = not self._lifetime.over and section.show.value == RESULT
        offered = self._offered
        if not held or offered is None or not offered.source.has_values:
            yield
            return
        self._show_noisy(offered, on=True)
        yield
        if not self._lifetime.over:
            self._show_noisy(offered, on=False)

    def _renew_residual(self, _: bool) -> None:
        if self._section.show.value == RESIDUAL:
            self._switch(RESIDUAL)

    @while_open
    def _renew_split(self, _: Event) -> None:
        """Update the split view when the data of the result change."""
        if self._layer is not None and self._offered is not None:
            self._layer.data.after = self._offered.layer.data
            self._layer.refresh(extent=False)

    @while_open
    def _follow_removal(self, event: Event) -> None:
        """End the view when its layer is removed."""
        # Equal, but not the same: napari gives plugins a proxy of a layer.
        if self._layer is not None and event.value == self._layer:
            self._layer = None
            self.end()
