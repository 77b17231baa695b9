"""AdamW: one fused kernel on the CPU; elsewhere all numbers are on the device.

Loshchilov, Hutter, "Decoupled Weight Decay Regularization", ICLR 2019. Same results as
`torch.optim.AdamW`, on the CPU the same bits. That class imports torch's compiler when
it is first used: one second of the three for a small image. It also reads beta1 from
the host, so that a recorded step would repeat the first value.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import torch
from torch import Tensor

BETA1 = 0.9
"""Default decay rate of the mean of the gradients."""
_BETA2, _EPSILON = 0.999, 1e-8


class Group(TypedDict):
    """Parameters with the same weight decay."""

    params: list[Tensor]
    weight_decay: float


class AdamWOnCpu:
    """AdamW by torch's fused kernel.

    Parameters
    ----------
    groups : list of dict
        Every weight once, with the weight decay of its group.
    """

    def __init__(self, groups: Sequence[Group]) -> None:
        self._groups = [_Moments.of(group) for group in groups]

    @torch.no_grad()
    def step(self, rate: float, beta1: float) -> None:
        """Take a step, with the gradients from `weight.grad`.

        Parameters
        ----------
        rate : float
            Learning rate.
        beta1 : float
            Decay rate of the mean of the gradients.
        """
        for group in self._groups:
            torch._foreach_add_(group.counts, 1)
            torch._fused_adamw_(
                group.weights,
                [one.grad for one in group.weights if one.grad is not None],
                group.means,
                group.squares,
                [],
                group.counts,
                lr=rate,
                beta1=beta1,
                beta2=_BETA2,
                weight_decay=group.decay,
                eps=_EPSILON,
                amsgrad=False,
                maximize=False,
            )


@dataclass(frozen=True)
class _Moments:
    """Weights of a group, and the moments of their gradients."""

    weights: list[Tensor]
    means: list[Tensor]
    squares: list[Tensor]
    counts: list[Tensor]
    decay: float

    @classmethod
    def of(cls, group: Group) -> _Moments:
        weights = group["params"]
        means, squares = ([torch.zeros_like(w) for w in weights] for _ in range(2))
        counts = [torch.zeros(()) for _ in weights]
        return cls(weights, means, squares, counts, group["weight_decay"])


class AdamWOnDevice:
    """AdamW with learning rate, beta1 and step count as tensors on the device.

    Parameters
    ----------
    groups : list of dict
        Every weight once, with the weight decay of its group.
    gradients : list of Tensor
        Of all weights, in the order of the groups. Read in each step.

    Attributes
    ----------
    rate : Tensor
        Learning rate.
    state : list of Tensor
        All tensors that a step changes.
    """

    def __init__(self, groups: Sequence[Group], gradients: Sequence[Tensor]) -> None:
        self._groups = groups
        self._gradients = list(gradients)
        self._weights = [weight for group in groups for weight in group["params"]]
        self._means = [torch.zeros_like(weight) for weight in self._weights]
        self._squares = [torch.zeros_like(weight) for weight in self._weights]
        self.rate, self._beta1, self._count = self._weights[0].new_zeros(3).unbind()
        self.state = [*self._weights, *self._means, *self._squares, self._count]

    @torch.no_grad()
    def set_rates(self, rate: float, beta1: float) -> None:
        """Set the learning rate and the decay rate of the mean of the gradients."""
        self.rate.fill_(rate)
        self._beta1.fill_(beta1)

    @torch.no_grad()
    def step(self) -> None:
        """Take a step."""
        self._count.add_(1)
        for group in self._groups:
            shrinkage = 1 - self.rate * group["weight_decay"]
            torch._foreach_mul_(group["params"], shrinkage)
        torch._foreach_mul_(self._means, self._beta1)
        new = torch._foreach_mul(self._gradients, 1 - self._beta1)
        torch._foreach_add_(self._means, new)
        torch._foreach_mul_(self._squares, _BETA2)
        torch._foreach_addcmul_(
            self._squares, self._gradients, self._gradients, value=1 - _BETA2
        )
        updates = list(torch._foreach_div(self._means, self._denominators()))
        step_size = self.rate / (1 - self._beta1**self._count)
        torch._foreach_mul_(updates, step_size)
        torch._foreach_sub_(self._weights, updates)

    def _denominators(self) -> list[Tensor]:
        denominators = list(torch._foreach_sqrt(self._squares))
        # 1 - beta2 ** count, also precise where it is small.
        correction = -torch.expm1(self._count * math.log(_BETA2))
        torch._foreach_mul_(denominators, correction.rsqrt())
        torch._foreach_add_(denominators, _EPSILON)
        return denominators
