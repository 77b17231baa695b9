"""A Butterworth filter whose cut-off Aydin calibrates by self-supervision."""

from __future__ import annotations

from typing import TYPE_CHECKING

import no_tensorflow  # noqa: F401 - before Aydin
import numpy as np
from aydin.it.classic_denoisers.butterworth import (
    calibrate_denoise_butterworth,
)

if TYPE_CHECKING:
    from run import Task


def denoise(task: Task) -> np.ndarray:
    """Denoise with Aydin's defaults."""
    function, arguments, _ = calibrate_denoise_butterworth(task.noisy)
    return function(task.noisy, **arguments)
