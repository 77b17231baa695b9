"""Volumes against the same planes as a stack: PSNR, told errors, CPU seconds.

Phantoms of 10x96x96 voxels from a seed, of tissue, spots and filaments, short and long
along Z:

    python -m tests.benchmarks.volumes
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_inr_denoise import denoise
from napari_inr_denoise.core.settings import preset_settings
from tests.benchmarks.machine import describe_run

_SHAPE = (10, 96, 96)
_LIGHT = ((3.0, 0.5), (20.0, 2.0))
"""Photons at the peak, and read noise."""
_PRESETS = ("fast", "auto", "best")
HEADER = (
    "| volume | photons | stack dB | within 1, 2 std | s | volume dB "
    "| within 1, 2 std | s |\n|---|---|---|---|---|---|---|---|"
)
_Volume = NDArray[np.float64]
_Random = np.random.Generator


def main() -> None:
    """Print one Markdown row for each volume."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="fast", choices=_PRESETS)
    options = parser.parse_args()
    for line in describe_run("tests.benchmarks.volumes", torch.device("cpu")):
        print(line)
    print(f"\n{HEADER}", flush=True)
    for name, make, long in _VOLUMES:
        for peak, read in _LIGHT:
            rng = np.random.default_rng(int(10 * long) + int(peak))
            clean = peak * make(rng, long)
            noisy = rng.poisson(clean) + rng.normal(0, read, clean.shape)
            cells = (
                _measured(noisy, clean, options.preset, mode)
                for mode in ("plane", "volume")
            )
            print(f"| {name} | {peak:g} | {' | '.join(cells)} |", flush=True)


def _measured(noisy: _Volume, clean: _Volume, preset: str, mode: str) -> str:
    started = time.process_time()
    settings = preset_settings(preset, mode=mode, seed=0)
    result = denoise(noisy.astype(np.float32), axes="ZYX", settings=settings)
    seconds = time.process_time() - started
    error, told = np.abs(result.image - clean), result.maps["uncertainty"]
    decibel = 10 * np.log10(clean.max() ** 2 / np.mean(error**2))
    inside = (float(np.mean(error < k * told)) for k in (1, 2))
    return (
        f"{decibel:.2f} | {', '.join(f'{one:.2f}' for one in inside)} | {seconds:.0f}"
    )


def _tissue(rng: _Random, long: float) -> _Volume:
    """Smooth cells with texture; `long` is their blur along Z, in planes."""
    shape = gaussian_filter(rng.standard_normal(_SHAPE), (long, 5, 5))
    texture = gaussian_filter(rng.standard_normal(_SHAPE), (long / 2, 1.5, 1.5))
    inside = 1 / (1 + np.exp(-6 * (shape / shape.std() - 0.4)))
    return _scaled(np.maximum(inside * (1 + 0.35 * texture / texture.std()), 0), 0.08)


def _spots(rng: _Random, long: float) -> _Volume:
    points = np.zeros(_SHAPE)
    for _ in range(150):
        points[tuple(rng.integers(0, _SHAPE))] += rng.uniform(0.2, 1)
    return _scaled(gaussian_filter(points, (long, 1.3, 1.3)), 0.08)


def _filaments(rng: _Random, long: float) -> _Volume:
    """Curved lines that run mostly within planes."""
    points = np.zeros(_SHAPE)
    for _ in range(14):
        place = rng.uniform(0, _SHAPE)
        course = rng.normal(size=3) * (0.15, 1, 1)
        for _ in range(200):
            course += rng.normal(0, 0.06, 3)
            course /= np.linalg.norm(course)
            place = place + 0.5 * course
            voxel = np.rint(place).astype(int)
            if (voxel >= 0).all() and (voxel < _SHAPE).all():
                points[tuple(voxel)] += 1
    return _scaled(gaussian_filter(np.minimum(points, 3), (long / 2, 0.8, 0.8)), 0.06)


def _scaled(volume: _Volume, background: float) -> _Volume:
    return background + (1 - background) * volume / volume.max()


_VOLUMES: tuple[tuple[str, Callable[[_Random, float], _Volume], float], ...] = (
    ("tissue, short along Z", _tissue, 1.0),
    ("tissue, long along Z", _tissue, 3.0),
    ("spots, short along Z", _spots, 1.0),
    ("spots, long along Z", _spots, 2.5),
    ("filaments, sharp along Z", _filaments, 1.0),
    ("filaments, blurred along Z", _filaments, 3.0),
)


if __name__ == "__main__":
    main()
