"""Held-out pixels, and the weights of the candidates that they determine."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.optimize import nnls

from napari_inr_denoise.core.ensemble.prediction import Candidate
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.report.stop_reason import StopReason

HELD_OUT = 0.05
"""Fraction of the pixels that no fit is trained on."""
FEWEST = 20
"""Smallest number of held-out pixels from which weights and errors are estimated."""
EMPTY = 0.2
"""Smallest weight at which the flat candidate is used. Smaller weights come from the
error of the estimated noise level: a weight of 0.07 on FISH frames cost 0.1 dB."""
_CERTAIN = 3.0
"""Standard errors of its own that the weight of the flat candidate must reach, if it is
below `_ENOUGH`. Few pixels of a small plane are held out: on counts of 96x96 pixels one
seed in four gave it a weight of 0.26, two standard errors, which cost 1.2 dB."""
_ENOUGH = 0.5
FLAT_WIDTH = 10.0
"""Standard deviation, in pixels, of the Gaussian blur of the flat candidate."""
_ROUNDING = 16 * float(np.finfo(float).eps)
_SUM_WEIGHT = 1e3
"""Weight of the constraint that the weights sum to one, which preserves intensities."""


def hold_out(fitted_yx: NDArray[np.bool_], seed: int) -> NDArray[np.bool_]:
    """Return the fitted pixels that are held out, chosen at random.

    Parameters
    ----------
    fitted_yx : ndarray of bool, shape (Y, X)
        Pixels to choose from.
    seed : int
        Seed of the random choice.
    """
    chance = np.random.default_rng(seed).random(fitted_yx.shape)
    return np.asarray(fitted_yx & (chance < HELD_OUT))


def flat_candidate(problem: NoisyPlane) -> Candidate:
    """Return the Gaussian-weighted mean around each pixel, without the pixel itself.

    A network always fits some noise. Where a plane holds nothing but noise, this
    candidate has a lower risk on the held-out pixels.

    Parameters
    ----------
    problem : NoisyPlane
        The noisy plane.
    """
    counts = problem.fitted_yx.astype(np.float64)
    own = 1 / (2 * np.pi * FLAT_WIDTH**2)  # weight of the centre pixel in the blur

    def around(plane_yx: NDArray[np.float64]) -> NDArray[np.float64]:
        blurred = gaussian_filter(plane_yx, FLAT_WIDTH, mode="constant")
        return np.asarray(blurred - own * plane_yx)

    weight = np.maximum(around(counts), 1e-9)
    planes = [
        around(problem.plane_yxs[..., k] * counts) / weight
        for k in range(problem.plane_yxs.shape[-1])
    ]
    plane_yxs = np.stack(planes, axis=-1).astype(np.float32)
    nothing = np.zeros_like(plane_yxs)
    return Candidate("flat", plane_yxs, nothing, 0, StopReason.TRAINED)


def is_flat(
    candidates: Sequence[Candidate],
    flat: Candidate,
    problem: NoisyPlane,
    held_out_yx: NDArray[np.bool_],
) -> bool:
    """Return whether the flat candidate lowers the risk beyond doubt.

    Parameters
    ----------
    candidates : sequence of Candidate
        The others; at least one.
    flat : Candidate
        From `flat_candidate`.
    problem, held_out_yx
        As for `weigh`.
    """
    weights = weigh([*candidates, flat], problem, held_out_yx)
    if not EMPTY <= weights[-1] < _ENOUGH:
        return bool(weights[-1] >= _ENOUGH)
    plane_yxs, _ = mean_of(candidates, weights[:-1] / weights[:-1].sum())
    apart = (plane_yxs - flat.plane_yxs)[held_out_yx].astype(np.float64)
    # The noise of the held-out pixels changes the weight by its product with `apart`.
    variance = problem.variance(plane_yxs[held_out_yx]) * np.square(apart)
    error = np.sqrt(variance.sum()) / max(np.square(apart).sum(), 1e-300)
    return bool(weights[-1] >= _CERTAIN * error)


def weigh(
    candidates: Sequence[Candidate],
    problem: NoisyPlane,
    held_out_yx: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return the weight of each candidate: not negative, with a sum of one.

    The weights minimize Stein's unbiased risk estimate of the weighted mean over the
    held-out pixels. (The squared difference alone would favour candidates that keep
    the pixel's own noise.)

    Parameters
    ----------
    candidates : sequence of Candidate
        At least one.
    problem : NoisyPlane
        The noisy plane and its noise. The noise should not be correlated, because
        the neighbours of a held-out pixel then reveal part of its noise.
    held_out_yx : ndarray of bool, shape (Y, X)
        Held-out pixels, from `hold_out`.

    Returns
    -------
    ndarray, shape (candidates,)
        Weights. The first candidate gets all of it if too few pixels are held out.
    """
    weights = np.zeros(len(candidates))
    weights[0] = 1.0
    if len(candidates) == 1 or held_out_yx.sum() < FEWEST:
        return weights
    noisy = problem.plane_yxs[held_out_yx].ravel()
    predictions = np.stack(
        [one.plane_yxs[held_out_yx].ravel() for one in candidates], 1
    )
    variance = problem.variance(candidates[0].plane_yxs[held_out_yx]).ravel()
    divergences = np.stack(
        [one.divergence_yxs[held_out_yx].ravel() for one in candidates], 1
    )
    # The weights sum to one, so that only differences from the noisy values matter.
    differences = predictions - noisy[:, None]
    scale = float(np.mean(variance)) or 1.0
    square = differences.T @ differences / len(noisy) / scale
    linear = -(divergences * variance[:, None]).mean(axis=0) / scale
    square += _SUM_WEIGHT * np.ones_like(square)
    linear += _SUM_WEIGHT
    # Predictions that are almost equal but far from the noisy values cause rounding
    # errors above 1e-9.
    ridge = max(1e-9, _ROUNDING * float(np.trace(square)))
    factor = np.linalg.cholesky(square + ridge * np.eye(len(weights)))
    solved, _ = nnls(factor.T, np.linalg.solve(factor, linear))
    return solved / solved.sum() if solved.sum() > 0 else weights


def mean_of(
    candidates: Sequence[Candidate], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the weighted means of the planes and of their divergences."""
    plane = np.zeros_like(candidates[0].plane_yxs)
    divergence = np.zeros_like(candidates[0].divergence_yxs)
    for candidate, weight in zip(candidates, weights, strict=True):
        plane += np.float32(weight) * candidate.plane_yxs
        divergence += np.float32(weight) * candidate.divergence_yxs
    return plane, divergence
