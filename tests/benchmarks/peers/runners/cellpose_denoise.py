"""Cellpose 3's denoising network, which its authors trained on other images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from cellpose.denoise import DenoiseModel

if TYPE_CHECKING:
    from run import Task


def denoise(task: Task) -> np.ndarray:
    """Denoise for cells of the default diameter, in the input's intensities."""
    model = DenoiseModel(gpu=False, model_type="denoise_cyto3")
    image = np.squeeze(model.eval([task.noisy], channels=None, diameter=30.0)[0])
    # It returns intensities that are scaled from these percentiles to 0 and 1.
    low, high = np.percentile(task.noisy, (1, 99))
    return image * (high - low) + low
