"""Quality of a result: estimated error, residual correlation, intensity bias."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.core.ensemble.prediction import unbiased_risk
from napari_inr_denoise.core.ensemble.systematic import (
    cut_off_bias,
    systematic_square,
)
from napari_inr_denoise.core.noise.correlated.autocorrelation import (
    residual_correlation,
)
from napari_inr_denoise.core.noise.level.intensity_bins import by_intensity
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.report.verdict import Verdict
from napari_inr_denoise.core.report.warning import PlaneWarning

_LAGS = 2
_WHITE = 0.05
"""Largest neighbour correlation of a residual that counts as noise only."""
_STRUCTURE = 1.15
"""Ratio of residual to noise standard deviation above which structure was removed."""
_LITTLE = 0.5
"""Ratio of residual to noise standard deviation below which little was removed."""
_GRAIN = 1.0
"""Level of the grain over that of the noise above which a user is told."""
_CLIPPED = 0.01
"""Share of saturated pixels above which a user is told."""
FEW_FILL = 0.001
"""Share of constant fill above which a user is told."""
_REGION, _FEWEST_REGIONS = 16, 6
"""Smallest side of a region in pixels, and smallest number of regions to compare."""
_APART, _FEW_FAR = 2.0, 0.15
"""Factor between the residuals of regions, over the noise model, that is unusual, and
share of the regions up to which it may occur."""
_FAINT = 0.2
"""Standard deviation of the noise over its root mean square. Pixels below it are left
out of that comparison: where hardly a photon arrives, most residuals are zero."""
_BINS = 8
_LEVEL_OFF = 1.1
"""Factor by which the level of correlated noise may be too high."""
_LEAST_STD = 0.05
"""Smallest uncertainty of a pixel, as a fraction of the noise standard deviation."""


@dataclass(frozen=True)
class Quality:
    """Quality of a denoised plane; intensities are in the image's units.

    Attributes
    ----------
    held_out_error : float or None
        Root mean square error against the unknown truth, estimated on held-out
        pixels; None if there are too few of them.
    whiteness : float
        Mean correlation of neighbouring pixels in the residual; 0 for white noise.
    verdict : Verdict
        Conclusion from whiteness and residual level.
    intensity_bias : tuple of (intensity, difference)
        Mean of the result minus mean of the input, in bins of rising intensity.
    warnings : tuple of PlaneWarning
        What a user should know before trusting the result.
    """

    held_out_error: float | None
    whiteness: float
    verdict: Verdict
    intensity_bias: tuple[tuple[float, float], ...]
    warnings: tuple[PlaneWarning, ...] = ()


def judge(
    problem: NoisyPlane,
    plane_yxs: NDArray[np.float32],
    held_out_error: float | None,
) -> Quality:
    """Return the quality of a result, computed from its residual.

    Parameters
    ----------
    problem : NoisyPlane
        The noisy plane and its noise.
    plane_yxs : ndarray of float32, shape (Y, X, samples)
        The result.
    held_out_error : float or None
        From `estimated_error`.
    """
    fitted = problem.fitted_yx
    residual = problem.plane_yxs - plane_yxs
    table = residual_correlation(residual, plane_yxs, fitted, _LAGS)
    whiteness = float((table[_LAGS, _LAGS + 1] + table[_LAGS + 1, _LAGS]) / 2)
    ratio = problem.residual_rms(plane_yxs) / problem.noise.sigma
    return Quality(
        held_out_error=held_out_error,
        whiteness=whiteness,
        # Three standard errors of a correlation over this number of pixels.
        verdict=_verdict(
            whiteness - 3 / math.sqrt(fitted.sum()),
            ratio,
            correlated=problem.noise.correlated,
        ),
        intensity_bias=_bias(problem, plane_yxs),
        warnings=_warnings(problem, plane_yxs, ratio),
    )


def _warnings(
    problem: NoisyPlane, plane_yxs: NDArray[np.float32], ratio: float
) -> tuple[PlaneWarning, ...]:
    """Return the warnings that a residual and the noise model give cause to.

    Parameters
    ----------
    problem, plane_yxs
        As for `judge`.
    ratio : float
        Residual over noise level.
    """
    found = {
        PlaneWarning.CORRELATED_NOISE: problem.noise.correlated,
        PlaneWarning.STRUCTURED_NOISE: problem.structured_yxs is not None,
        PlaneWarning.FIXED_PATTERN: any(problem.pixel_offsets),
        PlaneWarning.SHARED_NOISE: problem.shares_noise,
        PlaneWarning.COMPRESSED: problem.compressed_yxs is not None,
        PlaneWarning.MIXED_LEVELS: bool(problem.noise.levels),
        PlaneWarning.FILL_IGNORED: problem.fill_share > FEW_FILL,
        PlaneWarning.GRAIN_KEPT: any(
            noise.grain > _GRAIN * noise.sigma
            for noise in (problem.noise, *(one.noise for one in problem.regions))
        ),
        PlaneWarning.CLIPPED: problem.noise.clipped_high > _CLIPPED,
        PlaneWarning.CUT_OFF: bool(cut_off_bias(problem, plane_yxs).any()),
        PlaneWarning.LITTLE_REMOVED: ratio < _LITTLE,
        PlaneWarning.MODEL_UNCERTAIN: _differs_by_region(problem, plane_yxs),
    }
    return tuple(warning for warning, given in found.items() if given)


def _differs_by_region(problem: NoisyPlane, plane_yxs: NDArray[np.float32]) -> bool:
    """Return whether the residual of large regions departs from the noise model.

    The median of the absolute residual is compared, which single structures that were
    removed do not change.
    """
    std = np.sqrt(problem.variance(plane_yxs))
    least = _FAINT * float(np.sqrt(np.mean(std**2)))
    usable = problem.fitted_yx[..., None] & (std > least)
    scaled = np.full(std.shape, np.nan)
    np.divide(np.abs(problem.plane_yxs - plane_yxs), std, out=scaled, where=usable)
    side = max(min(std.shape[:2]) // 4, _REGION)
    levels = []
    for top in range(0, std.shape[0] - side + 1, side):
        for left in range(0, std.shape[1] - side + 1, side):
            part = scaled[top : top + side, left : left + side]
            known = part[np.isfinite(part)]
            if len(known) >= side**2 / 2:
                levels.append(float(np.median(known)))
    if len(levels) < _FEWEST_REGIONS:
        return False
    middle = float(np.median(levels))
    far = [one for one in levels if not middle / _APART <= one <= middle * _APART]
    return len(far) > _FEW_FAR * len(levels)


def estimated_error(
    problem: NoisyPlane,
    plane_yxs: NDArray[np.float32],
    divergence_yxs: NDArray[np.float32],
    held_out_yx: NDArray[np.bool_],
) -> float:
    """Return the estimated root mean square error against the truth.

    This is the larger of two estimates: Stein's unbiased risk on the held-out pixels,
    and the error that the divergence predicts. The risk is a small difference of two
    large numbers, so that a noise level that is 2 % too high can halve it. Few pixels
    make it uncertain: its standard error is taken off. Only the second is valid for
    correlated noise, of which at least what was not removed is left, and for a plane
    that was divided by its level map or a factor, as those are off by a few percent.
    What `systematic_square` knows is added.

    Parameters
    ----------
    problem : NoisyPlane
        The noisy plane and its noise.
    plane_yxs, divergence_yxs : ndarray of float32, shape (Y, X, samples)
        The result and its divergence (see `Candidate`).
    held_out_yx : ndarray of bool, shape (Y, X)
        Pixels that no fit was trained on; at least one.

    Returns
    -------
    float
        Root mean square error in the image's units.
    """
    chosen, share = plane_yxs[held_out_yx], divergence_yxs[held_out_yx]
    variance = problem.variance(chosen)
    square = float(_expected_square(variance, share).mean())
    if not problem.noise.correlated and problem.original is None:
        noisy = problem.plane_yxs[held_out_yx]
        risks = unbiased_risk(chosen, noisy, variance, share)
        error = float(risks.std()) / math.sqrt(risks.size)
        square = max(square, float(risks.mean()) - error)
    if problem.noise.correlated:
        # What of the noise was not removed is left in the result.
        removed = problem.residual_rms(plane_yxs)
        square = max(square, (problem.noise.sigma / _LEVEL_OFF) ** 2 - removed**2)
    known = systematic_square(problem, plane_yxs)[held_out_yx]
    return math.sqrt(square + float(known.mean()))


def random_error(
    problem: NoisyPlane,
    plane_yxs: NDArray[np.float32],
    divergence_yxs: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Return the standard deviation of each pixel's error by random noise.

    A network that adds back the share g of a noisy pixel has learned that the error
    variance of its prediction is g / (1 - g) times the noise variance. The error
    variance after adding back is then g times the noise variance.

    Parameters
    ----------
    problem : NoisyPlane
        The noisy plane and its noise.
    plane_yxs, divergence_yxs : ndarray of float32, shape (Y, X, samples)
        The result and its divergence (see `Candidate`).

    Returns
    -------
    ndarray of float32, shape (Y, X, samples)
        Standard deviations in the image's units.
    """
    squared = _expected_square(problem.variance(plane_yxs), divergence_yxs)
    return np.sqrt(squared).astype(np.float32)


def uncertainty(
    problem: NoisyPlane,
    plane_yxs: NDArray[np.float32],
    divergence_yxs: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Return the standard deviation of each pixel's error, systematic ones included.

    Parameters and values are those of `random_error`; see also `systematic_square`.
    """
    squared = _expected_square(problem.variance(plane_yxs), divergence_yxs)
    squared += systematic_square(problem, plane_yxs)
    return np.sqrt(squared).astype(np.float32)


def _expected_square(
    variance: NDArray[np.float64], divergence: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return the mean squared error that the divergence predicts."""
    share = np.clip(divergence, _LEAST_STD**2, 1.0)
    return np.asarray(share * variance, dtype=np.float64)


def _verdict(whiteness: float, ratio: float, *, correlated: bool) -> Verdict:
    if correlated:
        return Verdict.CORRELATED
    if whiteness > _WHITE or ratio > _STRUCTURE:
        return Verdict.STRUCTURE
    return Verdict.NOISE_ONLY


def _bias(
    problem: NoisyPlane, plane_yxs: NDArray[np.float32]
) -> tuple[tuple[float, float], ...]:
    """Return the change of the mean in bins of rising intensity."""
    before = problem.plane_yxs[problem.fitted_yx].ravel()
    after = plane_yxs[problem.fitted_yx].ravel()
    groups = by_intensity(after, _BINS)
    # float64, because the sum of large values can overflow float32.
    means = [
        (after[group].mean(dtype=np.float64), before[group].mean()) for group in groups
    ]
    return tuple((float(one), float(one - other)) for one, other in means)
