"""A network that predicts a pixel from its neighbours, with a blind spot."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Generator, Tensor, nn

from napari_inr_denoise.core.compute.precision import product_dtype
from napari_inr_denoise.core.networks.layers import Linear

BLURS = (0.7, 1.4, 3.0)
"""Standard deviations, in pixels, of the blurs of the hidden values."""


class Neighbourhood(nn.Module):
    """A multilayer perceptron with a blind spot and a learned gain.

    The first output is a prediction from the neighbours. The second is the gain: the
    fraction of (noisy - predicted) that is added back. If the blind spot is larger than
    the pixel, a third output weights blurs of the hidden values.

    Parameters
    ----------
    inputs : int
        Number of features of a pixel.
    samples : int
        Values predicted per pixel.
    width, depth : int
        Units per hidden layer and number of hidden layers.
    blurs : int
        Number of blurs; 1 if only the pixel is hidden.
    generator : torch.Generator
        On the CPU, so that a seed gives the same initial weights on every device.
    """

    def __init__(
        self,
        inputs: int,
        samples: int,
        *,
        width: int,
        depth: int,
        blurs: int,
        generator: Generator,
    ) -> None:
        super().__init__()
        self.samples, self.blurs = samples, blurs
        sizes = [inputs] + [width] * depth + [samples * (2 + blurs)]
        self.layers = nn.ModuleList(
            Linear(fan_in, fan_out) for fan_in, fan_out in pairwise(sizes)
        )
        self._initialise(generator)

    def _initialise(self, generator: Generator) -> None:
        """Draw weights; the small last layer first predicts about the local level."""
        for layer in self.linear_layers():
            edge = layer.in_features**-0.5
            with torch.no_grad():
                layer.weight.uniform_(-edge, edge, generator=generator)
                layer.bias.uniform_(-edge, edge, generator=generator)
        last = self.linear_layers()[-1]
        with torch.no_grad():
            last.weight.mul_(0.3)
            last.bias.zero_()
            # A gain of 0.045, or of 0.12 for correlated noise. In flat parts it stays
            # near the start, and the error that it tells is too large.
            start = -3.05 if self.blurs == 1 else -2.0
            last.bias[self.samples : 2 * self.samples] = start

    def linear_layers(self) -> list[nn.Linear]:
        """Return the layers from input to output."""
        return [layer for layer in self.layers if isinstance(layer, nn.Linear)]

    def forward(
        self, features: Tensor, columns: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Predict pixels from their neighbours.

        Parameters
        ----------
        features : Tensor, shape (N, inputs)
        columns : Tensor of int, shape (inputs,)
            Feature order of an orientation of the window. It permutes the first
            layer's weights, which is much less work than permuting the features.

        Returns
        -------
        offset : Tensor, shape (N, samples)
            Prediction minus the local level.
        gain : Tensor, shape (N, samples)
            In (0, 1): fraction of (noisy - predicted) that is added back.
        mix : Tensor, shape (N, samples, blurs)
            Weights of the blurs, with a sum of 1.
        """
        first = self.linear_layers()[0]
        kind = product_dtype(features.device)
        weights = first.weight[:, columns]
        return self.after_first(_product(features, weights, first.bias, kind))

    def after_first(self, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Apply all layers after the first.

        Parameters
        ----------
        values : Tensor, shape (N, width)
            Output of the first layer before the activation.

        Returns
        -------
        offset, gain, mix
            As from `forward`.
        """
        _, *others, last = self.linear_layers()
        kind = product_dtype(values.device)
        for layer in others:
            # Rounded before the activation: the same values from half the memory.
            values = F.relu(values.to(kind))
            values = _product(values, layer.weight, layer.bias, kind)
        values = last(F.relu(values).to(last.weight.dtype))
        parts = values.view(len(values), 2 + self.blurs, self.samples)
        offset, gain = parts[:, 0], torch.sigmoid(parts[:, 1])
        if self.blurs == 1:
            return offset, gain, torch.ones_like(gain)[..., None]
        return offset, gain, torch.softmax(parts[:, 2:], dim=1).transpose(1, 2)


def _product(values: Tensor, weight: Tensor, bias: Tensor, kind: torch.dtype) -> Tensor:
    """Apply a linear layer in another precision; the parameters keep theirs."""
    return F.linear(values.to(kind), weight.to(kind), bias.to(kind))
