"""Whether an image can be denoised as a volume."""

from __future__ import annotations

import math

from napari_inr_denoise.core.pipeline.memory import volume_gb
from napari_inr_denoise.core.settings import DenoiseSettings


def check_volume(axes: str, shape: tuple[int, ...], settings: DenoiseSettings) -> None:
    """Check that an image can be denoised in the mode "volume".

    Raises
    ------
    ValueError
        If there is no Z axis of at least two planes, or a volume needs more memory than
        the settings allow.
    """
    sizes = dict(zip(axes, shape, strict=True))
    if sizes.get("Z", 1) < 2:
        raise ValueError(
            f"mode: got 'volume' for an image of shape {shape} with axes {axes!r}, "
            "wanted a Z axis of at least two planes. Use the mode 'plane', or say "
            "which axis is Z."
        )
    voxels = float(math.prod(sizes.get(letter, 1) for letter in "ZYXS"))
    needed = volume_gb(settings, voxels)
    if needed > settings.memory_gb:
        raise ValueError(
            f"mode: fitting a volume of {voxels:.3g} voxels takes {needed:.1f} GB, "
            f"wanted at most {settings.memory_gb:g} GB (memory_gb). Use "
            "the mode 'plane', crop the image, or allow more memory."
        )
