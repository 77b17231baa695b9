"""The pixels around a pixel, gathered without the pixel itself: inputs of a network.

::

    . . . . .      radius 2, hole 0: the 24 dots around the pixel x are seen;
    . . . . .      hole 1: the 8 pixels next to x are not seen either, for where
    . . x . .      noise is correlated they would give the pixel's own noise away.
    . . . . .
    . . . . .
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor

from napari_inr_denoise.core.beside import LEVEL_WIDTH, local_levels
from napari_inr_denoise.core.precision import product_dtype

TURNS = 8
"""Flips and turns of a square; 0 leaves it as it is."""


@dataclass(frozen=True)
class Hidden:
    """What the network does not see of some pixels, in its units.

    Attributes
    ----------
    level : Tensor, shape (N, samples)
        Local level of the linear values.
    hole : Tensor, shape (N, samples, hidden)
        Linear values inside the hole, the pixel's own among them.
    weight : Tensor, shape (N, 1, hidden)
        1 where a value inside the hole counts, 0 elsewhere.
    """

    level: Tensor
    hole: Tensor
    weight: Tensor


@dataclass(frozen=True)
class Seen(Hidden):
    """What is known around some pixels, in the network's units.

    Attributes
    ----------
    features : Tensor, shape (N, values)
        Stabilised values seen, relative to their local level; that level; and what is
        seen in each plane of the context, made as bright as this one, relative to the
        same level.
    """

    features: Tensor


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
    context : sequence of Tensor, each of shape (samples + 1, Y, X)
        From `planes_beside`. The noise of another plane is another, so that nothing is
        hidden.
    context_radius : int
        Reach of what is seen there, in pixels.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - a plane, and what is seen of it
        self,
        linear_syx: Tensor,
        stabilised_syx: Tensor,
        counts_yx: Tensor,
        radius: int,
        hole: int,
        context: Sequence[Tensor] = (),
        context_radius: int = 0,
    ) -> None:
        self.samples, self.height, self.width = linear_syx.shape
        self.radius, self.hole = radius, hole
        device = linear_syx.device
        far = _reaches(radius).to(device)
        self._seen = torch.nonzero(far > hole).flatten()
        self.hidden_distance = _squared_distances(hole).to(device)
        counts = counts_yx[None].to(linear_syx.dtype)
        both = torch.cat([linear_syx * counts, stabilised_syx * counts, counts])
        levels = local_levels(both, LEVEL_WIDTH + hole, radius, hole)
        self._linear_level, self._level = levels.chunk(2, dim=1)
        hidden = torch.nonzero(far <= hole).flatten()
        self._seen_windows = _Windows(
            torch.cat([stabilised_syx * counts, counts]), radius, self._seen
        )
        self._hidden_windows = _Windows(
            torch.cat([linear_syx * counts, counts]), radius, hidden
        )
        everything = torch.arange((2 * context_radius + 1) ** 2, device=device)
        self._context_places = everything
        self._context_windows = [
            _Windows(plane, context_radius, everything) for plane in context
        ]
        self.turned_columns = [self._turned(turn) for turn in range(TURNS)]

    @property
    def values(self) -> int:
        """How many features there are for a pixel."""
        beside = len(self._context_windows) * len(self._context_places)
        return int(self.samples * (len(self._seen) + 1 + beside))

    def _turned(self, turn: int) -> Tensor:
        """Return the order of the features that turns what is seen."""
        groups = [_turned_places(self._seen, turn)] * self.samples
        groups += [torch.zeros(1, dtype=torch.long, device=self._seen.device)] * (
            self.samples
        )
        beside = self.samples * len(self._context_windows)
        groups += [_turned_places(self._context_places, turn)] * beside
        # Each group of features keeps its place and is turned within itself.
        orders, first = [], 0
        for group in groups:
            orders.append(group + first)
            first += len(group)
        return torch.cat(orders)

    def around(self, flat: Tensor) -> Seen:
        """Gather what is seen around pixels.

        Parameters
        ----------
        flat : Tensor of int, shape (N,)
            Row times the plane's width plus column.
        """
        rows, columns = self._places(flat)
        hidden = self.hidden(flat)
        level = self._level[flat]
        seen = [
            _relative(one.around(rows, columns), level)
            for one in (self._seen_windows, *self._context_windows)
        ]
        return Seen(
            features=torch.cat([seen[0], level, *seen[1:]], dim=1),
            level=hidden.level,
            hole=hidden.hole,
            weight=hidden.weight,
        )

    def _places(self, flat: Tensor) -> tuple[Tensor, Tensor]:
        rows = torch.div(flat, self.width, rounding_mode="floor")
        return rows, flat % self.width

    def hidden(self, flat: Tensor) -> Hidden:
        """Gather what is not seen around pixels.

        Parameters
        ----------
        flat : Tensor of int, shape (N,)
            As for `around`.
        """
        values = self._hidden_windows.around(*self._places(flat))
        return Hidden(self._linear_level[flat], values[:, :-1], values[:, -1:])

    def weighed(self, rows: slice, weights: Tensor) -> Tensor:
        """Return the features of whole rows, weighed and summed: (N, units).

        The same as a product with `around(...).features`, in a fraction of the time.

        Parameters
        ----------
        rows : slice
            Of the plane.
        weights : Tensor, shape (units, values)
            Of a layer that sees the features.
        """
        level = self._level[rows.start * self.width : rows.stop * self.width]
        count = self.samples * len(self._seen)
        own, levels, beside = weights.tensor_split((count, count + self.samples), 1)
        total = level @ levels.t()
        parts = zip(
            (self._seen_windows, *self._context_windows),
            (own, *beside.chunk(max(len(self._context_windows), 1), 1)),
            strict=False,
        )
        for windows, part in parts:
            total += windows.weighed(rows, part.unflatten(1, (self.samples, -1)), level)
        return total


def _relative(window: Tensor, level: Tensor) -> Tensor:
    """Return values relative to a level, 0 where they don't count, (N, values)."""
    return ((window[:, :-1] - level[..., None]) * window[:, -1:]).flatten(1)


class _Windows:
    """Values at chosen places of the window around any pixel.

    A gather by flat places takes an eighth of the time of an index into a view of all
    windows.
    """

    def __init__(self, planes: Tensor, radius: int, places: Tensor) -> None:
        padded = F.pad(planes, (radius,) * 4)
        self._flat = padded.flatten(1).unbind()
        self._padded = padded.to(product_dtype(planes.device))
        self._stride = planes.shape[-1] + 2 * radius
        self._side, self._places = 2 * radius + 1, places
        down = torch.div(places, self._side, rounding_mode="floor")
        self._offsets = down * self._stride + places % self._side
        missing = 1 - padded[None, -1:]
        for line in ((self._side, 1), (1, self._side)):
            missing = F.max_pool2d(missing, line, stride=1)
        self._incomplete = missing[0, 0] > 0

    def around(self, rows: Tensor, columns: Tensor) -> Tensor:
        """Return the values, (N, planes, places); zero outside the plane."""
        first = rows * self._stride + columns
        index = (first[:, None] + self._offsets).flatten()
        # Plane by plane: selecting from one dimension is by far the fastest.
        parts = [
            plane.index_select(0, index).view(len(first), -1) for plane in self._flat
        ]
        return torch.stack(parts, dim=1)

    def weighed(self, rows: slice, weights: Tensor, level: Tensor) -> Tensor:
        """Return sums of the values relative to a level, (N, units).

        Parameters
        ----------
        rows : slice
            Of the plane.
        weights : Tensor, shape (units, samples, places)
            Of the values.
        level : Tensor, shape (N, samples)
            Of each pixel of these rows.
        """
        kernels = weights.new_zeros(*weights.shape[:2], self._side**2)
        kernels[:, :, self._places] = weights
        kernels = kernels.to(product_dtype(weights.device))
        # As if all counted, and then corrected where some don't.
        total = -level @ kernels.sum(dim=2, dtype=level.dtype).t()
        for k, plane in enumerate(self._padded[:-1]):
            total += self._every(plane, rows) @ kernels[:, k].t()
        at = torch.nonzero(self._incomplete[rows].flatten()).flatten()
        if len(at):
            missing = 1 - self._every(self._padded[-1], rows)[at]
            for k in range(len(self._padded) - 1):
                total[at] += level[at, k, None] * (missing @ kernels[:, k].t())
        return total

    def _every(self, plane: Tensor, rows: slice) -> Tensor:
        """Return all values around each pixel of whole rows, (N, side * side)."""
        band = plane[rows.start : rows.stop + self._side - 1]
        windows = band.unfold(0, self._side, 1).unfold(1, self._side, 1)
        return windows.reshape(-1, self._side**2)


def _turned_places(places: Tensor, turn: int) -> Tensor:
    """Return, for places of a square window, which of them a turn brings there.

    Parameters
    ----------
    places : Tensor of int
        Ascending; whatever the turn, the same places are taken.
    turn : int
        1: flipped along Y, 2: along X, 4: transposed.
    """
    side = round(float(int(places[-1]) + 1) ** 0.5)
    position = torch.full((side * side,), -1, device=places.device)
    position[places] = torch.arange(len(places), device=places.device)
    square = position.view(side, side)
    square = square.flip(0) if turn & 1 else square
    square = square.flip(1) if turn & 2 else square
    square = square.t() if turn & 4 else square
    return square.flatten()[places]


def _squared_distances(radius: int) -> Tensor:
    """Return the squared distance of each place in a window from its centre."""
    steps = torch.arange(-radius, radius + 1, dtype=torch.float32)
    return (steps[:, None] ** 2 + steps[None, :] ** 2).flatten()


def _reaches(radius: int) -> Tensor:
    """Return the larger of the distances along Y and X from the centre."""
    steps = torch.arange(-radius, radius + 1).abs()
    return torch.maximum(steps[:, None], steps[None, :]).flatten()
