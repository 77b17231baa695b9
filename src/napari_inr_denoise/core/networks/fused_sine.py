"""The sine of a layer's sums: in one kernel where a GPU has one, else step by step."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

Sine = Callable[[Tensor, Tensor, float, torch.dtype], Tensor]
"""From products, bias, frequency and the type wanted to sines."""
_CLOSE = 0.02
"""Beyond the rounding of bfloat16, in which the check's values are."""


def sine_of_sums(
    products: Tensor, bias: Tensor, omega: float, dtype: torch.dtype
) -> Tensor:
    """Return sin(omega * (products + bias)), the phase in float32.

    Parameters
    ----------
    products : Tensor, shape (N, width)
        Inputs times weights, of any floating type.
    bias : Tensor, shape (width,)
        Of float32.
    omega : float
        Frequency.
    dtype : torch.dtype
        Of the sines.

    Returns
    -------
    Tensor, shape (N, width)
    """
    if products.device.type != "cuda":
        return _step_by_step(products, bias, omega, dtype)
    return _best(products.device)(products, bias, omega, dtype)


def _step_by_step(
    products: Tensor, bias: Tensor, omega: float, dtype: torch.dtype
) -> Tensor:
    return torch.sin(omega * (products.to(bias.dtype) + bias)).to(dtype)


@cache
def _best(device: torch.device) -> Sine:
    """Return the kernels if they are there and do what they should."""
    try:
        from napari_inr_denoise.core.networks.sine_kernels import (
            FusedSine,
        )

        fused: Sine = FusedSine.apply
        return fused if _agree(fused, device) else _step_by_step
    except Exception:  # noqa: BLE001 - no Triton, no compiler, no driver: all the same
        return _step_by_step


def _agree(fused: Sine, device: torch.device) -> bool:
    """Return whether sines and gradients are those of the steps, on a small example."""
    draw = torch.Generator().manual_seed(0)
    products = torch.randn((70, 40), generator=draw).to(device, torch.bfloat16)
    bias, weights = (torch.randn(40, generator=draw).to(device) for _ in range(2))
    found, wanted = (
        _outcome(sine, products, bias, weights) for sine in (fused, _step_by_step)
    )
    return all(
        bool((one - other).norm() <= _CLOSE * other.norm())
        for one, other in zip(found, wanted, strict=True)
    )


def _outcome(
    sine: Sine, products: Tensor, bias: Tensor, weights: Tensor
) -> list[Tensor]:
    """Return sines and the gradients of a weighted sum of them, in float32."""
    with torch.enable_grad():
        leaves = products.clone().requires_grad_(), bias.clone().requires_grad_()
        sines = sine(*leaves, 30.0, torch.bfloat16)
        gradients = torch.autograd.grad((sines.float() * weights).sum(), leaves)
    return [one.detach().float() for one in (sines, *gradients)]
