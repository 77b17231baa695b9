"""The source of a run: the part of a layer to denoise, and its result layer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from weakref import ReferenceType, ref

import numpy as np
from napari.components import Dims
from napari.layers import Image, Labels, Layer, Shapes
from napari.utils.transforms import Affine
from numpy.typing import NDArray
from pint import DimensionalityError

from napari_inr_denoise.image.conversion import as_dtype
from napari_inr_denoise.image.source import MaskedImage
from napari_inr_denoise.plugin.layers.axis_labels import axis_letters
from napari_inr_denoise.plugin.layers.metadata_keys import (
    FILE_KEY,
    REPORT_KEY,
    SHOWS_KEY,
    file_of,
)
from napari_inr_denoise.plugin.layers.source.displayed import (
    PREVIEW_SIDE,
    current_slice,
    displayed_plane,
    middle_of,
    visible,
)
from napari_inr_denoise.plugin.layers.source.lazy_crop import crop_of
from napari_inr_denoise.plugin.layers.source.region import Region, drawn_box, mask_of
from napari_inr_denoise.plugin.layers.source.scope import SLICE, VISIBLE, VOLUME

_LOOK = (
    "colormap",
    "gamma",
    "interpolation2d",
    "interpolation3d",
    "projection_mode",
    "rendering",
    "attenuation",
    "iso_threshold",
)
"""What the result layer copies of the look of its source, beside its contrast."""


@dataclass(frozen=True)
class LayerSource:
    """The part of a layer to denoise, with the keywords of its result layer.

    Created when a run is queued, so that the layer may be removed or renamed later.

    Attributes
    ----------
    data : array, dask or zarr
        Full-resolution data of the layer, not yet read.
    selection : tuple of slice
        Index into `data` without samples; slices of length 1 keep all dimensions.
    axes : str
        Axes of the data; the displayed plane is Y, X.
    spacing : tuple of float
        Pixel sizes along those of Z, Y, X that are in `axes`, in the layer's units.
    keywords : dict
        Keywords of the result layer.
    contrast_range : tuple of float
        The range of its slider for the contrast limits.
    whole : bool
        Whether all planes are denoised; they are then read in parts.
    mask : array, dask or zarr, or None
        Labels on the pixels of `data` or of its last dimensions, not yet read. Pixels
        above 0 are denoised.
    layer : weak reference or None
        The layer itself.
    is_preview : bool
        Whether it is the visible part of a plane, for a look.
    same_dtype : bool
        Whether the result layer has the integers of the source.
    """

    data: Any = field(repr=False)
    selection: tuple[slice, ...]
    axes: str
    spacing: tuple[float, ...]
    keywords: dict[str, Any] = field(repr=False)
    contrast_range: tuple[float, float]
    whole: bool
    mask: Any = field(default=None, repr=False)
    layer: ReferenceType[Image] | None = field(default=None, repr=False)
    is_preview: bool = False
    same_dtype: bool = False

    def image(self) -> Any:  # noqa: ANN401 - whatever can be read part by part
        """Return the image to denoise: a copy of one slice, or all planes, lazily.

        The first call for a slice of a lazy layer may take long.
        """
        return crop_of(self.data, self.selection) if self.whole else self._slice

    @cached_property
    def _slice(self) -> NDArray[Any]:
        return np.array(crop_of(self.data, self.selection)[...])

    @property
    def pixel_count(self) -> int:
        """Number of pixels to denoise, in all planes."""
        return math.prod(self.sizes)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Size of the selection along each dimension, without samples."""
        pairs = zip(self.selection, self.data.shape, strict=False)
        return tuple(len(range(size)[at]) for at, size in pairs)

    @property
    def kind(self) -> tuple[object, ...]:
        """What the run time depends on: shape, axes and mask."""
        colours = self.data.shape[len(self.selection) :]
        return (self.sizes, colours, self.axes, id(self.mask))

    def is_of(self, layer: object) -> bool:
        """Return whether this is the source of a layer."""
        own = None if self.layer is None else self.layer()
        # Equal, but not the same: napari gives plugins a proxy of a layer.
        return own is not None and own == layer

    @property
    def path(self) -> str | None:
        """The file of the layer; None if it was read from none, or is gone."""
        own = None if self.layer is None else self.layer()
        return None if own is None else file_of(own)

    def is_same_part(self, other: LayerSource) -> bool:
        """Return whether another source is the same part of the same data of a layer.

        The mask belongs to the part. Labels that the user has painted since are others.
        """
        return (
            self.layer == other.layer
            and self.data is other.data
            and self.selection == other.selection
            and self._has_labels_of(other)
        )

    def _has_labels_of(self, other: LayerSource) -> bool:
        if self.mask is None or other.mask is None:
            return self.mask is other.mask
        own, others = self._labels, other._labels
        if isinstance(own, np.ndarray) and isinstance(others, np.ndarray):
            return np.array_equal(own, others)
        return self.mask is other.mask  # not read to be compared

    @cached_property
    def _labels(self) -> Any:  # noqa: ANN401 - as `image`
        """The mask on the selection. A copy if it can be painted in."""
        labels = crop_of(self.mask, self.selection[-self.mask.ndim :])
        return labels > 0 if isinstance(labels, np.ndarray) else labels

    @property
    def has_region(self) -> bool:
        """Whether only a box or labelled pixels of each plane are denoised."""
        sizes = zip(self.axes, self.sizes, self.data.shape, strict=False)
        boxed = any(letter in "YX" and own < all_ for letter, own, all_ in sizes)
        return boxed or self.mask is not None

    def layer_in(self, layers: Sequence[Layer]) -> Image | None:
        """Return the source layer if it is still among layers."""
        own = None if self.layer is None else self.layer()
        return own if own in layers else None

    @property
    def has_values(self) -> bool:
        """Whether the data are still held."""
        return self.data is not None

    def emptied(self) -> LayerSource:
        """Return a copy without data: they are freed with the layer."""
        return replace(self, data=None, mask=None)

    def masked(self) -> Any:  # noqa: ANN401 - as `image`
        """Return the image to denoise, with its mask if there is one."""
        if self.mask is None:
            return self.image()
        return MaskedImage(self.image(), self._labels)

    def middle(self, most: int) -> LayerSource:
        """Return the middle of the plane, with at most `most` pixels a side.

        With a mask it is the middle of the labelled pixels; reading it may take long.
        """
        selection = list(self.selection)
        for k, letter in enumerate(self.axes):
            if letter in "YX":
                selection[k] = middle_of(self._reached(k), most)
        return replace(self, selection=tuple(selection))

    def _reached(self, axis: int) -> slice:
        """Return the range along an axis that holds pixels to denoise."""
        part = range(self.data.shape[axis])[self.selection[axis]]
        if self.mask is not None:
            selection = self.selection[-self.mask.ndim :]
            own = axis - len(self.selection)
            labels = np.asarray(crop_of(self.mask, selection)[...]) > 0
            part = _extent(np.moveaxis(labels, own, 0).reshape(len(part), -1), part)
        return slice(part.start, part.stop)

    @property
    def rounded(self) -> bool:
        """Whether a result is shown in integers, see `displayable`."""
        wanted = self.same_dtype or "S" in self.axes
        return wanted and np.dtype(self.data.dtype).kind in "iu"

    def displayable(self, image: NDArray[np.float32]) -> NDArray[Any]:
        """Return a result in a form that napari can show.

        napari assumes a range of 0 to 1 for RGB images of type float. RGB results of
        integer images are therefore rounded back to their type, others if that is
        chosen.
        """
        dtype = np.dtype(self.data.dtype)
        return as_dtype(image, dtype)[0] if self.rounded else image


def _extent(labels: NDArray[np.bool_], lines: range) -> range:
    """Return the range from the first to the last labelled line; all if none is."""
    inside = np.flatnonzero(labels.any(axis=1))
    return lines[inside[0] : inside[-1] + 1] if inside.size else lines


def take_source(
    layer: Image, dims: Dims, scope: str, region: Region | None = None
) -> LayerSource:
    """Return the part of a layer to denoise: the slice, every plane, or the volume.

    Parameters
    ----------
    layer : Image
        May be RGB; of a multiscale layer the full resolution is used.
    dims : Dims
        Dimensions of the viewer; the last two displayed ones are the plane.
    scope : str
        One of `SCOPES`, or `VISIBLE`: the visible part of the slice, limited to its
        middle `PREVIEW_SIDE` pixels.
    region : Shapes or Labels, optional
        Limits each plane to the box around shapes, or to labelled pixels.

    Raises
    ------
    ValueError
        If fewer than two dimensions of the layer are displayed, if the scope is a
        volume and the layer is none, or if the region does not fit the layer.
    """
    data = layer.data[0] if layer.multiscale else layer.data
    shape = tuple(data.shape)[: layer.ndim]
    selection = _selection(layer, dims, shape, scope, region)
    source = source_at(layer, dims, tuple(selection))
    if scope == VOLUME:
        _check_volume(layer.name, source.axes, shape)
    masked = isinstance(region, Labels)
    return replace(
        source,
        whole=scope not in {SLICE, VISIBLE},
        mask=mask_of(region, layer, dims, shape) if masked else None,
        is_preview=scope == VISIBLE,
    )


def source_at(layer: Image, dims: Dims, selection: tuple[slice, ...]) -> LayerSource:
    """Return a part of a layer by its indices: a slice, or all planes.

    Parameters
    ----------
    layer, dims
        As for `take_source`.
    selection : tuple of slice
        A slice for each dimension of the layer.

    Raises
    ------
    ValueError
        If fewer than two dimensions of the layer are displayed, or it has more than
        five.
    """
    plane = displayed_plane(layer, dims)
    axes = axis_letters(layer.axis_labels, plane, layer.name)
    spatial = [k for k, letter in enumerate(axes) if letter in "ZYX"]
    outer = [at for k, at in enumerate(selection) if k not in plane]
    return LayerSource(
        data=layer.data[0] if layer.multiscale else layer.data,
        selection=selection,
        axes=axes + ("S" if layer.rgb else ""),
        spacing=_sizes(layer, spatial),
        keywords=_result_keywords(layer, [at.start or 0 for at in selection]),
        contrast_range=tuple(layer.contrast_limits_range),
        whole=all(at == slice(None) for at in outer),
        layer=ref(layer),
    )


def _selection(
    layer: Image,
    dims: Dims,
    shape: tuple[int, ...],
    scope: str,
    region: Region | None,
) -> list[slice]:
    """Return a slice for each dimension."""
    one_plane = scope in {SLICE, VISIBLE}
    selection = (
        current_slice(layer, dims, shape) if one_plane else [slice(None)] * layer.ndim
    )
    box = drawn_box(region, layer, dims, shape) if isinstance(region, Shapes) else None
    for number, axis in enumerate(displayed_plane(layer, dims)):
        if box is not None:
            most = PREVIEW_SIDE if scope == VISIBLE else shape[axis]
            selection[axis] = middle_of(box[number], most)
        elif scope == VISIBLE:
            selection[axis] = visible(layer, axis, shape[axis])
        else:
            selection[axis] = slice(None)
    return selection


def volume_problem(layer: Image, dims: Dims) -> str:
    """Return why a layer cannot be denoised as a volume; empty if it can."""
    try:
        take_source(layer, dims, VOLUME)
    except ValueError as error:
        return str(error)
    return ""


def _check_volume(name: str, axes: str, shape: tuple[int, ...]) -> None:
    """Raise ValueError if there are fewer than two planes along Z."""
    axes = axes.removesuffix("S")
    sizes = dict(zip(axes, shape, strict=True))
    if sizes.get("Z", 1) < 2:
        raise ValueError(
            f"layer {name!r}: got axes {axes} of {' x '.join(map(str, shape))} pixels, "
            "wanted at least two planes along Z for a volume. Correct the axes, or "
            "choose another scope."
        )


def _sizes(layer: Image, dimensions: list[int]) -> tuple[float, ...]:
    """Return pixel sizes in the unit of the last dimension.

    A unit that cannot be converted (time, pixels) gives the size of the last dimension.
    """
    last = dimensions[-1]

    def size(dimension: int) -> float:
        try:
            own = layer.scale[dimension] * layer.units[dimension]
            return abs(float(own.to(layer.units[last]).magnitude))
        except DimensionalityError:
            return abs(float(layer.scale[last]))

    return tuple(size(dimension) for dimension in dimensions)


def _result_keywords(layer: Image, start: list[int]) -> dict[str, Any]:
    """Return the keywords that the result layer copies from its source.

    Opacity is not copied: the source would show through. Blending is copied from
    channels of a composite alone, which are hidden then: an additive result over its
    source would be twice as bright.
    """
    linear = Affine(
        scale=layer.scale, rotate=layer.rotate, shear=layer.shear, ndim=layer.ndim
    ).linear_matrix
    keywords = {
        "name": f"{layer.name} [denoised]",
        "scale": layer.scale,
        "translate": layer.translate + linear @ np.array(start, dtype=float),
        "rotate": layer.rotate,
        "shear": layer.shear,
        "affine": layer.affine,
        "units": layer.units,
        "axis_labels": layer.axis_labels,
        "rgb": layer.rgb,
        **{name: getattr(layer, name) for name in _LOOK},
        "contrast_limits": list(layer.contrast_limits),
        "metadata": {
            key: value
            for key, value in layer.metadata.items()
            if key not in {REPORT_KEY, SHOWS_KEY, FILE_KEY}  # its own
        },
    }
    if layer.blending == "additive":
        keywords["blending"] = "additive"
    return keywords
