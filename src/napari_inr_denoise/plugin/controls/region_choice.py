"""The choice of what of each plane is denoised, out of the layers that can say it."""

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
    "Of each plane only the box around the shapes of a Shapes layer (the selected "
    "ones, or all), or only the pixels with a label of a Labels layer"
)


class RegionChoice(ComboBox):
    """A list of Shapes and Labels layers, the whole image first.

    `edited` is emitted when the user draws or paints in the chosen one.
    """

    edited = Signal()

    def __init__(self) -> None:
        self._viewer: napari.Viewer | None = None
        self._watched: Region | None = None
        # Given as a function: magicgui asks again whenever the layers change.
        super().__init__(
            choices=lambda _: self._offered(), label="region", tooltip=_TOOLTIP
        )
        self.native.setMinimumContentsLength(18)
        self.changed.connect(self._watch)

    def look(self, viewer: napari.Viewer) -> None:
        """Offer the layers of a viewer."""
        self._viewer = viewer
        self.reset_choices()

    def _offered(self) -> list[tuple[str, Region | None]]:
        layers = [] if self._viewer is None else self._viewer.layers
        regions = [one for one in layers if isinstance(one, Shapes | Labels)]
        return [(_WHOLE, None), *((one.name, one) for one in regions)]

    def _watch(self, region: Region | None) -> None:
        """Follow what the user does to the chosen layer."""
        for one, change in ((self._watched, "disconnect"), (region, "connect")):
            for event in () if one is None else _edits(one):
                getattr(event, change)(self._tell)
        self._watched = region

    def _tell(self, *_: object) -> None:
        self.edited.emit()


def _edits(region: Region) -> list[Any]:
    """Return the events of a layer after which it is another region."""
    if isinstance(region, Labels):
        return [region.events.data, region.events.paint]
    # A plain set in older versions of napari, which tells nothing.
    chosen = getattr(region.selected_data, "events", None)
    return [region.events.data, *([] if chosen is None else [chosen.items_changed])]
