"""Number of steps and batch size of the training of a neighbourhood network."""

from __future__ import annotations

import math

from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.settings import DenoiseSettings

_MOST_CORRELATED = 200
"""Largest number of steps for correlated noise. A longer training finds what is left of
the correlation outside of the blind spot, and predicts noise: 300 steps gave the same
error on 27 planes, and more errors beyond the told ones."""
_MOST_PASSES = 20.0
"""Largest mean number of times that a pixel is trained on. With 28, `auto` lost 0.1 dB
on tissue of 128x128 pixels, and told errors were too small."""
_LEAST_SNR, _LEAST_PASSES = 3.0, 0.25
"""Signal-to-noise ratio below which that number falls in proportion where noise is
white, and the least part of it. What a network learns of the noise of few
pixels does not show in its gain, nor beside the noise of those held out."""
_MORE_PASSES = 12.0
"""The same for the steps beyond those of one plane, which a network that several planes
share takes. On five planes of 128x128, 30 passes overfit: told errors were half of the
true ones, and the error of dim and smooth ones rose by 4 to 15 %."""
_LEAST_DECAY, _MOST_DECAY = 3.0, 10.0
_MOST_DECAYED = 40_000
"""Largest number of pixels with the largest decay. Then it falls as one over their
number: the more pixels, the less a network can learn of their noise. With a decay of 3
instead of 10, real frames and photographs (65 000 to 260 000 pixels) gained 0.01 and
0.05 dB, all of them; two noise levels on 9 000 pixels lost 0.4 to 0.8 dB."""


def schedule(
    pixels: int,
    steps: int,
    settings: DenoiseSettings,
    *,
    correlated: bool = False,
    snr: float = math.inf,
) -> tuple[int, int]:
    """Return the batch size in pixels, and the number of steps that are taken.

    Parameters
    ----------
    pixels : int
        Number of training targets.
    steps : int
        Number of steps for many pixels. Few pixels get fewer, to avoid overfitting.
    settings : DenoiseSettings
        Gives the largest batch size, and the steps of one plane.
    correlated : bool
        Whether neighbouring pixels share noise.
    snr : float
        Signal-to-noise ratio: standard deviation of the signal over that of the noise.
    """
    batch = min(settings.neighbourhood.batch_size, max(pixels // 16, 256))
    one_pass = pixels / batch
    passes = _MOST_PASSES
    if not correlated:
        passes *= min(max(snr / _LEAST_SNR, _LEAST_PASSES), 1.0)
    alone = min(settings.neighbourhood.steps, passes * one_pass)
    most = min(steps, max(alone, _MORE_PASSES * one_pass))
    if correlated:
        most = min(most, _MOST_CORRELATED)
    return batch, max(math.ceil(most), 1)


def weight_decay(pixels: int) -> float:
    """Return the decay of the weights of the hidden layers, over the learning rate.

    Parameters
    ----------
    pixels : int
        Number of training targets.
    """
    decay = _MOST_DECAY * _MOST_DECAYED / max(pixels, 1)
    return min(max(decay, _LEAST_DECAY), _MOST_DECAY)


def signal_to_noise(problem: NoisyPlane) -> float:
    """Return the standard deviation of the signal of a plane over that of its noise."""
    variance = float(problem.plane_yxs[problem.fitted_yx].var(axis=0).mean())
    return math.sqrt(max(variance / problem.noise.sigma**2 - 1, 0.0))
