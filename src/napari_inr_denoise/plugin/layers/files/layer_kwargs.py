"""Layer keywords from image records and samples: scale, units and axis labels."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from napari_inr_denoise.io.record import ImageRecord

LayerTuple = tuple[NDArray[Any], dict[str, Any], str]
MICROMETRE = "micrometer"
SECOND = "second"
PIXEL = "pixel"


def spatial_kwargs(
    axes: str, spacing_um: dict[str, float], time_step_s: float | None
) -> dict[str, Any]:
    """Return a layer's scale, units and axis labels.

    Parameters
    ----------
    axes : str
        A letter for each dimension of the layer, without S, and without C if channels
        become layers.
    spacing_um : dict
        Pixel size in micrometres by axis; other axes get a scale of 1 pixel.
    time_step_s : float or None
        Time between frames in seconds.
    """
    sizes: dict[str, tuple[float, str]] = {
        axis: (size, MICROMETRE) for axis, size in spacing_um.items()
    }
    if time_step_s is not None:
        sizes["T"] = (time_step_s, SECOND)
    pairs = [sizes.get(axis, (1.0, PIXEL)) for axis in axes]
    return {
        "scale": tuple(size for size, _ in pairs),
        "units": tuple(unit for _, unit in pairs),
        "axis_labels": tuple(axis.lower() for axis in axes),
    }


def record_kwargs(axes: str, record: ImageRecord) -> dict[str, Any]:
    """Return scale, units, axis labels and place of a record; pixel sizes are kept."""
    known = spatial_kwargs(axes, record.spacing_um, record.time_step_s)
    stated = [record.stated.get(axis) for axis in axes]
    scale = tuple(
        said.value if said is not None and said.unit == PIXEL else size
        for said, size in zip(stated, known["scale"], strict=True)
    )
    known |= {"scale": scale}
    if any(record.origin.get(axis) for axis in axes):
        # The origin is in the unit that the file states.
        known["translate"] = tuple(
            record.origin.get(axis, 0.0) * (size / said.value if said else 1.0)
            for axis, said, size in zip(axes, stated, scale, strict=True)
        )
    return known
