"""Denoise an array in one call, or step by step with a generator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.ensemble.maps import MAPS
from napari_inr_denoise.core.pipeline.output.result import DenoiseResult, DenoiseStep
from napari_inr_denoise.core.pipeline.output.state import Outputs
from napari_inr_denoise.core.pipeline.run import DenoiseSteps, Run
from napari_inr_denoise.core.settings import DenoiseSettings, preset_settings
from napari_inr_denoise.image.axes import resolve_axes, voxel_spacing
from napari_inr_denoise.image.source import ImageSource, MaskedImage, ReadableArray
from napari_inr_denoise.image.stitching import WritableArray

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
    out: WritableArray | None = None,
    resume: DenoiseResult | None = None,
) -> DenoiseResult:
    """Denoise an image without training data and without pre-trained weights.

    Parameters
    ----------
    image : array_like or MaskedImage
        Real numbers of any shape that `axes` describes. Lazy arrays (dask, Zarr, HDF5)
        are read part by part. The samples of an RGB plane are denoised jointly. Masked
        values are treated as NaN, and values closer to 0 than 1.2e-38 as 0. Pixels that
        are not finite are not fitted and are returned unchanged; so is an alpha channel
        (the last of 2 or 4 samples).
    axes : str, optional
        One letter per dimension out of T, C, Z, Y, X, S (S: RGB samples). If omitted,
        the last letters of "TCZYX"; never guessed from the sizes.
    preset : str
        Name of a preset: "auto", "fast", "best" or "paper".
    seed : int
        Random seed. The same seed on the same device gives the same bytes.
    device : str
        "auto", "cpu", "cuda", "cuda:0" or "mps".
    spacing_um : sequence of float, optional
        Pixel size in micrometres along those of Z, Y and X that `axes` has, in the
        order of `axes`. Only ratios matter; Z matters in the mode "volume" only.
    settings : DenoiseSettings, optional
        All parameters. They replace `preset`, `seed` and `device`.
    out, resume
        For large images, and to continue after a stop; see `denoise_steps`.

    Returns
    -------
    DenoiseResult
        `.image` is float32, with the input's shape and intensity scale; `.report` is
        the record of the run.

    Raises
    ------
    TypeError
        If the image is complex or not numeric, or a setting has a wrong type.
    ValueError
        If the image is empty or does not match `axes` or its mask, or a setting is out
        of range.
    """
    if settings is None:
        settings = preset_settings(preset, seed=seed, device=device)
    steps = denoise_steps(
        image, axes, settings, spacing_um, out, resume, previews=False
    )
    run = GeneratorResult(steps)
    for _ in run:
        pass
    return run.result


def denoise_steps(  # noqa: PLR0913, PLR0917 - a public call: choices by name
    image: ArrayLike | ReadableArray | MaskedImage,
    axes: str | None = None,
    settings: DenoiseSettings | None = None,
    spacing_um: Sequence[float] | None = None,
    out: WritableArray | None = None,
    resume: DenoiseResult | None = None,
    map_outputs: Mapping[str, WritableArray] | None = None,
    *,
    previews: bool = True,
) -> DenoiseSteps:
    """Denoise with a generator, for callers that show progress or may stop.

    Parameters and errors are those of `denoise`. Invalid arguments raise an error at
    the call, before the first step, unless the whole image must be read to find them.
    To stop, close the generator and keep `step.stopped()`.

    Parameters
    ----------
    image : array_like or MaskedImage
        See `denoise`; lazy arrays are read part by part.
    axes, settings, spacing_um
        See `denoise`.
    out : array-like of float32, optional
        Array that the result is written to as it is made, of the input's shape: for
        example a Zarr array, for results that are larger than memory. Then only the
        maps of `map_outputs` are kept.
    resume : DenoiseResult, optional
        Result of the same call after a stop. Its finished planes are not denoised
        again.
    map_outputs : mapping of str to array-like of float32, optional
        Arrays that maps are written to, by name (see `DenoiseResult.maps`): of the
        image's shape, and filled with NaN.
    previews : bool
        Whether a plane is predicted while its networks are trained. False is faster by
        up to a sixth; a plane that is not finished is then shown, and kept after a
        stop, as it was.

    Yields
    ------
    DenoiseStep
        At every evaluation of a plane that is fitted, and when it is finished.

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
        _check_out("out", out, source.shape)
    outputs = Outputs(out, _checked_maps(map_outputs or {}, source.shape))
    spacing = voxel_spacing(axes, spacing_um)
    run = Run(source, axes, settings, spacing, outputs, previews=previews)
    if resume is not None:
        run.take_over(resume)
    return run.steps()


def _check_types(settings: object, resume: object) -> None:
    """Raise TypeError if settings or the result to resume have a wrong type."""
    if not isinstance(settings, DenoiseSettings):
        raise TypeError(
            f"settings: got {settings!r}, wanted DenoiseSettings. Make them from a "
            "mapping with DenoiseSettings.from_dict."
        )
    if not isinstance(resume, DenoiseResult | None):
        raise TypeError(
            f"resume: got {type(resume).__name__}, wanted the DenoiseResult of a call "
            "that was stopped. Leave it out to start from the beginning."
        )


def _checked_maps(
    maps: Mapping[str, WritableArray], shape: tuple[int, ...]
) -> Mapping[str, WritableArray]:
    """Raise ValueError if a map is unknown or cannot be written."""
    for name, out in maps.items():
        if name not in MAPS:
            raise ValueError(
                f"map_outputs: got {name!r}, wanted one or more of {', '.join(MAPS)}."
            )
        _check_out(f"map_outputs[{name!r}]", out, shape)
    return maps


def _check_out(where: str, out: object, shape: tuple[int, ...]) -> None:
    """Raise TypeError or ValueError if a result cannot be written to an array."""
    found = getattr(out, "shape", None)
    if found is None:
        raise TypeError(
            f"{where}: got {type(out).__name__}, wanted an array of float32 of shape "
            f"{shape}."
        )
    if tuple(found) != shape:
        raise ValueError(
            f"{where}: got shape {tuple(found)}, wanted that of the image, {shape}."
        )
    # An output without a dtype, such as a file, is taken for float32.
    dtype = np.dtype(getattr(out, "dtype", np.float32))
    flags = getattr(out, "flags", None)
    rounds = dtype.kind != "f" or dtype.itemsize < np.dtype(np.float32).itemsize
    if rounds or (flags is not None and not flags.writeable):
        raise ValueError(
            f"{where}: got an array of {dtype} that is read-only or would round the "
            "values, wanted a writable array of float32."
        )
