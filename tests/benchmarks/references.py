"""Methods to compare with: none at all, a blur, non-local means and BM3D."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray
from skimage.filters import gaussian
from skimage.restoration import denoise_nl_means

from napari_inr_denoise import estimate_noise
from napari_inr_denoise.core.noise.anscombe import Anscombe
from tests.benchmarks.images import Pair, psnr

_WIDTHS = np.arange(3, 41) / 10
"""Widths of the blur that are tried, in pixels."""


@dataclass(frozen=True)
class Made:
    """What a method made of a noisy image; `image` is None if it could not run.

    `uncertainty` is the standard deviation of each pixel's error, where it is told.
    """

    image: NDArray[np.floating] | None
    seconds: float
    note: str
    uncertainty: NDArray[np.floating] | None = None


PlaneMethod = Callable[[NDArray[np.floating], float], NDArray[np.floating]]
"""From a plane and its noise level to the denoised plane."""


def noisy(pair: Pair) -> Made:
    """Return the input itself."""
    return Made(pair.noisy, 0.0, "")


def blur(pair: Pair) -> Made:
    """Blur with the width that the truth likes best: no blur can do better.

    The seconds are those of one blur, without the search for the width.
    """
    width = max(_WIDTHS, key=lambda width: psnr(_blurred(pair, width), pair.truth))
    started = time.perf_counter()
    image = _blurred(pair, width)
    return Made(
        image, time.perf_counter() - started, f"width {width:.1f}, by the truth"
    )


def _blurred(pair: Pair, width: float) -> NDArray[np.floating]:
    channel_axis = -1 if pair.noisy.ndim == 3 else None
    return np.asarray(
        gaussian(pair.noisy, width, preserve_range=True, channel_axis=channel_axis)
    )


def nlm(pair: Pair) -> Made:
    """Denoise with non-local means, as they are usually set."""
    return _stabilized(pair, _nlm_plane)


def bm3d(pair: Pair) -> Made:
    """Denoise with BM3D where it is installed; its licence is not for everybody."""
    if find_spec("bm3d") is None:
        return Made(None, 0.0, 'not installed: pip install ".[bm3d]", see its licence')
    return _stabilized(pair, _bm3d_plane)


REFERENCES: dict[str, Callable[[Pair], Made]] = {
    "noisy": noisy,
    "blur": blur,
    "nlm": nlm,
    "bm3d": bm3d,
}
"""The references by name."""


def _nlm_plane(plane: NDArray[np.floating], sigma: float) -> NDArray[np.floating]:
    return np.asarray(
        denoise_nl_means(
            plane,
            patch_size=5,
            patch_distance=11,
            h=0.8 * sigma,
            sigma=sigma,
            fast_mode=True,
            preserve_range=True,
        )
    )


def _bm3d_plane(plane: NDArray[np.floating], sigma: float) -> NDArray[np.floating]:
    from bm3d import bm3d as bm3d_of_unit_range

    # Its thresholds for similar patches are set for values from 0 to 1.
    low, extent = float(plane.min()), float(np.ptp(plane))
    image = bm3d_of_unit_range((plane - low) / extent, sigma / extent)
    return np.asarray(image, dtype=float) * extent + low


def _stabilized(pair: Pair, method: PlaneMethod) -> Made:
    """Denoise channel by channel, where the noise has the same level everywhere."""
    started = time.perf_counter()
    channels = np.atleast_3d(pair.noisy)
    made = [_one_channel(channels[..., k], method) for k in range(channels.shape[2])]
    image = np.stack([plane for plane, _ in made], axis=-1).reshape(pair.noisy.shape)
    seconds = time.perf_counter() - started
    return Made(image, seconds, "; ".join(note for _, note in made))


def _one_channel(
    plane: NDArray[np.floating], method: PlaneMethod
) -> tuple[NDArray[np.floating], str]:
    """Denoise one channel; the note says by which noise."""
    model = estimate_noise(plane, axes="YX")
    if model.gain > 0:
        transform = Anscombe(model.gain, model.variance_at_zero)
        note = f"gain {model.gain:.3g}, variance at zero {model.variance_at_zero:.3g}"
        image = transform.inverse(method(transform.forward(plane), 1.0))
        return image, note
    if model.sigma > 0:
        return method(plane, model.sigma), f"sigma {model.sigma:.3g}"
    return plane, "no noise found"
