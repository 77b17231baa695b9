"""The transform that makes the noise of a plane white, if there is one."""

from __future__ import annotations

from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.noise.white.coarse_grid import coarse_grid
from napari_inr_denoise.core.noise.white.flat_spectrum import (
    blind_spot_fails,
    flat_spectrum,
)
from napari_inr_denoise.core.noise.white.lattice import follows_lattice
from napari_inr_denoise.core.noise.white.white_plane import WhitePlane


def whitened(problem: NoisyPlane) -> WhitePlane | None:
    """Return a plane transformed so that its noise is white; None if it stays.

    The coarse grid comes first, as it leaves nothing of what the noise is correlated
    by, unless the noise oscillates.
    """
    flat = flat_spectrum(problem)
    if flat is not None and blind_spot_fails(problem):
        return flat
    coarse = coarse_grid(problem)
    if coarse is not None or flat is None:
        return coarse
    return None if follows_lattice(flat.problem.plane_yxs) else flat
