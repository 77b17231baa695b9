"""A Butterworth filter whose cut-off Aydin calibrates by self-supervision."""

from __future__ import annotations

from typing import TYPE_CHECKING

import no_tensorflow  # noqa: F401 - before Aydin
import numpy as np
from aydin.restoration.denoise.classic import classic_denoise

if TYPE_CHECKING:
    from run import Task


def denoise(task: Task) -> np.ndarray:
    """Denoise with Aydin's defaults."""
    return classic_denoise(task.noisy, variant="butterworth")
