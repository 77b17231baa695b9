"""Bias, frequency and sine of a SIREN layer: fused into one GPU kernel if possible."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

Sine = Callable[[Tensor, Tensor, float, torch.dtype], Tensor]
"""Function from products, bias, frequency and output dtype to sines."""
_CLOSE = 0.02
"""Relative tolerance of the check, larger than the rounding of bfloat16."""


def sine_of_sums(
    products: Tensor, bias: Tensor, omega: float, dtype: torch.dtype
) -> Tensor:
    """Return sin(omega * (products + bias)), with the phase in float32.

    Parameters
    ----------
    products : Tensor, shape (N, width)
        Inputs times weights, of any floating dtype.
    bias : Tensor, shape (width,)
        float32.
    omega : float
        Frequency.
    dtype : torch.dtype
        Dtype of the result.

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
    """Return the fused kernel if it is available and correct, else `_step_by_step`."""
    try:
        from napari_inr_denoise.core.networks.sine_kernels import (
            FusedSine,
        )

        fused: Sine = FusedSine.apply
        return fused if _agree(fused, device) else _step_by_step
    except Exception:  # noqa: BLE001 - no Triton, no compiler or no driver
        return _step_by_step


def _agree(fused: Sine, device: torch.device) -> bool:
    """Return whether sines and gradients match `_step_by_step` on a small example."""
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
    """Return the sines and the gradients of their weighted sum, in float32."""
    with torch.enable_grad():
        leaves = products.clone().requires_grad_(), bias.clone().requires_grad_()
        sines = sine(*leaves, 30.0, torch.bfloat16)
        gradients = torch.autograd.grad((sines.float() * weights).sum(), leaves)
    return [one.detach().float() for one in (sines, *gradients)]
