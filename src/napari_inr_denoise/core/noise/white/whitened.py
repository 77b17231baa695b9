"""The transform that makes the noise of a plane white, if there is one."""

from __future__ import annotations

from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.noise.white.coarse_grid import coarse_grid
from napari_inr_denoise.core.noise.white.flat_spectrum import flat_spectrum
from napari_inr_denoise.core.noise.white.white_plane import WhitePlane


def whitened(problem: NoisyPlane) -> WhitePlane | None:
    """Return a plane transformed so that its noise is white; None if it stays."""
    return flat_spectrum(problem) or coarse_grid(problem)
