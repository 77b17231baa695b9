"""Noise that neighbouring planes share: running averages, resampling along Z.

A plane that helps to denoise another must not hold the same noise, which would pass for
structure. The highest frequencies of places without structure hold noise alone, so that
their correlation between planes is that of the noise.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.core.noise.level.quiet_patches import QUIET, QuietPatches

MOST_CONSECUTIVE = 16
"""Number of consecutive planes that suffice."""
_FEWEST = 3
"""Smallest number of planes. Fewer are denoised one by one."""
_AREA = 3.8
"""Pixels that share white noise after the first filter: the sum of its squared
autocorrelation."""
_SHARED, _ERRORS = 0.1, 3.0
"""Correlation above which noise is shared, and standard errors that are allowed beside.
It was 0.03 at most on pollen and moving tissue with noise of each plane alone (3 to
10 000 photons)."""
_AS_HIGH = 0.93
"""Least correlation after the second filter over that after the first one. It is 0.96
and more for shared noise, also if that is blurred in the plane, and 0.35 to 0.93 for
structure, whose power falls, unless the image has a grain of its own."""
_FEWEST_LAGS = 4
"""Smallest number of distances from which a part that all planes share is known."""
_TINY = float(np.finfo(float).tiny)


def independent_distance(
    planes: Iterable[tuple[NDArray[np.float64], NDArray[np.bool_]]],
) -> int:
    """Return how many planes apart two planes are whose noise is independent.

    What all planes share to the same degree, as a fixed pattern or a sample that does
    not move, is no noise in this sense.

    Parameters
    ----------
    planes : iterable of (values_yxs, valid_yx)
        Consecutive planes (Y, X, samples) with their valid pixels (Y, X), or the same
        window of each.

    Returns
    -------
    int
        1 if adjacent planes do not share noise, or if it cannot be told.
    """
    found = [QuietPatches.of(values, valid) for values, valid in planes]
    lags = range(1, max(len(found) - 1, 2))  # two pairs of each where there are any
    if len(found) < _FEWEST or not found[0].structure.size:
        return 1
    of_lags = [_correlation(found, lag) for lag in lags]
    common = 0.0
    if len(lags) >= _FEWEST_LAGS:
        far = [value for value, _, _ in of_lags[len(lags) // 2 :]]
        common = min(max(float(np.mean(far)), 0.0), 1.0)
    for lag, (value, higher, error) in zip(lags, of_lags, strict=True):
        allowed = (_SHARED + _ERRORS * error) * (1 - common)
        if value - common <= allowed or higher < _AS_HIGH * value - error:
            return lag
    return len(found)


def _correlation(planes: list[QuietPatches], lag: int) -> tuple[float, float, float]:
    """Return the correlation of the noise of planes `lag` apart.

    Returns
    -------
    value, higher : float
        Correlation after each of both filters.
    error : float
        Standard error of the first one.
    """
    of_pairs, pixels = [], 0
    for one, other in zip(planes, planes[lag:], strict=False):
        both = one.structure + other.structure
        known = np.isfinite(both)
        if not known.any():
            continue
        quiet = both <= np.quantile(both[known], QUIET)
        first, second = one.filtered[:, quiet], other.filtered[:, quiet]
        # Bright patches have more noise; all count alike.
        power = (np.square(first) + np.square(second)).mean(axis=-1)
        shared = 2 * (first * second).mean(axis=-1)
        of_pairs.append((shared / np.maximum(power, _TINY)).mean(axis=-1))
        pixels += first[0].size
    if not of_pairs:
        return 0.0, 0.0, math.inf
    value, higher = np.mean(of_pairs, axis=0)
    return float(value), float(higher), math.sqrt(_AREA / pixels)
