"""This project."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_inr_denoise import denoise as denoise_image

if TYPE_CHECKING:
    from run import Task


def denoise(task: Task) -> np.ndarray:
    """Return the result of a preset."""
    return denoise_image(task.noisy, axes="YX", preset=task.variant, seed=0).image
