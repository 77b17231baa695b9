"""The choice of a region: a layer of shapes or labels that limits what is denoised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import napari
import numpy as np
from napari.layers import Image, Labels, Shapes
from numpy.typing import NDArray
from psygnal import Signal

from napari_inr_denoise.plugin.controls.layer_choice import ChoiceOfLayers
from napari_inr_denoise.plugin.elements.form import let_shrink
from napari_inr_denoise.plugin.layers.source.displayed import displayed_plane

if TYPE_CHECKING:
    from napari_inr_denoise.plugin.layers.source.region import Region

_WHOLE = "Whole"


class RegionChoice(ChoiceOfLayers):
    """A list of the Shapes and Labels layers, with the whole image first.

    Attributes
    ----------
    edited : Signal
        Emitted when the user draws or paints in the chosen layer.
    """

    edited = Signal()

    def __init__(self, viewer: napari.Viewer) -> None:
        self._viewer = viewer
        self._watched: Region | None = None
        # A function, because magicgui asks again in `reset_choices`.
        super().__init__(choices=lambda _: self._offered(), label="Region")
        let_shrink(self.native)
        self.changed.connect(self._watch)

    def draw(self, layer: Image) -> None:
        """Add an empty layer to draw a rectangle on an image in, and choose it."""
        self._viewer.dims.ndisplay = 2  # nothing can be drawn in 3D
        self._choose_box(layer).mode = "add_rectangle"

    def use_view(self, layer: Image) -> None:
        """Choose the part of an image that the canvas shows."""
        if layer.multiscale:
            factors = np.asarray(layer.downsample_factors[layer.data_level])
        else:
            factors = np.ones(layer.ndim)
        low, high = np.asarray(layer.corner_pixels) * factors
        rows, columns = displayed_plane(layer, self._viewer.dims)
        corners = np.tile(low, (4, 1)).astype(float)
        corners[1:3, columns] = high[columns]
        corners[2:4, rows] = high[rows]
        self._choose_box(layer, [corners[:, (rows, columns)]])

    def _choose_box(
        self, layer: Image, shapes: list[NDArray[np.float64]] | None = None
    ) -> Shapes:
        """Add a layer of shapes on the pixels of an image, and choose it."""
        axes = displayed_plane(layer, self._viewer.dims)
        box: Shapes = self._viewer.add_shapes(
            shapes,
            ndim=2,
            name="Region",
            edge_color="yellow",
            edge_width=1,
            face_color="transparent",
            affine=_plane_to_world(layer, axes),
            units=[layer.units[axis] for axis in axes],
        )
        self.reset_choices()
        self.value = box
        return box

    def _offered(self) -> list[tuple[str, Region | None]]:
        regions = [
            one for one in self._viewer.layers if isinstance(one, Shapes | Labels)
        ]
        return [(_WHOLE, None), *((one.name, one) for one in regions)]

    def _watch(self, region: Region | None) -> None:
        """Listen to edits of the chosen layer instead of the last one."""
        for one, change in ((self._watched, "disconnect"), (region, "connect")):
            for event in () if one is None else _edits(one):
                getattr(event, change)(self._tell)
        self._watched = region

    def _tell(self, *_: object) -> None:
        self.edited.emit()


def _plane_to_world(layer: Image, axes: tuple[int, int]) -> NDArray[np.float64]:
    """Return the affine matrix (3, 3) from the pixels of a plane to the world.

    It holds scale, translation, rotation, shear and affine of the layer.
    """
    origin, *steps = (np.zeros(layer.ndim) for _ in range(3))
    for step, axis in zip(steps, axes, strict=True):
        step[axis] = 1.0
    start, *ends = (
        np.asarray(layer.data_to_world(one))[list(axes)] for one in (origin, *steps)
    )
    matrix = np.eye(3)
    matrix[:2, :2] = np.transpose([end - start for end in ends])
    matrix[:2, 2] = start
    return matrix


def _edits(region: Region) -> list[Any]:
    """Return the events of a layer that change the region."""
    if isinstance(region, Labels):
        return [region.events.data, region.events.paint]
    # A plain set without events in older versions of napari.
    chosen = getattr(region.selected_data, "events", None)
    return [region.events.data, *([] if chosen is None else [chosen.items_changed])]
