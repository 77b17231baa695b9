"""Noise2Self with feature generation and gradient boosting, by Aydin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import no_tensorflow  # noqa: F401 - before Aydin
import numpy as np
from aydin.restoration.denoise.noise2selffgr import noise2self_fgr

if TYPE_CHECKING:
    from run import Task


def denoise(task: Task) -> np.ndarray:
    """Denoise with Aydin's defaults."""
    return noise2self_fgr(task.noisy)
