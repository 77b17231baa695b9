"""Light that dim, round objects keep.

Phantoms of 256x256 pixels from a seed: objects of 3 to 9 pixels radius, 1 to 8 photons
above a background of 4, read noise 1:

    python -m tests.benchmarks.dim_objects
"""

from __future__ import annotations

import argparse
import math
from collections import defaultdict
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_inr_denoise import denoise
from napari_inr_denoise.core.settings import PRESETS
from tests.benchmarks.machine import describe_run

_SIDE, _APART, _EDGE = 256, 30, 16
_BACKGROUND, _READ = 4.0, 1.0
_RADII, _PHOTONS = (3, 5, 7, 9), (1, 2, 4, 8)
_AROUND = 2
"""Pixels around an object whose light counts as its own."""
_BINS = (0, 4, 8, 16, 32, math.inf)
"""Limits of the signal-to-noise ratio of an object's summed light."""
_BLURS = (0.5, 0.7, 1, 1.4, 2, 2.8, 4)
HEADER = (
    "| signal / noise | objects | light kept | least, most | best blur keeps |\n"
    "|---|---|---|---|---|"
)
_Plane = NDArray[np.float64]


def main() -> None:
    """Print one Markdown row for each range of the signal-to-noise ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="fast", choices=list(PRESETS))
    parser.add_argument("--images", type=int, default=4)
    options = parser.parse_args()
    for line in describe_run("tests.benchmarks.dim_objects", torch.device("cpu")):
        print(line)
    kept = defaultdict(list)
    for seed in range(options.images):
        for ratio, *shares in _measured(seed, options.preset):
            kept[max(low for low in _BINS if low <= ratio)].append(shares)
    print(f"\n{HEADER}")
    for low, high in pairwise(_BINS):
        ours, blurred = np.array(kept[low]).T
        print(
            f"| {low:g} to {high:g} | {len(ours)} | {ours.mean():.2f} "
            f"| {ours.min():.2f}, {ours.max():.2f} | {blurred.mean():.2f} |"
        )


def _measured(seed: int, preset: str) -> list[tuple[float, float, float]]:
    """Return signal-to-noise ratio and share of the light kept of each object.

    The last share is that of the Gaussian blur with the smallest error.
    """
    rng = np.random.default_rng(seed)
    objects = _objects(rng)
    clean = _BACKGROUND + np.sum(objects, axis=0)
    noisy = rng.poisson(clean) + rng.normal(0, _READ, clean.shape)
    result = denoise(noisy, axes="YX", preset=preset, seed=seed).image
    blurs = [gaussian_filter(noisy, width) for width in _BLURS]
    blur = min(blurs, key=lambda plane: float(np.square(plane - clean).mean()))
    return [_kept(one, clean, result, blur) for one in objects]


def _objects(rng: np.random.Generator) -> list[_Plane]:
    """Return the light of each object; radii and photons in all combinations."""
    y, x = np.mgrid[:_SIDE, :_SIDE]
    objects = []
    centres = range(_EDGE, _SIDE - _EDGE + 1, _APART)
    for number, (row, column) in enumerate((a, b) for a in centres for b in centres):
        down, right = rng.uniform(-3, 3, 2)
        radius = _RADII[number % 4]
        photons = _PHOTONS[(number // 4) % 4]
        distance = np.hypot(y - row - down, x - column - right)
        objects.append(photons / (1 + np.exp(2 * (distance - radius))))
    return objects


def _kept(
    own: _Plane, clean: _Plane, result: _Plane, blur: _Plane
) -> tuple[float, float, float]:
    inside = own > own.max() / (1 + math.exp(2 * _AROUND))
    light = float((clean - _BACKGROUND)[inside].sum())
    noise = math.sqrt(float((clean + _READ**2)[inside].sum()))
    ours, blurred = (
        float((plane - _BACKGROUND)[inside].sum()) / light for plane in (result, blur)
    )
    return light / noise, ours, blurred


if __name__ == "__main__":
    main()
