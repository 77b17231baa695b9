"""Held-out pixels, and how much weight they give to each candidate."""

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
"""Share of the pixels that no fit is trained on."""
FEWEST = 20
"""Held-out pixels below which nothing is told from them."""
EMPTY = 0.2
"""Weight from which on the empty image is taken in; less comes from the noise level,
which is only estimated: 0.07 on FISH frames cost 0.1 dB."""
FLAT_WIDTH = 10.0
"""Width, in pixels, of the blur that stands for an empty image."""
_ROUNDING = 16 * float(np.finfo(float).eps)
_SUM_WEIGHT = 1e3
"""How strongly the weights are held to a sum of one: intensities must stay."""


def hold_out(fitted_yx: NDArray[np.bool_], seed: int) -> NDArray[np.bool_]:
    """Return a random choice of the fitted pixels.

    Parameters
    ----------
    fitted_yx : ndarray of bool, shape (Y, X)
        Pixels to choose from.
    seed : int
        Of the choice.
    """
    chance = np.random.default_rng(seed).random(fitted_yx.shape)
    return np.asarray(fitted_yx & (chance < HELD_OUT))


def flat_candidate(problem: NoisyPlane) -> Candidate:
    """Return the mean of the wide surroundings of each pixel, without the pixel.

    A network always sees a little of what is not there. Where there is nothing but
    noise the held-out pixels prefer this.

    Parameters
    ----------
    problem : NoisyPlane
        The plane and the pixels that count.
    """
    counts = problem.fitted_yx.astype(np.float64)
    own = 1 / (2 * np.pi * FLAT_WIDTH**2)  # of the blur's weights, the pixel's

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


def weigh(
    candidates: Sequence[Candidate],
    problem: NoisyPlane,
    held_out_yx: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return each candidate's weight: none negative, one in all.

    The weights minimise Stein's unbiased estimate of the risk of the weighted mean
    over the held-out pixels, which no candidate was trained on. (The squared
    difference alone would favour candidates that keep the pixel's own noise.)

    Parameters
    ----------
    candidates : sequence of Candidate
        At least one.
    problem : NoisyPlane
        The plane and its noise, which must not be correlated: a candidate that was
        trained on a pixel's neighbours would know some of its noise.
    held_out_yx : ndarray of bool, shape (Y, X)
        From `hold_out`.

    Returns
    -------
    ndarray, shape (candidates,)
        The first candidate alone where too few pixels are held out.
    """
    weights = np.zeros(len(candidates))
    weights[0] = 1.0
    if len(candidates) == 1 or held_out_yx.sum() < FEWEST:
        return weights
    noisy = problem.plane_yxs[held_out_yx].ravel()
    answers = np.stack([one.plane_yxs[held_out_yx].ravel() for one in candidates], 1)
    variance = problem.variance(candidates[0].plane_yxs[held_out_yx]).ravel()
    shares = np.stack(
        [one.divergence_yxs[held_out_yx].ravel() for one in candidates], 1
    )
    # Weights that sum to one: the differences from the pixel are all that counts.
    apart = answers - noisy[:, None]
    spread = float(np.mean(variance)) or 1.0
    square = apart.T @ apart / len(noisy) / spread
    linear = -(shares * variance[:, None]).mean(axis=0) / spread
    square += _SUM_WEIGHT * np.ones_like(square)
    linear += _SUM_WEIGHT
    # Answers that hardly differ, far from the pixels: rounding is more than 1e-9 then.
    ridge = max(1e-9, _ROUNDING * float(np.trace(square)))
    factor = np.linalg.cholesky(square + ridge * np.eye(len(weights)))
    solved, _ = nnls(factor.T, np.linalg.solve(factor, linear))
    return solved / solved.sum() if solved.sum() > 0 else weights


def mean_of(
    candidates: Sequence[Candidate], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the weighted mean of the planes and that of their own shares."""
    plane = np.zeros_like(candidates[0].plane_yxs)
    share = np.zeros_like(candidates[0].divergence_yxs)
    for candidate, weight in zip(candidates, weights, strict=True):
        plane += np.float32(weight) * candidate.plane_yxs
        share += np.float32(weight) * candidate.divergence_yxs
    return plane, share
