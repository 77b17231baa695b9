"""What is taken out of a layer to be denoised, and the layer that comes back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from napari.components import Dims
from napari.layers import Image
from napari.utils.transforms import Affine
from numpy.typing import NDArray
from pint import DimensionalityError

from napari_inr_denoise.core.arrays import as_dtype
from napari_inr_denoise.plugin.axis_letters import axis_letters
from napari_inr_denoise.plugin.scope import SLICE, VISIBLE, VOLUME

PREVIEW_SIDE = 256
"""Pixels along a side that are denoised for a preview: a matter of seconds."""
_LEAST_SIDE = 16


@dataclass(frozen=True)
class LayerSource:
    """A layer's data, or one slice of it, with all that its result layer needs.

    Taken in full when the run starts, so that a layer that is removed or renamed
    meanwhile does no harm.

    Attributes
    ----------
    data : array, dask or zarr
        The layer's full-resolution data, not yet read.
    selection : tuple
        Index into `data`; slices of length 1 keep all the dimensions.
    axes : str
        The data's axes: the displayed plane is Y, X.
    spacing : tuple of float
        Sizes along those of Z, Y, X that are in `axes`, in the layer's own unit.
    keywords : dict
        For the result layer.
    whole : bool
        Whether it is the whole layer.
    """

    data: Any = field(repr=False)
    selection: tuple[slice, ...]
    axes: str
    spacing: tuple[float, ...]
    keywords: dict[str, Any] = field(repr=False)
    whole: bool

    def image(self) -> Any:  # noqa: ANN401 - whatever can be read part by part
        """Return what is to be denoised: a copy of a slice, or all, not yet read.

        Reading a slice may take long for a lazy layer.
        """
        return self.data if self.whole else np.array(self.data[self.selection])

    def middle(self, most: int) -> NDArray[Any]:
        """Load the middle of the plane, of so many pixels a side at most."""
        selection = list(self.selection)
        for k, letter in enumerate(self.axes):
            if letter in "YX":
                first = max(self.data.shape[k] - most, 0) // 2
                selection[k] = slice(first, first + most)
        return np.asarray(self.data[tuple(selection)])

    def displayable(self, image: NDArray[np.float32]) -> NDArray[Any]:
        """Return a result as napari can show it.

        napari takes colours of type float for 0 to 1: a result on the scale of whole
        numbers is rounded back to their type. Other results stay as they are.
        """
        dtype = np.dtype(self.data.dtype)
        return (
            as_dtype(image, dtype)[0]
            if "S" in self.axes and dtype.kind in "iu"
            else image
        )


def take_source(layer: Image, dims: Dims, scope: str) -> LayerSource:
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

    Raises
    ------
    ValueError
        If the layer has fewer than two dimensions on display, or no volume where
        that is wanted.
    """
    data = layer.data[0] if layer.multiscale else layer.data
    plane = _displayed_plane(layer, dims)
    shape = tuple(data.shape)[: layer.ndim]
    start = [0] * layer.ndim
    selection = [slice(None)] * layer.ndim
    if scope in {SLICE, VISIBLE}:
        start = _current_index(layer, dims, shape, plane)
        selection = [
            slice(None) if axis in plane else slice(at, at + 1)
            for axis, at in enumerate(start)
        ]
    if scope == VISIBLE:
        for axis in plane:
            selection[axis] = _visible(layer, axis, shape[axis])
            start[axis] = selection[axis].start
    axes = axis_letters(layer.axis_labels, plane, layer.name)
    if scope == VOLUME:
        _check_volume(layer.name, axes, shape)
    spatial = [k for k, letter in enumerate(axes) if letter in "ZYX"]
    return LayerSource(
        data=data,
        selection=tuple(selection),
        axes=axes + ("S" if layer.rgb else ""),
        spacing=_sizes(layer, spatial),
        keywords=_result_keywords(layer, start),
        whole=scope not in {SLICE, VISIBLE},
    )


def volume_hindrance(layer: Image, dims: Dims) -> str:
    """Return why a layer cannot be denoised as a volume; empty if it can."""
    try:
        take_source(layer, dims, VOLUME)
    except ValueError as error:
        return str(error)
    return ""


def _visible(layer: Image, axis: int, size: int) -> slice:
    """Return the middle of what the window shows of an axis."""
    # Of the level that is shown; `data` is the full one.
    factor = layer.downsample_factors[layer.data_level][axis] if layer.multiscale else 1
    first, last = (int(corner * factor) for corner in layer.corner_pixels[:, axis])
    first, last = max(first, 0), min(last + 1, size)
    if last - first < _LEAST_SIDE:  # nothing of the layer is in the window
        first, last = 0, size
    middle = (first + last) // 2
    begin = max(first, middle - PREVIEW_SIDE // 2)
    return slice(begin, min(begin + PREVIEW_SIDE, last))


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


def _displayed_plane(layer: Image, dims: Dims) -> tuple[int, int]:
    """Return the layer's dimensions that are the plane on display, top to bottom."""
    # The layer's dimensions are the viewer's last ones.
    offset = dims.ndim - layer.ndim
    plane = [axis - offset for axis in dims.displayed[-2:] if axis >= offset]
    if len(plane) < 2:
        raise ValueError(
            f"layer {layer.name!r}: got fewer than two of its dimensions on display, "
            "wanted a plane. Change the order of the viewer's dimensions."
        )
    # The data's own order: only which axes are shown matters, not how.
    first, second = sorted(plane)
    return first, second


def _current_index(
    layer: Image, dims: Dims, shape: tuple[int, ...], plane: tuple[int, int]
) -> list[int]:
    """Return the position of the slice on display, 0 along the plane itself."""
    point = _in_layer_units(layer, dims)
    at = layer.world_to_data(point[-layer.ndim :])
    return [
        0 if axis in plane else int(np.clip(np.rint(value), 0, size - 1))
        for axis, (value, size) in enumerate(zip(at, shape, strict=True))
    ]


def _in_layer_units(layer: Image, dims: Dims) -> NDArray[np.float64]:
    """Return the viewer's current point in the layer's units.

    `dims.point` is in the viewer's units, `world_to_data` in the layer's own.
    """
    point = np.array(dims.point, dtype=float)
    viewer_units = getattr(dims, "units", None)
    if viewer_units is None:
        return point
    for axis, unit in enumerate(layer.units, start=dims.ndim - layer.ndim):
        point[axis] *= (1 * viewer_units[axis]).to(unit).magnitude
    return point


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
