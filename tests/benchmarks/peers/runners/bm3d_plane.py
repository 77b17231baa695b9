"""BM3D; its licence allows research and education, not every use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from bm3d import bm3d

if TYPE_CHECKING:
    from run import Task


def denoise(task: Task) -> np.ndarray:
    """Denoise a plane whose noise has a variance of 1."""
    # Its thresholds for similar patches are set for values from 0 to 1.
    low, extent = float(task.noisy.min()), float(np.ptp(task.noisy))
    task.note = "noise level" if task.psd is None else "noise spectrum"
    given = 1 / extent if task.psd is None else task.psd / extent**2
    image = bm3d((task.noisy.astype(float) - low) / extent, given)
    return np.asarray(image) * extent + low
