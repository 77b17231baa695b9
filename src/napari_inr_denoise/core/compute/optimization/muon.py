"""Muon: steps along orthogonal matrices, for the hidden layers of a network.

Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024, with
steps in proportion to those of AdamW (Liu et al., "Muon is Scalable for LLM Training",
arXiv 2502.16982). It replaces the running mean of a layer's gradients by the nearest
orthogonal matrix, so that the network learns all directions at once. AdamW first learns
the directions with large gradients, such as the local brightness, and thin structure
late.

Two things are our own. The length of a step is in proportion to the running mean over a
usual gradient, because the orthogonal matrix of mere noise has full size too. And steps
become shorter with their number, because an orthogonal matrix does not become small
when the network has learned everything.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from napari_inr_denoise.core.compute.optimization.adamw import Group

_MOMENTUM, _SQUARES = 0.9, 0.95
"""Decay rates of the mean of the gradients and of their squared norms."""
_LONGER = 8.0
"""Change of a weight over that by AdamW at the same rate, if all gradients agree. 4 was
as good after 200 steps, and worse after 25."""
_FULL = 50
"""Number of steps of full length. Then the length falls as one over the number, which
does not need the end in advance. With the root of the number, or without a fall, large
networks overfit: `auto` lost 0.1 and 0.3 dB on a two-photon frame after 300 steps."""
_ITERATION = (3.4445, -4.775, 2.0315)
"""Coefficients of the odd polynomial that takes singular values towards 1 (Jordan et
al.). Five times lead from 0.01 and more to between 0.7 and 1.2."""
_ITERATIONS = 5
_TINY = 1e-20


class Muon:
    """Steps of the hidden layers. It reads no number from the device.

    Parameters
    ----------
    group : dict
        Weights of the layers, each once and of shape (outputs, inputs), and their decay
        over the rate. There may be none.

    Attributes
    ----------
    state : list of Tensor
        All tensors that a step changes.
    """

    def __init__(self, group: Group) -> None:
        weights = group["params"]
        self._weights, self._decay = weights, group["weight_decay"]
        self._means = [torch.zeros_like(weight) for weight in weights]
        self._squares = [weight.new_zeros(()) for weight in weights]
        self.state = [*self._weights, *self._means, *self._squares]
        if weights:
            # A tensor as well: a recorded step would repeat a number of the host.
            self._count = weights[0].new_zeros(())
            self.state.append(self._count)

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor], rate: float | Tensor) -> None:
        """Take a step.

        Parameters
        ----------
        gradients : sequence of Tensor
            One for each weight, of its shape, in the same order.
        rate : float or Tensor
            Learning rate, as for AdamW.

        Raises
        ------
        ValueError
            If there are more or fewer gradients than weights.
        """
        if self._weights:
            self._count.add_(1)
            rate = rate * (_FULL / self._count).clamp(max=1.0)
        each = zip(self._weights, gradients, self._means, self._squares, strict=True)
        for weight, gradient, mean, square in each:
            mean.lerp_(gradient, 1 - _MOMENTUM)
            square.lerp_(gradient.square().sum(), 1 - _SQUARES)
            length = mean.norm() / (1 - _MOMENTUM**self._count)
            usual = (square / (1 - _SQUARES**self._count)).sqrt()
            agreement = length / usual.clamp(_TINY)
            # With the gradient once more, as the next mean will be (Nesterov).
            direction = _orthogonal(gradient.lerp(mean, _MOMENTUM))
            direction *= max(weight.shape) ** 0.5  # a mean square of 1
            weight.mul_(1 - self._decay * rate)
            weight.sub_(direction * (_LONGER * rate * agreement))


def _orthogonal(matrix: Tensor) -> Tensor:
    """Return about the orthogonal matrix that is nearest to a matrix."""
    tall = matrix.shape[0] > matrix.shape[1]
    found: Tensor = matrix.T if tall else matrix
    found = found / found.norm().clamp(_TINY)
    linear, cubic, quintic = _ITERATION
    for _ in range(_ITERATIONS):
        square = found @ found.T
        mixed = torch.addmm(square, square, square, beta=cubic, alpha=quintic)
        found = torch.addmm(found, mixed, found, beta=linear)
    return found.T if tall else found
