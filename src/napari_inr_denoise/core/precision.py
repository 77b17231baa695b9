"""In which precision matrices are multiplied."""

from __future__ import annotations

from functools import cache

import torch


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
