"""What is taken out of a layer to be denoised, and the layer that comes back."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from weakref import ReferenceType, ref

import numpy as np
from napari.components import Dims
from napari.layers import Image, Labels, Shapes
from napari.utils.transforms import Affine
from numpy.typing import NDArray
from pint import DimensionalityError

from napari_inr_denoise.image.conversion import as_dtype
from napari_inr_denoise.image.source import MaskedImage
from napari_inr_denoise.plugin.layers.axis_labels import axis_letters
from napari_inr_denoise.plugin.layers.displayed import (
    PREVIEW_SIDE,
    current_slice,
    displayed_plane,
    middle_of,
    visible,
)
from napari_inr_denoise.plugin.layers.lazy_crop import crop_of
from napari_inr_denoise.plugin.layers.region import Region, drawn_box, mask_of
from napari_inr_denoise.plugin.layers.scope import SLICE, VISIBLE, VOLUME


@dataclass(frozen=True)
class LayerSource:
    """A layer's data, or a part of it, with all that its result layer needs.

    Taken in full when the run starts, so that a layer that is removed or renamed
    meanwhile does no harm.

    Attributes
    ----------
    data : array, dask or zarr
        The layer's full-resolution data, not yet read.
    selection : tuple
        Index into `data`, without colours; slices of length 1 keep all dimensions.
    axes : str
        The data's axes: the displayed plane is Y, X.
    spacing : tuple of float
        Sizes along those of Z, Y, X that are in `axes`, in the layer's own unit.
    keywords : dict
        For the result layer.
    whole : bool
        Whether all planes are taken, which are then read part by part.
    mask : array, dask or zarr, or None
        Labels on the pixels of `data` or of its last dimensions, not yet read: above
        0 where it is denoised.
    layer : weak reference or None
        To the layer itself.
    """

    data: Any = field(repr=False)
    selection: tuple[slice, ...]
    axes: str
    spacing: tuple[float, ...]
    keywords: dict[str, Any] = field(repr=False)
    whole: bool
    mask: Any = field(default=None, repr=False)
    layer: ReferenceType[Image] | None = field(default=None, repr=False)

    def image(self) -> Any:  # noqa: ANN401 - whatever can be read part by part
        """Return what is to be denoised: a copy of a slice, or all, not yet read.

        Reading a slice may take long for a lazy layer, the first time.
        """
        return crop_of(self.data, self.selection) if self.whole else self._slice

    @cached_property
    def _slice(self) -> NDArray[Any]:
        return np.array(crop_of(self.data, self.selection)[...])

    @property
    def pixel_count(self) -> int:
        """How many pixels are taken, of all planes together."""
        return math.prod(self.sizes)

    @property
    def sizes(self) -> tuple[int, ...]:
        """How much is taken along each dimension, colours aside."""
        pairs = zip(self.selection, self.data.shape, strict=False)
        return tuple(len(range(size)[at]) for at, size in pairs)

    @property
    def kind(self) -> tuple[object, ...]:
        """What decides how long it takes: shape, axes and mask."""
        colours = self.data.shape[len(self.selection) :]
        return (self.sizes, colours, self.axes, id(self.mask))

    def is_of(self, layer: object) -> bool:
        """Whether it was taken of a layer."""
        own = None if self.layer is None else self.layer()
        # Equal, but not the same: napari gives plugins a proxy of a layer.
        return own is not None and own == layer

    @property
    def has_values(self) -> bool:
        """Whether there is still something to read."""
        return self.data is not None

    def emptied(self) -> LayerSource:
        """Return it without its values, which are not to outlive their layer."""
        return replace(self, data=None, mask=None)

    def masked(self) -> Any:  # noqa: ANN401 - as `image`
        """Return the same with its mask, if there is one."""
        if self.mask is None:
            return self.image()
        labels = crop_of(self.mask, self.selection[-self.mask.ndim :])
        if isinstance(labels, np.ndarray):  # a copy: the user may go on painting
            labels = labels > 0
        return MaskedImage(self.image(), labels)

    def middle(self, most: int) -> LayerSource:
        """Return the middle of the plane, of so many pixels a side at most.

        Of a mask the middle of what is labelled, which may take long to read.
        """
        selection = list(self.selection)
        for k, letter in enumerate(self.axes):
            if letter in "YX":
                selection[k] = middle_of(self._reached(k), most)
        return replace(self, selection=tuple(selection))

    def _reached(self, axis: int) -> slice:
        """Return where along an axis something is denoised."""
        part = range(self.data.shape[axis])[self.selection[axis]]
        if self.mask is not None:
            selection = self.selection[-self.mask.ndim :]
            own = axis - len(self.selection)
            labels = np.asarray(crop_of(self.mask, selection)[...]) > 0
            part = _extent(np.moveaxis(labels, own, 0).reshape(len(part), -1), part)
        return slice(part.start, part.stop)

    @property
    def rounded(self) -> bool:
        """Whether a result is shown in whole numbers, see `displayable`."""
        return "S" in self.axes and np.dtype(self.data.dtype).kind in "iu"

    def displayable(self, image: NDArray[np.float32]) -> NDArray[Any]:
        """Return a result as napari can show it.

        napari takes colours of type float for 0 to 1: a result on the scale of whole
        numbers is rounded back to their type. Other results stay as they are.
        """
        dtype = np.dtype(self.data.dtype)
        return as_dtype(image, dtype)[0] if self.rounded else image


def _extent(labels: NDArray[np.bool_], lines: range) -> range:
    """Return the lines from the first to the last with a label; all if none has."""
    inside = np.flatnonzero(labels.any(axis=1))
    return lines[inside[0] : inside[-1] + 1] if inside.size else lines


def take_source(
    layer: Image, dims: Dims, scope: str, region: Region | None = None
) -> LayerSource:
    """Describe what is denoised: the slice that is shown, every plane, or volumes.

    Parameters
    ----------
    layer : Image
        Any number of dimensions; RGB; multiscale (its full level is taken).
    dims : Dims
        The viewer's; its last two displayed dimensions are the plane.
    scope : str
        One of `SCOPES`, or `VISIBLE`: of the slice what the window shows, and of that
        the middle `PREVIEW_SIDE` pixels at most.
    region : Shapes or Labels, optional
        Of each plane only the box around drawn shapes, or only labelled pixels.

    Raises
    ------
    ValueError
        If the layer has fewer than two dimensions on display, or no volume where
        that is wanted, or the region does not fit it.
    """
    data = layer.data[0] if layer.multiscale else layer.data
    plane = displayed_plane(layer, dims)
    shape = tuple(data.shape)[: layer.ndim]
    selection = _selection(layer, dims, shape, scope, region)
    axes = axis_letters(layer.axis_labels, plane, layer.name)
    if scope == VOLUME:
        _check_volume(layer.name, axes, shape)
    spatial = [k for k, letter in enumerate(axes) if letter in "ZYX"]
    masked = isinstance(region, Labels)
    return LayerSource(
        data=data,
        selection=tuple(selection),
        axes=axes + ("S" if layer.rgb else ""),
        spacing=_sizes(layer, spatial),
        keywords=_result_keywords(layer, [at.start or 0 for at in selection]),
        whole=scope not in {SLICE, VISIBLE},
        mask=mask_of(region, layer, dims, shape) if masked else None,
        layer=ref(layer),
    )


def _selection(
    layer: Image,
    dims: Dims,
    shape: tuple[int, ...],
    scope: str,
    region: Region | None,
) -> list[slice]:
    """Return what is taken of each dimension."""
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
    """Raise a sentence if there are no planes along Z."""
    sizes = dict(zip(axes, shape, strict=True))
    if sizes.get("Z", 1) < 2:
        raise ValueError(
            f"layer {name!r}: got axes {axes} of {' x '.join(map(str, shape))} pixels, "
            "wanted at least two planes along Z for a volume. Choose another scope, or "
            'label the axis "z" in the layer\'s axis labels.'
        )


def _sizes(layer: Image, dimensions: list[int]) -> tuple[float, ...]:
    """Return sizes in the last dimension's unit.

    Where a unit cannot be compared with it (time, pixels), pixels count as square.
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
    """Return what the result layer takes over from its source.

    Not its blending: added to its own source, a result would be twice as bright.
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
        "interpolation2d": layer.interpolation2d,
        "metadata": dict(layer.metadata),
    }
    if not layer.rgb:
        keywords |= {
            "colormap": layer.colormap,
            "contrast_limits": list(layer.contrast_limits),
            "gamma": layer.gamma,
        }
    return keywords
