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

_OUTER_LETTERS = "ZTC"


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
    """

    data: Any = field(repr=False)
    selection: tuple[slice, ...]
    axes: str
    spacing: tuple[float, ...]
    keywords: dict[str, Any] = field(repr=False)

    def read(self) -> NDArray[Any]:
        """Load the values; may take long for a lazy layer."""
        return np.asarray(self.data[self.selection])

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


def take_source(layer: Image, dims: Dims, whole_stack: bool) -> LayerSource:
    """Describe what is denoised: the slice that is shown, or every plane.

    Parameters
    ----------
    layer : Image
        Any number of dimensions; RGB; multiscale (its full level is taken).
    dims : Dims
        The viewer's; its last two displayed dimensions are the plane.
    whole_stack : bool
        Every plane instead of the current slice.

    Raises
    ------
    ValueError
        If the layer has fewer than two dimensions on display.
    """
    data = layer.data[0] if layer.multiscale else layer.data
    plane = _displayed_plane(layer, dims)
    shape = tuple(data.shape)[: layer.ndim]
    if whole_stack:
        start = [0] * layer.ndim
        selection = [slice(None)] * layer.ndim
    else:
        start = _current_index(layer, dims, shape, plane)
        selection = [
            slice(None) if axis in plane else slice(at, at + 1)
            for axis, at in enumerate(start)
        ]
    axes = _name_axes(layer, plane)
    spatial = [k for k, letter in enumerate(axes) if letter in "ZYX"]
    return LayerSource(
        data=data,
        selection=tuple(selection),
        axes=axes + ("S" if layer.rgb else ""),
        spacing=_sizes(layer, spatial),
        keywords=_result_keywords(layer, start),
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


def _name_axes(layer: Image, plane: tuple[int, int]) -> str:
    """Return a letter per dimension: Y, X for the plane, labels or Z, T, C else."""
    letters = dict(zip(plane, "YX", strict=True))
    labels = [label.upper() for label in layer.axis_labels]
    outer = [axis for axis in range(layer.ndim) if axis not in plane]
    for axis in outer:
        if labels[axis] in _OUTER_LETTERS and labels[axis] not in letters.values():
            letters[axis] = labels[axis]
    for axis in reversed(outer):
        if axis not in letters:
            free = [k for k in _OUTER_LETTERS if k not in letters.values()]
            if not free:
                raise ValueError(
                    f"layer {layer.name!r}: got {layer.ndim} dimensions, wanted at "
                    "most 5. Split the layer first."
                )
            letters[axis] = free[0]
    return "".join(letters[axis] for axis in range(layer.ndim))


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
