"""AdamW: on the CPU in one kernel, elsewhere with rates that lie on the device.

Loshchilov, Hutter, "Decoupled Weight Decay Regularization", ICLR 2019. The numbers of
`torch.optim.AdamW`, on the CPU its very bits. That one imports torch's compiler when it
is first made, a second of a small image's three; and it reads the share of the mean of
the gradients from the host, so that a recorded step would keep that of the first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import torch
from torch import Tensor

KEPT = 0.9
"""Share of the gradients' mean that a step keeps, unless it is told another."""
_KEPT_SQUARES, _EPSILON = 0.999, 1e-8


class Group(TypedDict):
    """Weights and their decay."""

    params: list[Tensor]
    weight_decay: float


class AdamWOnCpu:
    """Steps by torch's fused kernel.

    Parameters
    ----------
    groups : list of dict
        All weights, each once, and the decay of each group.
    """

    def __init__(self, groups: Sequence[Group]) -> None:
        self._groups = [_Moments.of(group) for group in groups]

    @torch.no_grad()
    def step(self, rate: float, kept: float) -> None:
        """Take a step down the gradients that lie at the weights.

        Parameters
        ----------
        rate : float
            Learning rate.
        kept : float
            Share of the gradients' mean that is kept.
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
                beta1=kept,
                beta2=_KEPT_SQUARES,
                weight_decay=group.decay,
                eps=_EPSILON,
                amsgrad=False,
                maximize=False,
            )


@dataclass(frozen=True)
class _Moments:
    """Weights, and what is kept of their gradients."""

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
    """Steps whose rates and count are numbers on the device.

    Parameters
    ----------
    groups : list of dict
        All weights, each once, and the decay of each group.
    gradients : list of Tensor
        Of all weights in the order of the groups; read in each step.

    Attributes
    ----------
    state : list of Tensor
        All that a step changes.
    """

    def __init__(self, groups: Sequence[Group], gradients: Sequence[Tensor]) -> None:
        self._groups = groups
        self._gradients = list(gradients)
        self._weights = [weight for group in groups for weight in group["params"]]
        self._means = [torch.zeros_like(weight) for weight in self._weights]
        self._squares = [torch.zeros_like(weight) for weight in self._weights]
        self._rate, self._kept, self._count = self._weights[0].new_zeros(3).unbind()
        self.state = [*self._weights, *self._means, *self._squares, self._count]

    @torch.no_grad()
    def set_rates(self, rate: float, kept: float) -> None:
        """Set the learning rate, and the share of the gradients' mean that is kept."""
        self._rate.fill_(rate)
        self._kept.fill_(kept)

    @torch.no_grad()
    def step(self) -> None:
        """Take a step."""
        self._count.add_(1)
        for group in self._groups:
            left = 1 - self._rate * group["weight_decay"]
            torch._foreach_mul_(group["params"], left)
        torch._foreach_mul_(self._means, self._kept)
        added = torch._foreach_mul(self._gradients, 1 - self._kept)
        torch._foreach_add_(self._means, added)
        torch._foreach_mul_(self._squares, _KEPT_SQUARES)
        torch._foreach_addcmul_(
            self._squares, self._gradients, self._gradients, value=1 - _KEPT_SQUARES
        )
        moves = list(torch._foreach_div(self._means, self._spreads()))
        length = self._rate / (1 - self._kept**self._count)
        torch._foreach_mul_(moves, length)
        torch._foreach_sub_(self._weights, moves)

    def _spreads(self) -> list[Tensor]:
        spreads = list(torch._foreach_sqrt(self._squares))
        # 1 - kept ** count, without the loss of digits where it is small.
        seen = -torch.expm1(self._count * math.log(_KEPT_SQUARES))
        torch._foreach_mul_(spreads, seen.rsqrt())
        torch._foreach_add_(spreads, _EPSILON)
        return spreads
