"""The floating type of matrix products, and sums in a fixed order."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor


@cache
def product_dtype(device: torch.device) -> torch.dtype:
    """Return bfloat16 if the device multiplies it in hardware, else float32.

    Depends on the device alone, never on a measurement: the same seed must give the
    same bytes again.

    Parameters
    ----------
    device : torch.device
        Device of the products.
    """
    if device.type == "cuda":
        native = torch.cuda.get_device_capability(device) >= (8, 0)
    else:
        # Without these instructions bfloat16 is slower than float32. Torch before 2.6
        # has no such function.
        supported = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
        native = device.type == "cpu" and supported is not None and bool(supported())
    return torch.bfloat16 if native else torch.float32


def sine_product_dtype(device: torch.device) -> torch.dtype:
    """Return the floating type of products before a sine.

    Reduced in training alone: a rounded phase would be visible in a rendered image.

    Parameters
    ----------
    device : torch.device
        Device of the products.
    """
    return product_dtype(device) if torch.is_grad_enabled() else torch.float32


def total(values: Tensor) -> float:
    """Return the sum of values; the host waits for the device.

    By numpy on the CPU: its order does not depend on the number of threads.

    Parameters
    ----------
    values : Tensor of float32
        Of any shape, without a gradient.
    """
    if values.device.type == "cpu":
        return float(values.numpy().sum(dtype=np.float64))
    return float(values.sum())
