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
                "h": [share * level for share in (0.4, 0.6, 0.8, 1.0, 1.3, 1.7)],
                "sigma": [level],
                "patch_size": [5, 7],
                "patch_distance": [11],
                "fast_mode": [True],
            },
        ),
        "tv": (denoise_tv_chambolle, {"weight": np.geomspace(0.005, 1, 16)}),
        "wavelets": (
            denoise_wavelet,
            {
                "sigma": [share * level for share in np.geomspace(0.3, 3, 16)],
                "wavelet": ["db2", "sym4"],
                "rescale_sigma": [True],
            },
        ),
    }
    function, ranges = methods[task.variant]
    calibrated, (choices, losses) = calibrate_denoiser(
        noisy, function, ranges, extra_output=True
    )
    best = choices[int(np.argmin(losses))]
    task.note = ", ".join(f"{name} {best[name]:.3g}" for name in _TOLD[task.variant])
    # The calibrated function is made J-invariant by masks, which costs quality; the
    # authors' own example uses the strength on the whole image instead.
    del calibrated
    return function(noisy, **best) * extent + low
