"""Before and after in one layer, with a divide that can be moved."""

from __future__ import annotations

from typing import Any

import napari
import numpy as np
from napari.layers import Image
from napari.utils.events import Event
from qtpy.QtCore import QTimer

from napari_inr_denoise.plugin.layers.metadata_keys import SHOWS_KEY
from napari_inr_denoise.plugin.results.finished import Finished
from napari_inr_denoise.plugin.results.split_array import SplitArray
from napari_inr_denoise.plugin.runs.lifetime import Lifetime, while_open
from napari_inr_denoise.plugin.widgets.denoise_form import DenoiseForm

_DRAWN_MS = 100
"""Time until the canvas was drawn again, in milliseconds. napari 0.9 can crash if two
layers are removed or hidden between two drawings, and the removal of another layer may
end a comparison."""


class SplitView:
    """Shows the noisy source left of a divide and the result right of it.

    Both sides are one layer, with the same contrast, colours and position. (napari's
    clipping planes have no effect on images in two dimensions.) A comparison ends by
    the button, by another result, by the removal of the layer, or when the dock is
    closed; the layer is then removed and the selection restored.

    Parameters
    ----------
    form : DenoiseForm
        With the Compare button and the slider of the divide.
    viewer : napari.Viewer
        The layer is added to it.
    lifetime : Lifetime
        Of the widget.
    """

    def __init__(
        self, form: DenoiseForm, viewer: napari.Viewer, lifetime: Lifetime
    ) -> None:
        self._form, self._viewer, self._lifetime = form, viewer, lifetime
        self._offered: Finished | None = None
        self._array: SplitArray
        self._layer: Image | None = None
        self._leaving: Image | None = None
        self._selected: set[Any] = set()
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(_DRAWN_MS)
        self._timer.timeout.connect(self._take_away)
        form.compare_button.changed.connect(self._switch)
        form.divide.changed.connect(self._cut)
        viewer.layers.events.removed.connect(self._follow_removal)
        viewer.dims.events.order.connect(self._cut)
        viewer.dims.events.ndisplay.connect(self._cut)
        lifetime.undocking.connect(self.end)

    @property
    def layer(self) -> Image | None:
        """The layer of the comparison; None if there is none."""
        return self._layer

    def offer(self, finished: Finished | None) -> None:
        """Choose the result to compare with its source; end the current comparison."""
        self.end()
        self._offered = finished

    @while_open
    def end(self) -> None:
        """End the comparison and restore the viewer shortly after."""
        layer, self._layer = self._layer, None
        if layer is None:
            return
        self._form.show_comparison(on=False)
        if self._offered is not None:
            self._offered.layer.events.data.disconnect(self._renew)
        self._leaving = layer
        self._timer.start()

    @while_open
    def _take_away(self) -> None:
        layer, self._leaving = self._leaving, None
        if layer is None:
            return
        layers = self._viewer.layers
        untouched = all(one == layer for one in layers.selection)
        if layer in layers:
            layers.remove(layer)
        if untouched:
            layers.selection = {one for one in self._selected if one in layers}
        self._selected = set()

    def _switch(self) -> None:
        """Start or end the comparison, as the button says."""
        self.end()
        self._take_away()
        if self._offered is None or not self._form.compare_button.value:
            return
        try:
            self._begin(self._offered)
        except (ValueError, OSError) as error:
            self._form.show_comparison(on=False)
            self._form.say(f"There is no comparison: {error}")

    def _begin(self, finished: Finished) -> None:
        result = finished.layer
        self._array = SplitArray(finished.source.image(), result.data)
        self._selected = set(self._viewer.layers.selection)
        _, keywords, _ = result.as_layer_data_tuple()
        own = {
            "name": f"{result.name} [split]",
            "metadata": {SHOWS_KEY: "split"},
            "blending": "opaque",
            "opacity": 1.0,
            "visible": True,
        }
        self._aim(result)
        self._layer = self._viewer.add_image(self._array, **{**keywords, **own})
        result.events.data.connect(self._renew)
        self._form.show_comparison(on=True)

    @while_open
    def _cut(self, _: object) -> None:
        """Move the divide to the slider's value, vertical on the screen."""
        if self._layer is not None:
            self._aim(self._layer)
            self._layer.refresh(extent=False)

    def _aim(self, layer: Image) -> None:
        """Find the dimension that runs across the screen, and its direction."""
        dims = self._viewer.dims
        offset = dims.ndim - layer.ndim
        shown = [axis - offset for axis in dims.displayed[-2:] if axis >= offset]
        across = dims.displayed[-1] - offset
        origin = np.asarray(layer.data_to_world(np.zeros(layer.ndim)))
        steps = [
            (np.asarray(layer.data_to_world(unit)) - origin)[across]
            for unit in np.eye(layer.ndim)[shown]
        ]
        longest = int(np.argmax(np.abs(steps)))
        self._array.axis = shown[longest]
        self._array.mirrored = bool((steps[longest] < 0) ^ self._right_to_left())
        self._array.divide = self._form.divide.value / self._form.divide.max

    def _right_to_left(self) -> bool:
        # The camera has an orientation since napari 0.6, and is in `scene` since 0.9.
        camera = getattr(self._viewer, "scene", self._viewer).camera
        return getattr(camera, "orientation2d", ("", ""))[1] == "left"

    @while_open
    def _renew(self, _: Event) -> None:
        """Update the comparison when the data of the result change."""
        if self._layer is not None and self._offered is not None:
            self._array.after = self._offered.layer.data
            self._layer.refresh(extent=False)

    @while_open
    def _follow_removal(self, event: Event) -> None:
        """End the comparison when its layer is removed."""
        # Equal, but not the same: napari gives plugins a proxy of a layer.
        if self._layer is not None and event.value == self._layer:
            self.end()
