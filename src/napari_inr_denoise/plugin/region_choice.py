"""The choice of what of each plane is denoised, out of the layers that can say it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import napari
from magicgui.widgets import ComboBox
from napari.layers import Labels, Shapes
from psygnal import Signal

if TYPE_CHECKING:
    from napari_inr_denoise.plugin.region import Region

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
            if one is not None:
                getattr(one.events.data, change)(self._tell)
                if isinstance(one, Labels):
                    getattr(one.events.paint, change)(self._tell)
        self._watched = region

    def _tell(self, _: object) -> None:
        self.edited.emit()
