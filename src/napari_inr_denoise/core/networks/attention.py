"""An attention-guided convolutional network that never sees the pixel it predicts."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Generator, Tensor, nn

REACH = 2
"""Of the first, masked convolution, in pixels."""
PHASES = REACH + 1
"""Distance of the pixels that all later layers connect.

The first layer sees the square of 5x5 around a pixel, without the pixel. What lies
three pixels further sees a square that the pixel is not in, whatever the layers in
between: on each of the 3x3 sub-lattices an ordinary network may follow.
"""
_DILATIONS = (1, 2, 1, 2)


class AttentionNetwork(nn.Module):
    """ADNet made small and blind: sparse, enhancement, attention, reconstruction.

    Tian, Xu, Li, Zuo, Fei, Liu, "Attention-guided CNN for Image Denoising", Neural
    Networks 2020: a sparse block of plain and dilated convolutions, a feature
    enhancement block that joins the first features to the last, an attention block
    that multiplies them by a map of themselves, and a reconstruction block. Narrower
    and shallower than theirs and without batch normalisation, as it is trained on
    one image; with a blind spot, as there is no clean one.

    Parameters
    ----------
    samples : int
        Values of a pixel.
    width : int
        Channels.
    context : int
        Planes beside this one that are seen too, each through the square of 5x5.
    generator : torch.Generator
        On the CPU, so that a seed gives the same start everywhere.
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
        self.beside = _convolution(context * samples, width, side) if context else None
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
                    torch.nn.init.zeros_(layer.get_parameter("bias"))
        with torch.no_grad():
            self.last.weight.mul_(0.3)
            # A gain of 0.12 to begin with.
            self.last.get_parameter("bias")[self.samples :] = -2.0

    def _around(self, planes: Tensor, counts: Tensor) -> Tensor:
        """Return the mean of what counts around each pixel, without the pixel."""
        mask = self.get_buffer("mask")[None, None]
        sums = F.conv2d(
            planes * counts,
            mask.expand(planes.shape[1], 1, -1, -1),
            padding=REACH,
            groups=planes.shape[1],
        )
        mean: Tensor = sums / F.conv2d(counts, mask, padding=REACH).clamp_min(1.0)
        return mean

    def _seen(
        self, values: Tensor, counts: Tensor, weights: Tensor, level: Tensor
    ) -> Tensor:
        """Return a convolution of values, relative to the level where they are seen."""
        seen = F.conv2d(values, weights, padding=REACH)
        by_sample = [
            F.conv2d(counts, weights[:, [k]], padding=REACH) * level[:, [k]]
            for k in range(self.samples)
        ]
        return seen - torch.stack(by_sample).sum(dim=0)

    def forward(
        self, linear: Tensor, stabilised: Tensor, counts: Tensor, context: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Predict each pixel from its surroundings.

        Parameters
        ----------
        linear, stabilised : Tensor, shape (N, samples, Y, X)
            The same values in two scales; Y and X multiples of `PHASES`.
        counts : Tensor, shape (N, 1, Y, X)
            1 where a value may be looked at, 0 elsewhere.
        context : Tensor, shape (N, planes * (samples + 1), Y, X)
            Planes beside, one after the other, as from `planes_beside`. Their noise
            is another, so that they are seen at the pixel's own place too.

        Returns
        -------
        predicted : Tensor, shape (N, samples, Y, X)
            In the linear scale.
        gain : Tensor, shape (N, samples, Y, X)
            In (0, 1): the share of the difference to the pixel that is added back.
        """
        level = self._around(stabilised, counts)
        weights = self.first.weight * self.get_buffer("mask")
        seen = self._seen(stabilised * counts, counts, weights, level)
        if self.beside is not None:
            each = context.unflatten(1, (-1, self.samples + 1))
            for number, kernel in enumerate(
                self.beside.weight.split(self.samples, dim=1)
            ):
                values, there = each[:, number, :-1], each[:, number, -1:]
                seen = seen + self._seen(values, there, kernel, level)
        bias = self.first.get_parameter("bias")[:, None, None]
        features = F.relu(seen + bias + self.level(level))
        far = _apart(features)
        for one, other in zip(self.sparse[::2], self.sparse[1::2], strict=True):
            far = F.relu(far + other(F.relu(one(far))))
        joined = torch.cat([features, _together(far, features)], dim=1)
        enhanced = torch.tanh(self.enhance(joined)) + joined
        attended = enhanced * torch.sigmoid(self.attend(enhanced))
        offset, gain = self.last(F.relu(self.rebuild(attended))).chunk(2, dim=1)
        return self._around(linear, counts) + offset, torch.sigmoid(gain)


def _convolution(
    inputs: int, outputs: int, side: int = 1, dilation: int = 1
) -> nn.Conv2d:
    """Return a convolution that keeps the planes' size, its weights not yet drawn."""
    layer: nn.Conv2d = nn.utils.skip_init(
        nn.Conv2d,
        inputs,
        outputs,
        side,
        padding=dilation * (side // 2),
        dilation=dilation,
    )
    return layer


def _apart(planes: Tensor) -> Tensor:
    """Return the sub-lattices of planes as a larger batch of smaller planes."""
    count, channels, height, width = planes.shape
    parts = planes.view(
        count, channels, height // PHASES, PHASES, width // PHASES, PHASES
    )
    return parts.permute(0, 3, 5, 1, 2, 4).reshape(
        -1, channels, height // PHASES, width // PHASES
    )


def _together(parts: Tensor, like: Tensor) -> Tensor:
    """Return the planes that `_apart` took apart."""
    count, channels, height, width = like.shape
    planes = parts.view(
        count, PHASES, PHASES, channels, height // PHASES, width // PHASES
    )
    return planes.permute(0, 3, 4, 1, 5, 2).reshape(count, channels, height, width)
