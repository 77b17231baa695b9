"""Section on networks whose products are stacked into one: is it worth its own path?

Planes of a stack, channels, tiles and seeds could be trained as one network with one
more axis. A step of such networks is measured without their windows: the products,
their gradients and what is elementwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor

from napari_inr_denoise.core.compute.precision import product_dtype
from napari_inr_denoise.core.settings import preset_settings
from tests.benchmarks.gpu.place import Place, Row
from tests.benchmarks.limits import seconds_of

_OUTPUTS = 3
_COUNTS = (2, 4, 8)
_SHARES = (1, 4)
"""Pixels of a step are divided by these: a stack may draw fewer from each plane."""


def batched(place: Place) -> Iterator[Row]:
    """Yield how long a step of several networks takes, stacked and one by one."""
    for preset in ("fast", "auto"):
        chosen = preset_settings(preset).neighbourhood
        for share in _SHARES:
            pixels = 64 if place.dry else chosen.batch_size // share
            for count in _COUNTS[:1] if place.dry else _COUNTS:
                if not place.enough(8):
                    yield {"skipped": f"{count} x {preset}"}
                    continue
                sizes = [(2 * chosen.radius + 1) ** 2]
                sizes += [chosen.width] * chosen.depth + [_OUTPUTS]
                stacked, alone = _steps(sizes, count, pixels, place.device)
                stacked_s = seconds_of(stacked, place.device)
                alone_s = seconds_of(alone, place.device)
                yield {
                    "network": preset,
                    "networks": count,
                    "pixels": float(pixels),
                    "ms_stacked": 1e3 * stacked_s,
                    "ms_one_by_one": 1e3 * alone_s,
                    "ratio": alone_s / stacked_s,
                }


def _steps(
    sizes: Sequence[int], count: int, pixels: int, device: torch.device
) -> tuple[Callable[[], object], Callable[[], object]]:
    """Return functions that take the gradients of several networks.

    The first stacks their products, the second takes one network after the other.
    """
    draw = torch.Generator().manual_seed(0)
    weights = [
        (torch.randn(count, a, b, generator=draw) / a**0.5).to(device).requires_grad_()
        for a, b in pairwise(sizes)
    ]
    values = torch.randn(count, pixels, sizes[0], generator=draw).to(device)
    each = [[one[k].detach().requires_grad_() for one in weights] for k in range(count)]

    def alone() -> None:
        for own, seen in zip(each, values, strict=True):
            _gradients(own, seen)

    return partial(_gradients, weights, values), alone


def _gradients(weights: Sequence[Tensor], values: Tensor) -> Sequence[Tensor]:
    """Return the gradients of a mean square; all networks at once if stacked."""
    kind = product_dtype(values.device)
    *hidden, last = weights
    for weight in hidden:
        values = F.gelu((values.to(kind) @ weight.to(kind)).float())
    result = (values.to(kind) @ last.to(kind)).float()
    return torch.autograd.grad(result.square().mean(), list(weights))
