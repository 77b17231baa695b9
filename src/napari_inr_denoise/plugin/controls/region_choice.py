"""The choice of a region: a layer of shapes or labels that limits what is denoised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import napari
from magicgui.widgets import ComboBox
from napari.layers import Labels, Shapes
from psygnal import Signal

if TYPE_CHECKING:
    from napari_inr_denoise.plugin.layers.region import Region

_WHOLE = "whole image"
_TOOLTIP = (
    "The part of each plane to denoise: the box around the shapes of a Shapes layer "
    "(the selected shapes, or all), or the labelled pixels of a Labels layer"
)


class RegionChoice(ComboBox):
    """A list of the Shapes and Labels layers, with the whole image first.

    Attributes
    ----------
    edited : Signal
        Emitted when the user draws or paints in the chosen layer.
    """

    edited = Signal()

    def __init__(self) -> None:
        self._viewer: napari.Viewer | None = None
        self._watched: Region | None = None
        # A function, because magicgui asks again whenever the layers change.
        super().__init__(
            choices=lambda _: self._offered(), label="region", tooltip=_TOOLTIP
        )
        self.native.setMinimumContentsLength(18)
        self.changed.connect(self._watch)

    def set_viewer(self, viewer: napari.Viewer) -> None:
        """Offer the layers of a viewer."""
        self._viewer = viewer
        self.reset_choices()

    def _offered(self) -> list[tuple[str, Region | None]]:
        layers = [] if self._viewer is None else self._viewer.layers
        regions = [one for one in layers if isinstance(one, Shapes | Labels)]
        return [(_WHOLE, None), *((one.name, one) for one in regions)]

    def _watch(self, region: Region | None) -> None:
        """Listen to edits of the chosen layer instead of the last one."""
        for one, change in ((self._watched, "disconnect"), (region, "connect")):
            for event in () if one is None else _edits(one):
                getattr(event, change)(self._tell)
        self._watched = region

    def _tell(self, *_: object) -> None:
        self.edited.emit()


def _edits(region: Region) -> list[Any]:
    """Return the events of a layer that change the region."""
    if isinstance(region, Labels):
        return [region.events.data, region.events.paint]
    # A plain set without events in older versions of napari.
    chosen = getattr(region.selected_data, "events", None)
    return [region.events.data, *([] if chosen is None else [chosen.items_changed])]
