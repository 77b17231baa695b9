"""Choices of a layer by its name; the choice of the image to denoise."""

from __future__ import annotations

import napari
from magicgui.widgets import ComboBox
from napari.layers import Image

from napari_inr_denoise.plugin.elements.form import let_shrink
from napari_inr_denoise.plugin.layers.channels import noisy_images


class ChoiceOfLayers(ComboBox):
    """A list of layers by name. Call `reset_choices` when layers or names change."""

    def reset_choices(self, *_: object) -> None:
        """Ask for layers and names again; the chosen layer stays chosen if offered.

        magicgui tells choices apart by name: a renamed layer is a new one to it.
        """
        chosen = self.value
        with self.changed.blocked():
            super().reset_choices()
            if chosen in self.choices:
                self.value = chosen
        if self.value is not chosen:
            self.changed.emit(self.value)


class LayerChoice(ChoiceOfLayers):
    """A list of the noisy images of a viewer: results are not offered again.

    Parameters
    ----------
    viewer : napari.Viewer
        With the layers.
    """

    def __init__(self, viewer: napari.Viewer) -> None:
        self._viewer = viewer
        # A function, because magicgui asks again in `reset_choices`.
        super().__init__(choices=lambda _: self._offered(), label="Image")
        let_shrink(self.native)
        self.native.setPlaceholderText("No noisy image")

    def _offered(self) -> list[tuple[str, Image]]:
        return [(one.name, one) for one in noisy_images(self._viewer)]

    @property
    def chosen(self) -> Image | None:
        """The chosen layer; None once it was removed."""
        layer: Image | None = self.value
        return layer if layer in self._viewer.layers else None
