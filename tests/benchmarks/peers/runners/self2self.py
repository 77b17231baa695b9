"""Self2Self, written from the paper.

Y. Quan, M. Chen, T. Pang and H. Ji, "Self2Self With Dropout: Learning Self-Supervised
Denoising From Single Image", CVPR 2020. An encoder of partial convolutions and a
decoder with dropout predict pixels that were left out at random; the result is the mean
of many predictions with dropout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn
from torch.nn.functional import conv2d, interpolate, leaky_relu, max_pool2d, pad

if TYPE_CHECKING:
    from run import Task

_ENCODED, _DECODED = 48, 96
_DEPTH = 5
_LEFT_OUT = 0.3
"""Share of the pixels that are left out, and of the decoder's values."""
_SLOPE = 0.1
_RATE = 1e-4
_STEPS = 450_000
_PREDICTIONS = 50
_PREDICTING = 0.1
"""Share of the time that is kept for the predictions."""


class _PartialConvolution(nn.Module):
    """Convolution over the pixels that are there, with a mask that grows."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(channels, out, 3, padding=1, bias=False)
        self.bias = nn.Parameter(torch.zeros(1, out, 1, 1))

    def forward(
        self, image: torch.Tensor, mask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        seen = conv2d(mask, torch.ones(1, 1, 3, 3), padding=1)
        values = self.convolution(image * mask) * (9 / seen.clamp(min=1)) + self.bias
        known = (seen > 0).float()
        return leaky_relu(values * known, _SLOPE), known


class _Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.ModuleList(
            [_PartialConvolution(1, _ENCODED)]
            + [_PartialConvolution(_ENCODED, _ENCODED) for _ in range(_DEPTH + 1)]
        )
        self.decoder = nn.ModuleList()
        channels = _ENCODED
        for level in range(_DEPTH):
            skipped = 1 if level == _DEPTH - 1 else _ENCODED
            last = level == _DEPTH - 1
            widths = (64, 32) if last else (_DECODED, _DECODED)
            self.decoder.append(
                nn.ModuleList(
                    [
                        nn.Conv2d(channels + skipped, widths[0], 3, padding=1),
                        nn.Conv2d(widths[0], widths[1], 3, padding=1),
                    ]
                )
            )
            channels = widths[1]
        self.last = nn.Conv2d(channels, 1, 3, padding=1)

    def forward(self, image: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return the prediction, shape (1, 1, Y, X), from the pixels of a mask."""
        skips = [image * mask]
        values, known = self.encoder[0](image, mask)
        for layer in list(self.encoder)[1:-1]:
            values, known = layer(values, known)
            values, known = max_pool2d(values, 2), max_pool2d(known, 2)
            skips.append(values)
        values, _ = self.encoder[-1](values, known)
        skips.pop()
        for first, second in self.decoder:
            values = interpolate(values, scale_factor=2)
            values = torch.cat((values, skips.pop()), dim=1)
            values = leaky_relu(first(_dropped(values)), _SLOPE)
            values = leaky_relu(second(_dropped(values)), _SLOPE)
        return torch.sigmoid(self.last(_dropped(values)))


def _dropped(values: torch.Tensor) -> torch.Tensor:
    return torch.dropout(values, _LEFT_OUT, train=True)


def denoise(task: Task) -> np.ndarray:
    """Train until the time is over, and average predictions with dropout."""
    torch.manual_seed(0)
    low, extent = float(task.noisy.min()), float(np.ptp(task.noisy))
    noisy = torch.from_numpy((task.noisy - low) / extent)[None, None]
    height, width = noisy.shape[2:]
    unit = 2**_DEPTH
    whole = pad(noisy, (0, -width % unit, 0, -height % unit), "replicate")
    network = _Network()
    optimizer = torch.optim.Adam(network.parameters(), lr=_RATE)
    step = 0
    while not step or (step < _STEPS and not task.out_of_time(1 - _PREDICTING)):
        flips = [axis for axis in (2, 3) if torch.rand(1) < 0.5]
        image = whole.flip(flips)
        mask = (torch.rand(image.shape) > _LEFT_OUT).float()
        error = (network(image, mask) - image) * (1 - mask)
        loss = error.square().sum() / (1 - mask).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step += 1
    predictions: list[torch.Tensor] = []
    with torch.no_grad():
        while len(predictions) < _PREDICTIONS and not (
            predictions and task.out_of_time()
        ):
            mask = (torch.rand(whole.shape) > _LEFT_OUT).float()
            predictions.append(network(whole, mask))
    task.note = f"{step} of {_STEPS} steps, {len(predictions)} predictions"
    image = torch.stack(predictions).mean(dim=0)[..., :height, :width]
    return image[0, 0].numpy() * extent + low
