"""Non-local means, total variation and wavelets, their strength by J-invariance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from skimage.restoration import (
    calibrate_denoiser,
    denoise_nl_means,
    denoise_tv_chambolle,
    denoise_wavelet,
    estimate_sigma,
)

if TYPE_CHECKING:
    from run import Task

_TOLD = {"nlm": ("h", "patch_size"), "tv": ("weight",), "wavelets": ("sigma",)}


def denoise(task: Task) -> np.ndarray:
    """Return the result at the strength with the least self-supervised loss."""
    low, extent = float(task.noisy.min()), float(np.ptp(task.noisy))
    noisy = (task.noisy - low) / extent
    level = float(estimate_sigma(noisy))
    methods = {
        "nlm": (
            denoise_nl_means,
            {
                "h": np.geomspace(0.01, 0.6, 12),
                "sigma": [0.0, level],
                "patch_size": [5, 7],
                "patch_distance": [11],
                "fast_mode": [True],
            },
        ),
        "tv": (denoise_tv_chambolle, {"weight": np.geomspace(0.005, 1, 16)}),
        "wavelets": (
            denoise_wavelet,
            {
                "sigma": np.geomspace(0.005, 0.5, 16),
                "wavelet": ["db2", "sym4"],
                "rescale_sigma": [True],
            },
        ),
    }
    function, ranges = methods[task.variant]
    _, (choices, losses) = calibrate_denoiser(
        noisy, function, ranges, extra_output=True
    )
    best = choices[int(np.argmin(losses))]
    task.note = ", ".join(f"{name} {best[name]:.3g}" for name in _TOLD[task.variant])
    # The calibrated function is J-invariant by masks, which costs quality. The strength
    # is what is taken from it.
    return function(noisy, **best) * extent + low
