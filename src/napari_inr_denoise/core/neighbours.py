"""The pixels around a pixel, gathered without the pixel itself: inputs of a network.

::

    . . . . .      radius 2, hole 0: the 24 dots around the pixel x are seen;
    . . . . .      hole 1: the 8 pixels next to x are not seen either, for where
    . . x . .      noise is correlated they would give the pixel's own noise away.
    . . . . .
    . . . . .
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor

TURNS = 8
"""Flips and turns of a square; 0 leaves it as it is."""
_LEVEL_WIDTH = 1.5
"""Standard deviation, in pixels, of the weights of the local level."""


@dataclass(frozen=True)
class Seen:
    """What is known around some pixels, in the network's units.

    Attributes
    ----------
    features : Tensor, shape (N, samples * seen + samples)
        Stabilised values seen, relative to their local level, and that level.
    level : Tensor, shape (N, samples)
        Local level of the linear values.
    hole : Tensor, shape (N, samples, hidden)
        Linear values inside the hole, the pixel's own among them.
    weight : Tensor, shape (N, 1, hidden)
        1 where a value inside the hole counts, 0 elsewhere.
    """

    features: Tensor
    level: Tensor
    hole: Tensor
    weight: Tensor


class Neighbours:
    """The windows around the pixels of one plane.

    Parameters
    ----------
    linear_syx, stabilised_syx : Tensor, shape (samples, Y, X)
        The same values in two scales, both near 0 and of about unit spread.
    counts_yx : Tensor of bool, shape (Y, X)
        Pixels that may be looked at; those outside of the plane never are.
    radius : int
        Reach of the window, in pixels.
    hole : int
        Reach of what is hidden around the pixel, in pixels; 0 hides the pixel alone.
    """

    def __init__(
        self,
        linear_syx: Tensor,
        stabilised_syx: Tensor,
        counts_yx: Tensor,
        radius: int,
        hole: int,
    ) -> None:
        self.samples, self.height, self.width = linear_syx.shape
        self.radius, self.hole = radius, hole
        side, device = 2 * radius + 1, linear_syx.device
        distance = _squared_distances(radius).to(device)
        far = _reaches(radius).to(device)
        self._seen = torch.nonzero(far > hole).flatten()
        self.hidden_distance = _squared_distances(hole).to(device)
        counts = counts_yx[None].to(linear_syx.dtype)
        width = _LEVEL_WIDTH + hole
        kernel = torch.exp(-distance / (2 * width**2)) * (far > hole)
        blurred = F.conv2d(
            torch.cat([linear_syx * counts, stabilised_syx * counts, counts])[:, None],
            kernel.view(1, 1, side, side),
            padding=radius,
        )[:, 0]
        levels = (blurred[:-1] / blurred[-1].clamp_min(1e-6)).flatten(1).t()
        self._linear_level, self._level = levels.chunk(2, dim=1)
        hidden = torch.nonzero(far <= hole).flatten()
        self._seen_windows = _Windows(
            torch.cat([stabilised_syx * counts, counts]), radius, self._seen
        )
        self._hidden_windows = _Windows(
            torch.cat([linear_syx * counts, counts]), radius, hidden
        )
        self.turned_columns = self._turns(side)

    @property
    def values(self) -> int:
        """How many features there are for a pixel."""
        return int(self.samples * (len(self._seen) + 1))

    def _turns(self, side: int) -> list[Tensor]:
        """Return, for each turn, the order of the features that turns the window."""
        position = torch.full((side * side,), -1, device=self._seen.device)
        position[self._seen] = torch.arange(len(self._seen), device=position.device)
        square = position.view(side, side)
        orders = []
        for turn in range(TURNS):
            turned = square.flip(0) if turn & 1 else square
            turned = turned.flip(1) if turn & 2 else turned
            turned = turned.t() if turn & 4 else turned
            one = turned.flatten()[self._seen]
            seen = [one + k * len(self._seen) for k in range(self.samples)]
            levels = torch.arange(self.samples, device=one.device)
            orders.append(torch.cat([*seen, levels + self.samples * len(self._seen)]))
        return orders

    def around(self, flat: Tensor) -> Seen:
        """Gather what is seen around pixels.

        Parameters
        ----------
        flat : Tensor of int, shape (N,)
            Row times the plane's width plus column.
        """
        rows = torch.div(flat, self.width, rounding_mode="floor")
        columns = flat % self.width
        seen = self._seen_windows.around(rows, columns)
        hidden = self._hidden_windows.around(rows, columns)
        level = self._level[flat]
        relative = (seen[:, :-1] - level[..., None]) * seen[:, -1:]
        return Seen(
            features=torch.cat([relative.flatten(1), level], dim=1),
            level=self._linear_level[flat],
            hole=hidden[:, :-1],
            weight=hidden[:, -1:],
        )


class _Windows:
    """Values at chosen places of the window around any pixel.

    A gather by flat places takes an eighth of the time of an index into a view of all
    windows.
    """

    def __init__(self, planes: Tensor, radius: int, places: Tensor) -> None:
        self._flat = F.pad(planes, (radius,) * 4).flatten(1).unbind()
        self._stride = planes.shape[-1] + 2 * radius
        side = 2 * radius + 1
        down = torch.div(places, side, rounding_mode="floor")
        self._offsets = down * self._stride + places % side

    def around(self, rows: Tensor, columns: Tensor) -> Tensor:
        """Return the values, (N, planes, places); zero outside the plane."""
        first = rows * self._stride + columns
        index = (first[:, None] + self._offsets).flatten()
        # Plane by plane: selecting from one dimension is by far the fastest.
        parts = [
            plane.index_select(0, index).view(len(first), -1) for plane in self._flat
        ]
        return torch.stack(parts, dim=1)


def _squared_distances(radius: int) -> Tensor:
    """Return the squared distance of each place in a window from its centre."""
    steps = torch.arange(-radius, radius + 1, dtype=torch.float32)
    return (steps[:, None] ** 2 + steps[None, :] ** 2).flatten()


def _reaches(radius: int) -> Tensor:
    """Return the larger of the distances along Y and X from the centre."""
    steps = torch.arange(-radius, radius + 1).abs()
    return torch.maximum(steps[:, None], steps[None, :]).flatten()
