"""In which precision matrices are multiplied, and values are added up."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor


@cache
def product_dtype(device: torch.device) -> torch.dtype:
    """Return bfloat16 where a device multiplies it in hardware, else float32.

    Of the device alone, never of a measurement: the same seed must give the same
    bytes again.

    Parameters
    ----------
    device : torch.device
        Where the products are.
    """
    if device.type == "cuda":
        native = torch.cuda.get_device_capability(device) >= (8, 0)
    else:
        # Without the instructions bfloat16 is slower than float32. Torch before 2.6
        # does not tell.
        told = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
        native = device.type == "cpu" and told is not None and bool(told())
    return torch.bfloat16 if native else torch.float32


def sine_product_dtype(device: torch.device) -> torch.dtype:
    """Return the precision of products whose sums a sine is trained through.

    Less in training alone, as a rounded phase would show in what is rendered.

    Parameters
    ----------
    device : torch.device
        Where the products are.
    """
    return product_dtype(device) if torch.is_grad_enabled() else torch.float32


def total(values: Tensor) -> float:
    """Return the sum of values, for which the host waits.

    On the CPU by numpy, which adds in the same order however many threads there are.

    Parameters
    ----------
    values : Tensor of float32
        Of any shape, without a gradient.
    """
    if values.device.type == "cpu":
        return float(values.numpy().sum(dtype=np.float64))
    return float(values.sum())
