"""An attention-guided convolutional network with a blind spot."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Generator, Tensor, nn

from napari_inr_denoise.core.compute.precision import product_dtype
from napari_inr_denoise.core.networks.layers import Conv2d
from napari_inr_denoise.core.networks.sublattices import (
    batch_to_space,
    ring_sum,
    space_to_batch,
    windows,
)

REACH = 2
"""Radius of the first, masked convolution, in pixels."""
PHASES = REACH + 1
"""Stride of the sub-lattices on which the later layers work.

The first layer sees the 5x5 window around a pixel, without the pixel. The windows of
pixels that are three or more pixels away do not contain the pixel. On each of the 3x3
sub-lattices, any convolutions may therefore follow and keep the blind spot.
"""
_DILATIONS = (1, 2, 1, 2)


class AttentionNetwork(nn.Module):
    """A small ADNet with a blind spot.

    Tian, Xu, Li, Zuo, Fei, Liu, "Attention-guided CNN for Image Denoising", Neural
    Networks 2020: a sparse block of plain and dilated convolutions, a feature
    enhancement block that concatenates the first and the last features, an attention
    block that multiplies the features by an attention map, and a reconstruction block.
    This one is narrower and shallower and has no batch normalization, because it is
    trained on one image. It has a blind spot, because there is no clean target.

    Parameters
    ----------
    samples : int
        Values per pixel.
    width : int
        Number of channels.
    context : int
        Number of context slices, each seen through a 5x5 window.
    generator : torch.Generator
        On the CPU, so that a seed gives the same initial weights on every device.
    """

    def __init__(
        self, samples: int, width: int, context: int, generator: Generator
    ) -> None:
        super().__init__()
        side = 2 * REACH + 1
        mask = torch.ones(side, side)
        mask[REACH, REACH] = 0
        self.register_buffer("mask", mask)
        self.samples = samples
        self.first = _convolution(samples, width, side)
        self.context = (
            _convolution(context * samples, width, side, bias=False)
            if context
            else None
        )
        self.level = _convolution(samples, width)
        self.sparse = nn.ModuleList(
            _convolution(width, width, 3, dilation) for dilation in _DILATIONS
        )
        self.enhance = _convolution(2 * width, 2 * width)
        self.attend = _convolution(2 * width, 2 * width)
        self.rebuild = _convolution(2 * width, 2 * width)
        self.last = _convolution(2 * width, 2 * samples)
        self._initialise(generator)

    def _initialise(self, generator: Generator) -> None:
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                fan_in = layer.weight[0].numel()
                with torch.no_grad():
                    layer.weight.normal_(0, (1.4 / fan_in) ** 0.5, generator=generator)
                    if layer.bias is not None:
                        torch.nn.init.zeros_(layer.bias)
        with torch.no_grad():
            self.last.weight.mul_(0.3)
            # An initial gain of 0.12.
            self.last.get_parameter("bias")[self.samples :] = -2.0

    def forward(
        self, linear: Tensor, stabilized: Tensor, counts: Tensor, context: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Predict each pixel from its neighbours.

        Parameters
        ----------
        linear, stabilized : Tensor, shape (N, samples, Y, X)
            Linear and variance-stabilized values. Y and X are multiples of `PHASES`.
        counts : Tensor, shape (N, 1, Y, X)
            1 at pixels that may be used as inputs, 0 elsewhere.
        context : Tensor, shape (N, planes * (samples + 1), Y, X)
            Context slices from `context_planes`, concatenated. Their noise is
            independent, so that they need no blind spot.

        Returns
        -------
        predicted : Tensor, shape (N, samples, Y, X)
            Prediction in normalized linear units.
        gain : Tensor, shape (N, samples, Y, X)
            In (0, 1): fraction of (noisy - predicted) that is added back.
        """
        kind = product_dtype(linear.device)
        features = F.relu(self._first(stabilized, counts, context)).to(kind)
        far = space_to_batch(features, PHASES)
        squares = [one for one in self.sparse if isinstance(one, nn.Conv2d)]
        for one, other in zip(squares[::2], squares[1::2], strict=True):
            far = F.relu(far + _square(other, F.relu(_square(one, far))))
        joined = torch.cat([features, batch_to_space(far, PHASES)], dim=-1)
        enhanced = torch.tanh(_single(self.enhance, joined)) + joined
        attended = enhanced * torch.sigmoid(_single(self.attend, enhanced))
        rebuilt = F.relu(_single(self.rebuild, attended))
        # The last layer has full precision: rounding would be visible in the image.
        last = _single(self.last, rebuilt.to(linear.dtype)).movedim(3, 1)
        offset, gain = last.chunk(2, dim=1)
        return _level(linear, counts) + offset, torch.sigmoid(gain)

    def _first(self, stabilized: Tensor, counts: Tensor, context: Tensor) -> Tensor:
        """Return the first layer's output before the activation, (N, Y, X, width).

        The inputs are values minus the local level of the predicted pixel.
        """
        level = _level(stabilized, counts).movedim(1, -1)
        weights = self.first.weight * self.get_buffer("mask")
        seen = _relative(stabilized * counts, counts, level) @ weights.flatten(1).t()
        if self.context is not None:
            each = context.unflatten(1, (-1, self.samples + 1)).unbind(1)
            kernels = self.context.weight.split(self.samples, dim=1)
            for planes, kernel in zip(each, kernels, strict=True):
                values = _relative(planes[:, :-1], planes[:, -1:], level)
                seen = seen + values @ kernel.flatten(1).t()
        return seen + self.first.get_parameter("bias") + _single(self.level, level)


def _level(planes: Tensor, counts: Tensor) -> Tensor:
    """Return the mean of the valid pixels around each pixel, without the pixel."""
    return ring_sum(planes * counts, REACH) / ring_sum(counts, REACH).clamp_min(1.0)


def _relative(values: Tensor, counts: Tensor, level: Tensor) -> Tensor:
    """Return the values around each pixel minus its level, (N, Y, X, values)."""
    around = windows(values, REACH) - level[..., None, None] * windows(counts, REACH)
    return around.flatten(3)


def _single(layer: nn.Conv2d, values: Tensor) -> Tensor:
    """Apply a 1x1 convolution, channels last, as a matrix product."""
    kind = values.dtype
    weight, bias = layer.weight.flatten(1), layer.get_parameter("bias")
    return F.linear(values, weight.to(kind), bias.to(kind))


def _square(layer: nn.Conv2d, values: Tensor) -> Tensor:
    """Apply a 3x3 convolution, channels last."""
    kind = values.dtype
    weight, bias = layer.weight.to(kind), layer.get_parameter("bias").to(kind)
    reach = layer.dilation[0]
    planes = F.conv2d(values.movedim(3, 1), weight, bias, padding=reach, dilation=reach)
    return planes.movedim(1, 3)


def _convolution(
    inputs: int, outputs: int, side: int = 1, dilation: int = 1, *, bias: bool = True
) -> nn.Conv2d:
    """Return a convolution of the same output size, with uninitialized weights."""
    reach = dilation * (side // 2)
    return Conv2d(inputs, outputs, side, padding=reach, dilation=dilation, bias=bias)
