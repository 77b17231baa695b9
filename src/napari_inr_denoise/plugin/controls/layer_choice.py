"""The choice of the image to denoise."""

from __future__ import annotations

import napari
from magicgui.widgets import ComboBox
from napari.layers import Image

from napari_inr_denoise.plugin.elements.form import let_shrink
from napari_inr_denoise.plugin.layers.metadata_keys import is_result


class LayerChoice(ComboBox):
    """A list of the noisy images of a viewer: results are not offered again.

    Parameters
    ----------
    viewer : napari.Viewer
        With the layers. Call `reset_choices` when they change.
    """

    def __init__(self, viewer: napari.Viewer) -> None:
        self._viewer = viewer
        # A function, because magicgui asks again in `reset_choices`.
        super().__init__(choices=lambda _: self._offered(), label="Image")
        let_shrink(self.native)

    def _offered(self) -> list[tuple[str, Image]]:
        return [(one.name, one) for one in noisy_images(self._viewer)]

    @property
    def chosen(self) -> Image | None:
        """The chosen layer; None once it was removed."""
        layer: Image | None = self.value
        return layer if layer in self._viewer.layers else None


def noisy_images(viewer: napari.Viewer) -> list[Image]:
    """Return the image layers that are neither results nor made of results."""
    images = [one for one in viewer.layers if isinstance(one, Image)]
    return [one for one in images if not is_result(one)]


def composite_of(layer: Image, viewer: napari.Viewer) -> tuple[Image, ...]:
    """Return the channels of the composite that a layer is part of; empty if of none.

    Layers of equal shape and size that add up on the screen are taken for channels.
    """
    if layer.blending != "additive" or layer.rgb:
        return ()
    alike = [
        one
        for one in noisy_images(viewer)
        if one.blending == "additive"
        and not one.rgb
        and tuple(_shape(one)) == tuple(_shape(layer))
        and tuple(one.scale) == tuple(layer.scale)
        and tuple(one.translate) == tuple(layer.translate)
    ]
    return tuple(alike) if len(alike) > 1 else ()


def _shape(layer: Image) -> tuple[int, ...]:
    data = layer.data[0] if layer.multiscale else layer.data
    return tuple(data.shape)
