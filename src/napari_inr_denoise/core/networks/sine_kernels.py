"""Triton kernels that fuse bias, frequency and sine into one pass over memory.

Separate operations read and write the values of a layer five times, and five times
again for the gradient. The module needs Triton, which comes with PyTorch's CUDA
packages.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

_ROWS = 32
"""Rows per program: enough to sum the bias gradient in registers."""
_COLUMNS = 64


@triton.jit
def _tile(height, width, ROWS: tl.constexpr, COLUMNS: tl.constexpr):
    rows = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    columns = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    inside = (rows < height)[:, None] & (columns < width)[None, :]
    return rows[:, None] * width + columns[None, :], columns, inside


@triton.jit
def _phases(products, bias, omega, at, columns, inside, width):
    # Always float32: bfloat16 cannot represent fractions at 300.
    sums = tl.load(products + at, mask=inside, other=0).to(tl.float32)
    sums += tl.load(bias + columns, mask=columns < width, other=0)[None, :]
    return omega * sums


@triton.jit
def _forward(
    products,
    bias,
    sines,
    omega,
    height,
    width,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
):
    at, columns, inside = _tile(height, width, ROWS, COLUMNS)
    phases = _phases(products, bias, omega, at, columns, inside, width)
    tl.store(sines + at, tl.sin(phases), mask=inside)


@triton.jit
def _backward(
    products,
    bias,
    upstream,
    gradient,
    bias_parts,
    omega,
    height,
    width,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
):
    at, columns, inside = _tile(height, width, ROWS, COLUMNS)
    phases = _phases(products, bias, omega, at, columns, inside, width)
    given = tl.load(upstream + at, mask=inside, other=0).to(tl.float32)
    slopes = given * omega * tl.cos(phases)
    tl.store(gradient + at, slopes, mask=inside)
    part = bias_parts + tl.program_id(0).to(tl.int64) * width + columns
    tl.store(part, tl.sum(slopes, axis=0), mask=columns < width)


class FusedSine(torch.autograd.Function):
    """sin(omega * (products + bias)); see `core.networks.fused_sine`."""

    @staticmethod
    def forward(
        products: Tensor, bias: Tensor, omega: float, dtype: torch.dtype
    ) -> Tensor:
        """Return the sines; arguments as for `sine_of_sums`, contiguous."""
        sines = torch.empty_like(products, dtype=dtype)
        height, width = products.shape
        _forward[_grid(products)](
            products, bias, sines, omega, height, width, ROWS=_ROWS, COLUMNS=_COLUMNS
        )
        return sines

    @staticmethod
    def setup_context(ctx, inputs, output):  # noqa: ARG004
        """Save the values that the gradient needs."""
        products, bias, ctx.omega, _ = inputs
        ctx.save_for_backward(products, bias)

    @staticmethod
    def backward(ctx, upstream):
        """Return the gradients of products and bias."""
        products, bias = ctx.saved_tensors
        height, width = products.shape
        gradient = torch.empty_like(products)
        grid = _grid(products)
        # Partial sums of fixed rows in fixed order: bitwise reproducible.
        parts = torch.empty((grid[0], width), device=bias.device)
        _backward[grid](
            products,
            bias,
            upstream.contiguous(),
            gradient,
            parts,
            ctx.omega,
            height,
            width,
            ROWS=_ROWS,
            COLUMNS=_COLUMNS,
        )
        return gradient, parts.sum(0), None, None


def _grid(products: Tensor) -> tuple[int, int]:
    height, width = products.shape
    return triton.cdiv(height, _ROWS), triton.cdiv(width, _COLUMNS)
