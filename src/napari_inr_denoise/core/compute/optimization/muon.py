"""Muon: steps along orthogonal matrices, for the hidden layers of a network.

Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024, with
steps in proportion to those of AdamW (Liu et al., "Muon is Scalable for LLM Training",
arXiv 2502.16982). The running mean of a layer's gradients is replaced by the nearest
orthogonal matrix, so that all directions are learned at once. AdamW learns those along
which the gradients are large first, such as the local brightness, and thin structure
late.

Two things are added. A step is as long as the running mean is beside the gradients it
is the mean of: where these are mostly noise, the orthogonal matrix is as well. And
steps get shorter, for an orthogonal matrix does not become small where a network has
learned what there is.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

_MOMENTUM, _SQUARES = 0.9, 0.95
"""Decay rates of the mean of the gradients and of their squared norms."""
_LONGER = 8.0
"""Step of a weight over that of AdamW at the same rate, where all gradients agree.
Half as long gave the same after 200 steps, and less after 25."""
_FULL = 50
"""Number of steps of full length. After them it falls as one over their number, which
needs no end in advance. With the root of the number, or no fall, large networks
overfit: `auto` lost 0.1 and 0.25 dB on a two-photon frame after 300 steps."""
_DECAY = 10.0
"""Decay of the weights over the rate. 4 instead lost 0.3 dB on small planes with much
noise, and gained 0.05 dB on photographs; 16 where gradients are noise, and none where
they agree, was the same."""
_ITERATION = (3.4445, -4.775, 2.0315)
"""Coefficients of the odd polynomial that takes singular values towards 1 (Jordan et
al.). Five times lead from 0.01 and more to between 0.7 and 1.2."""
_ITERATIONS = 5
_TINY = 1e-20


class Muon:
    """Steps of the hidden layers, on any device; nothing is read from it.

    Parameters
    ----------
    weights : sequence of Tensor
        Matrices, each once.

    Attributes
    ----------
    state : list of Tensor
        All tensors that a step changes.
    """

    def __init__(self, weights: Sequence[Tensor]) -> None:
        self._weights = list(weights)
        self._means = [torch.zeros_like(weight) for weight in weights]
        # Sum of the squared norms, and of the weights of the terms of both sums.
        self._sums = [weight.new_zeros(3) for weight in weights]
        # A tensor as well: a recorded step repeats what it has read from the host.
        self._counts = [one.new_zeros(()) for one in weights[:1]]
        self.state = [*self._weights, *self._means, *self._sums, *self._counts]

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor], rate: float | Tensor) -> None:
        """Take a step.

        Parameters
        ----------
        gradients : sequence of Tensor
            Of the weights, in their order.
        rate : float or Tensor
            Learning rate, as of AdamW.
        """
        for count in self._counts:
            count.add_(1)
            rate = rate * (_FULL / count).clamp(max=1.0)
        each = zip(self._weights, gradients, self._means, self._sums, strict=True)
        for weight, gradient, mean, sums in each:
            mean.lerp_(gradient, 1 - _MOMENTUM)
            sums[0].lerp_(gradient.square().sum(), 1 - _SQUARES)
            sums[1].lerp_(torch.ones_like(sums[0]), 1 - _MOMENTUM)
            sums[2].lerp_(torch.ones_like(sums[0]), 1 - _SQUARES)
            agreement = mean.norm() / sums[1] / (sums[0] / sums[2]).sqrt().clamp(_TINY)
            # The gradient once more: the mean of the step after this one (Nesterov).
            direction = _orthogonal(gradient.lerp(mean, _MOMENTUM))
            # So that the mean square of its values is 1.
            direction *= max(weight.shape) ** 0.5
            weight.mul_(1 - _DECAY * rate)
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
