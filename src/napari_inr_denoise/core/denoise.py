"""Denoise an array: plane by plane, as a generator of steps or in one call."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.pipeline.result import DenoiseResult, DenoiseStep
from napari_inr_denoise.core.pipeline.run import DenoiseSteps, Run
from napari_inr_denoise.core.pipeline.volume import check_volume
from napari_inr_denoise.core.settings import DenoiseSettings, preset_settings
from napari_inr_denoise.image.axes import resolve_axes, voxel_spacing
from napari_inr_denoise.image.source import ImageSource, MaskedImage, ReadableArray
from napari_inr_denoise.image.stitching import Writable

__all__ = [
    "DenoiseResult",
    "DenoiseStep",
    "DenoiseSteps",
    "denoise",
    "denoise_steps",
]


def denoise(  # noqa: PLR0913, PLR0917 - the public call: common choices by name
    image: ArrayLike | ReadableArray | MaskedImage,
    axes: str | None = None,
    preset: str = "auto",
    seed: int = 0,
    device: str = "auto",
    spacing_um: Sequence[float] | None = None,
    settings: DenoiseSettings | None = None,
    out: Writable | None = None,
    resume: DenoiseResult | None = None,
) -> DenoiseResult:
    """Denoise an image from itself alone: no training data, no pre-trained weights.

    Parameters
    ----------
    image : array_like or MaskedImage
        Real numbers of any shape that `axes` describes; read part by part where it
        can be (dask, Zarr, HDF5). The samples of an RGB plane are denoised jointly.
        Masked values are taken for NaN, and those nearer to 0 than 1.2e-38 for 0.
        Pixels that are not finite are left out of the fit and come back as they were;
        so does an alpha channel (the last of 2 or 4 samples).
    axes : str, optional
        One letter per dimension out of T, C, Z, Y, X, S (S: RGB samples); the last
        of "TCZYX" when omitted. Sizes are never looked at.
    preset : str
        "auto", "fast" or "paper".
    seed : int
        The same seed on the same device gives the same bytes.
    device : str
        "auto", "cpu", "cuda", "cuda:0", "mps".
    spacing_um : sequence of float, optional
        Pixel size in micrometres along each of Z, Y and X that `axes` has, in the
        order of `axes`. Only ratios matter; that of Z in the mode "volume" only.
    settings : DenoiseSettings, optional
        A full set; `preset`, `seed` and `device` are then taken from it.
    out, resume
        For large images and for going on after a stop; see `denoise_steps`.

    Returns
    -------
    DenoiseResult
        `.image`: float32, the input's shape and intensity scale; `.report`.

    Raises
    ------
    TypeError
        If the image is complex or not made of numbers, or a setting has a wrong type.
    ValueError
        If the image is empty, does not fit `axes` or its mask, or a setting is out of
        bounds.
    """
    if settings is None:
        settings = preset_settings(preset, seed=seed, device=device)
    run = GeneratorResult(denoise_steps(image, axes, settings, spacing_um, out, resume))
    for _ in run:
        pass
    return run.result


def denoise_steps(
    image: ArrayLike | ReadableArray | MaskedImage,
    axes: str | None = None,
    settings: DenoiseSettings | None = None,
    spacing_um: Sequence[float] | None = None,
    out: Writable | None = None,
    resume: DenoiseResult | None = None,
) -> DenoiseSteps:
    """Denoise as a generator, for callers that show progress or may stop.

    Parameters and errors are those of `denoise`. Errors of the caller are raised
    here, before the first step, as far as they can be told without reading all of the
    image. To stop, close the generator and keep `step.stopped()`.

    Parameters
    ----------
    image : array_like or MaskedImage
        Read part by part where it can be: numpy, dask, Zarr, HDF5.
    axes, settings, spacing_um
        See `denoise`.
    out : array-like of float32, optional
        Where the result is written while it is made, of the input's shape: a Zarr
        array or a file, for results that are larger than memory. No uncertainty is
        kept then.
    resume : DenoiseResult, optional
        What was kept of the same call when it was stopped: finished planes are not
        denoised again.

    Yields
    ------
    DenoiseStep
        At every look at the plane being fitted, and when it is finished.

    Returns
    -------
    DenoiseResult
        See `denoise`.
    """
    source = ImageSource(image)
    axes = resolve_axes(source.ndim, axes)
    source.check_mask(axes)
    settings = preset_settings("auto") if settings is None else settings
    _check_types(settings, resume)
    if out is not None:
        _check_out(out, source.shape)
    if settings.mode == "volume":
        check_volume(axes, source.shape, settings)
    run = Run(source, axes, settings, voxel_spacing(axes, spacing_um), out)
    if resume is not None:
        run.take_over(resume)
    return run.steps()


def _check_types(settings: object, resume: object) -> None:
    """Raise a sentence if what the caller gave is something else."""
    if not isinstance(settings, DenoiseSettings):
        raise TypeError(
            f"settings: got {settings!r}, wanted DenoiseSettings. Make them from a "
            "mapping with DenoiseSettings.from_dict."
        )
    if not isinstance(resume, DenoiseResult | None):
        raise TypeError(
            f"resume: got {type(resume).__name__}, wanted the DenoiseResult of a call "
            "that was stopped. Leave it out to begin anew."
        )


def _check_out(out: object, shape: tuple[int, ...]) -> None:
    """Raise a sentence if a result cannot be written where the caller wants it."""
    found = getattr(out, "shape", None)
    if found is None:
        raise TypeError(
            f"out: got {type(out).__name__}, wanted an array of float32 of shape "
            f"{shape}."
        )
    if tuple(found) != shape:
        raise ValueError(
            f"out: got shape {tuple(found)}, wanted that of the image, {shape}."
        )
    # What has no type of its own, such as a file, is float32.
    dtype = np.dtype(getattr(out, "dtype", np.float32))
    flags = getattr(out, "flags", None)
    if dtype.kind != "f" or (flags is not None and not flags.writeable):
        raise ValueError(
            f"out: got {dtype} values that are rounded or cannot be written, wanted "
            "an array of float32 that may be written to."
        )
