"""Layers whose weights are not initialized.

Their networks draw the weights from a generator of their own. PyTorch's layers would
draw them from the global generator first. `torch.nn.utils.skip_init` avoids that too,
but loads PyTorch's compiler and SymPy, which takes almost a second.
"""

from __future__ import annotations

from torch import nn


class Linear(nn.Linear):
    """A linear layer with uninitialized weights."""

    def reset_parameters(self) -> None:
        """Do nothing."""


class Conv2d(nn.Conv2d):
    """A convolution with uninitialized weights."""

    def reset_parameters(self) -> None:
        """Do nothing."""
