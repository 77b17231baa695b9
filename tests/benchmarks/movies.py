"""Short time-lapses of few photons: error, and the error that was told.

Phantoms of 64x64 and 128x128 pixels, made from a seed, that keep still, drift, or hold
moving spots or a moving cell:

    python -m tests.benchmarks.movies

With frames that share noise, as after a running mean:

    python -m tests.benchmarks.movies --frames 14 --filter mean --movies drift

With frames of different noise, as after bleaching was corrected:

    python -m tests.benchmarks.movies --frames 10 --corrected bleaching --movies drift
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, gaussian_filter1d, zoom

from napari_inr_denoise import denoise
from napari_inr_denoise.core.settings import PRESETS
from tests.benchmarks.machine import describe_run

_SIZES = ((7, 64), (5, 128))
"""Frames, and side of a frame in pixels."""
_LIGHT = ((1.0, 4.0, 0.5), (3.0, 14.0, 0.5), (10.0, 60.0, 2.0))
"""Photons of background and of the brightest structure, and read noise."""
HEADER = (
    "| movie | frames | photons | RMSE | told | within 1 std | within 2 std |\n"
    "|---|---|---|---|---|---|---|"
)
_Random = np.random.Generator
_Movie = NDArray[np.float64]


def main() -> None:
    """Print one Markdown row for each movie."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="fast", choices=list(PRESETS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--movies", nargs="+", default=list(_MOVIES), choices=_MOVIES)
    parser.add_argument("--frames", type=int, help="instead of 7 and 5")
    parser.add_argument("--filter", default="none", choices=_FILTERS)
    parser.add_argument("--corrected", default="nothing", choices=_LIGHT_LEFT)
    options = parser.parse_args()
    for line in describe_run("tests.benchmarks.movies", torch.device("cpu")):
        print(line)
    print(f"\n{HEADER}", flush=True)
    for count, side in _SIZES:
        frames = options.frames or count
        for name in options.movies:
            shape = _MOVIES[name](frames, side, np.random.default_rng(options.seed))
            for low, high, read in _LIGHT:
                clean = low + (high - low) * np.clip((shape + 1) / 4, 0, 1)
                about = f"{name} | {frames} of {side}x{side} | {low:g} to {high:g}"
                print(f"| {about} | {_measured(clean, read, options)} |", flush=True)


def _measured(clean: _Movie, read: float, options: argparse.Namespace) -> str:
    rng = np.random.default_rng(options.seed + 1)
    light = _LIGHT_LEFT[options.corrected](np.arange(len(clean)))[:, None, None]
    noisy = (rng.poisson(clean * light) + rng.normal(0, read, clean.shape)) / light
    clean, noisy = (_FILTERS[options.filter](movie) for movie in (clean, noisy))
    result = denoise(noisy, axes="TYX", preset=options.preset, seed=options.seed)
    told, error = result.maps["uncertainty"], np.abs(result.image - clean)
    figures = (
        f"{np.sqrt(np.mean(error**2)):.3f}",
        f"{np.sqrt(np.mean(told**2)):.3f}",
        *(f"{np.mean(error < times * told):.2f}" for times in (1, 2)),
    )
    return " | ".join(figures)


def _still(frames: int, side: int, rng: _Random) -> _Movie:
    return np.stack([_texture((side, side), rng)] * frames)


def _drift(frames: int, side: int, rng: _Random) -> _Movie:
    """Two pixels a frame."""
    whole = _texture((side + 2 * frames, side), rng)
    return np.stack([whole[2 * k : 2 * k + side] for k in range(frames)])


def _texture(shape: tuple[int, int], rng: _Random) -> _Movie:
    blurred = gaussian_filter(rng.normal(size=shape), 3)
    return np.asarray(blurred / blurred.std())


def _spots(frames: int, side: int, rng: _Random) -> _Movie:
    """Spots of a PSF of 1.2 pixels, each with a speed of its own."""
    start, speed = rng.uniform(0, side, (25, 2)), rng.normal(0, 0.5, (25, 2))
    movie = np.full((frames, side, side), -1.0)
    for k in range(frames):
        for place in start + k * speed:
            movie[k] += 4 * np.exp(-(_distance(side, *place) ** 2) / (2 * 1.2**2))
    return movie


def _cells(frames: int, side: int, rng: _Random) -> _Movie:
    """A bright cell that moves by a pixel a frame, and a dim one that stays."""
    first, other = rng.uniform(0.2 * side, 0.6 * side, (2, 2))
    planes = []
    for k in range(frames):
        moving = 3.0 * (_distance(side, *np.add(first, [0, k])) < 9)
        planes.append(moving + (_distance(side, *other) < 7) - 1.0)
    return np.stack([gaussian_filter(plane, 1) for plane in planes])


def _distance(side: int, row: float, column: float) -> _Movie:
    rows, columns = np.ogrid[:side, :side]
    return np.asarray(np.hypot(rows - row, columns - column))


def _mean_of_three(movie: _Movie) -> _Movie:
    return np.asarray((movie[:-2] + movie[1:-1] + movie[2:]) / 3)


def _recursive(movie: _Movie) -> _Movie:
    """Half of each frame, and half of the mean before."""
    means = [movie[0]]
    for frame in movie[1:]:
        means.append((frame + means[-1]) / 2)
    return np.stack(means[1:])


_FILTERS: dict[str, Callable[[_Movie], _Movie]] = {
    "none": lambda movie: movie,
    "mean": _mean_of_three,
    "recursive": _recursive,
    "blur": lambda movie: gaussian_filter1d(movie, 1.0, axis=0),
    "resampled": lambda movie: zoom(movie, (2, 1, 1), order=1),
}
_LIGHT_LEFT: dict[str, Callable[[NDArray[np.int_]], _Movie]] = {
    "nothing": lambda frame: np.ones(frame.shape),
    "bleaching": lambda frame: 0.8**frame,
    "exposures": lambda frame: np.where(frame % 2, 0.1, 1.0),
}
"""What was corrected, and the light of each frame."""
_MOVIES: dict[str, Callable[[int, int, _Random], _Movie]] = {
    "still": _still,
    "drift": _drift,
    "spots": _spots,
    "cells": _cells,
}


if __name__ == "__main__":
    main()
