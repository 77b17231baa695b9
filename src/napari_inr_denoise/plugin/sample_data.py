"""File > Open Sample: synthetic images, generated from a fixed seed."""

from __future__ import annotations

from napari_inr_denoise.plugin.layers.files.layer_kwargs import (
    LayerTuple,
    spatial_kwargs,
)
from napari_inr_denoise.samples import (
    Sample,
    field_of_cells,
    small_stack,
    time_lapse,
)


def cells() -> list[LayerTuple]:
    """Return a noisy image of cells as a layer."""
    return [sample_layer(field_of_cells(), "noisy cells")]


def stack() -> list[LayerTuple]:
    """Return a noisy stack of vesicles as a layer."""
    return [sample_layer(small_stack(), "noisy stack")]


def moving_vesicles() -> list[LayerTuple]:
    """Return a noisy time-lapse of moving vesicles as a layer."""
    return [sample_layer(time_lapse(), "noisy time-lapse")]


def sample_layer(sample: Sample, name: str) -> LayerTuple:
    """Return a sample's noisy image as a layer."""
    keywords = spatial_kwargs(sample.axes, sample.spacing_um, sample.time_step_s)
    return sample.noisy, {**keywords, "name": name}, "image"
