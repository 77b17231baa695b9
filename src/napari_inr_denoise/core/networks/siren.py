"""SIREN: sine layers from coordinates to intensities."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Generator, Tensor, nn

from napari_inr_denoise.core.compute.precision import sine_product_dtype
from napari_inr_denoise.core.networks.fused_sine import sine_of_sums
from napari_inr_denoise.core.networks.layers import Linear


@dataclass(frozen=True)
class SineLayers:
    """Sizes and frequencies of the sine layers of a network.

    Attributes
    ----------
    width, depth : int
        Units per sine layer and number of sine layers.
    omega : float
        Frequency of the sine layers after the first.
    first_omega : float
        Frequency of the first sine layer.
    """

    width: int
    depth: int
    omega: float
    first_omega: float


class Siren(nn.Module):
    """Sine layers and a linear output layer.

    Sitzmann, Martel, Bergman, Lindell, Wetzstein, "Implicit Neural Representations
    with Periodic Activation Functions", NeurIPS 2020: x -> sin(omega (W x + b)),
    first weights U(-1/in, 1/in), the others U(-c, c) with c = sqrt(6/in) / omega.

    Parameters
    ----------
    inputs : int
        Number of coordinates.
    outputs : int
        Values predicted per coordinate.
    sines : SineLayers
        Sizes and frequencies of the sine layers.
    generator : torch.Generator
        On the CPU, so that a seed gives the same initial weights on every device.
    """

    def __init__(
        self, inputs: int, outputs: int, sines: SineLayers, generator: Generator
    ) -> None:
        super().__init__()
        self.omega = sines.omega
        self.first_omega = sines.first_omega
        sizes = [inputs] + [sines.width] * sines.depth + [outputs]
        self.layers = nn.ModuleList(
            Linear(fan_in, fan_out) for fan_in, fan_out in pairwise(sizes)
        )
        self._initialise(generator)

    def _initialise(self, generator: Generator) -> None:
        """Draw the weights, and the biases from U(-1/sqrt(in), 1/sqrt(in))."""
        for number, layer in enumerate(self.linear_layers()):
            fan_in = layer.in_features
            bound = 1 / fan_in if number == 0 else math.sqrt(6 / fan_in) / self.omega
            with torch.no_grad():
                layer.weight.uniform_(-bound, bound, generator=generator)
                edge = 1 / math.sqrt(fan_in)
                layer.bias.uniform_(-edge, edge, generator=generator)

    def linear_layers(self) -> list[nn.Linear]:
        """Return the layers from input to output."""
        return [layer for layer in self.layers if isinstance(layer, nn.Linear)]

    def set_output_bias(self, values: Tensor) -> None:
        """Set the output bias, to start from the image's mean.

        Parameters
        ----------
        values : Tensor, shape (outputs,)
            Normalized units.
        """
        with torch.no_grad():
            self.linear_layers()[-1].bias.copy_(values)

    def forward(self, coordinates: Tensor) -> Tensor:
        """Predict the values at coordinates.

        Parameters
        ----------
        coordinates : Tensor, shape (N, inputs)

        Returns
        -------
        Tensor, shape (N, outputs)
        """
        first, *sines, last = self.linear_layers()
        values = torch.sin(self.first_omega * first(coordinates))
        kind = sine_product_dtype(values.device)
        for layer in sines:
            values = _sines(layer, values.to(kind), self.omega)
        result: Tensor = last(values.to(coordinates.dtype))
        return result


def _sines(layer: nn.Linear, values: Tensor, omega: float) -> Tensor:
    """Apply a sine layer, in the dtype of the values."""
    if values.dtype == layer.weight.dtype:
        return torch.sin(omega * layer(values))
    products = F.linear(values, layer.weight.to(values.dtype))
    return sine_of_sums(products, layer.bias, omega, values.dtype)
