"""ZS-N2N, written from the paper.

Y. Mansour and R. Heckel, "Zero-Shot Noise2Noise: Efficient Image Denoising without any
Data", CVPR 2023. Two half-size images, each of the means of opposite corners of 2 x 2
pixels, predict each other; a network of three convolutions predicts their noise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn
from torch.nn.functional import avg_pool2d, mse_loss, pad

if TYPE_CHECKING:
    from run import Task

_CHANNELS = 48
_STEPS = 2000
_RATE, _HALVED_AFTER = 1e-3, 1000


def denoise(task: Task) -> np.ndarray:
    """Train on the plane for 2000 steps, or until the time is over."""
    torch.manual_seed(0)
    low, extent = float(task.noisy.min()), float(np.ptp(task.noisy))
    noisy = torch.from_numpy((task.noisy - low) / extent)[None, None]
    noise_of = nn.Sequential(
        nn.Conv2d(1, _CHANNELS, 3, padding=1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(_CHANNELS, _CHANNELS, 3, padding=1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(_CHANNELS, 1, 1),
    )
    optimizer = torch.optim.Adam(noise_of.parameters(), lr=_RATE)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, _HALVED_AFTER, gamma=0.5)
    even = pad(noisy, (0, noisy.shape[3] % 2, 0, noisy.shape[2] % 2), "replicate")
    step = 0
    while not step or (step < _STEPS and not task.out_of_time()):
        optimizer.zero_grad()
        _loss(noise_of, even).backward()
        optimizer.step()
        schedule.step()
        step += 1
    task.note = f"{step} of {_STEPS} steps"
    with torch.no_grad():
        image = noisy - noise_of(noisy)
    return image[0, 0].numpy() * extent + low


def _halves(image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the means of one and of the other diagonal of each 2 x 2 pixels."""
    diagonal = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    mask = diagonal.repeat(image.shape[2] // 2, image.shape[3] // 2)
    return 2 * avg_pool2d(image * (1 - mask), 2), 2 * avg_pool2d(image * mask, 2)


def _loss(noise_of: nn.Module, noisy: torch.Tensor) -> torch.Tensor:
    """Return the symmetric residual loss plus the consistency loss."""
    first, second = _halves(noisy)
    from_first, from_second = first - noise_of(first), second - noise_of(second)
    whole_first, whole_second = _halves(noisy - noise_of(noisy))
    residual = mse_loss(from_first, second) + mse_loss(from_second, first)
    consistency = mse_loss(from_first, whole_first) + mse_loss(
        from_second, whole_second
    )
    return (residual + consistency) / 2
