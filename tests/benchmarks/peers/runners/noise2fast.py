"""Noise2Fast, written from the paper.

J. Lequyer, R. Philip, A. Sharma, W.-H. Hsu and L. Pelletier, "A fast blind zero-shot
denoiser", Nature Machine Intelligence 2022. The two colours of a checkerboard, closed
up along rows or along columns, are pairs of half-size images that a small network maps
onto each other. Training stops where the whole image, which it does not see, is no
longer predicted better; the result is the mean of the last evaluations.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy, mse_loss

if TYPE_CHECKING:
    from run import Task

_CHANNELS, _BLOCKS = 64, 4
_RATE = 1e-3
_EVALUATE_EVERY = 10
_PATIENCE = 100
"""Evaluations without gain after which it stops."""
_AVERAGED = 100
"""Last evaluations whose mean is the result."""


def denoise(task: Task) -> np.ndarray:
    """Train until nothing is gained, or until the time is over."""
    torch.manual_seed(0)
    low, extent = float(task.noisy.min()), float(np.ptp(task.noisy))
    noisy = torch.from_numpy((task.noisy - low) / extent)[None, None]
    network = _network()
    optimizer = torch.optim.Adam(network.parameters(), lr=_RATE)
    pairs = _pairs(noisy)
    rng = np.random.default_rng(0)
    last: deque[torch.Tensor] = deque(maxlen=_AVERAGED)
    best, waited, step = np.inf, 0, 0
    while not step or (waited < _PATIENCE and not task.out_of_time()):
        for number in rng.integers(len(pairs), size=_EVALUATE_EVERY):
            optimizer.zero_grad()
            source, target = pairs[number]
            binary_cross_entropy(network(source), target).backward()
            optimizer.step()
            step += 1
        with torch.no_grad():
            last.append(network(noisy))
        loss = float(mse_loss(last[-1], noisy))
        waited = 0 if loss < best else waited + 1
        best = min(best, loss)
    ended = "stopped by itself" if waited == _PATIENCE else "did not stop by itself"
    task.note = f"{step} steps, {ended}"
    image = torch.stack(tuple(last)).mean(dim=0)
    return image[0, 0].numpy() * extent + low


def _network() -> nn.Sequential:
    layers: list[nn.Module] = []
    channels = 1
    for _ in range(2 * _BLOCKS):
        layers += [nn.Conv2d(channels, _CHANNELS, 3, padding=1), nn.ReLU()]
        channels = _CHANNELS
    return nn.Sequential(*layers, nn.Conv2d(channels, 1, 1), nn.Sigmoid())


def _pairs(noisy: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Return the pairs of half images: closed up along x and along y, both ways."""
    image = noisy[0, 0]
    image = image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2]
    found = []
    for turned in (False, True):
        plane = image.T if turned else image
        rows = torch.arange(plane.shape[0])[:, None]
        columns = 2 * torch.arange(plane.shape[1] // 2)[None]
        colours = [plane[rows, columns + (rows + shift) % 2] for shift in (0, 1)]
        first, second = (half.T if turned else half for half in colours)
        found += [
            (first[None, None], second[None, None]),
            (second[None, None], first[None, None]),
        ]
    return found
