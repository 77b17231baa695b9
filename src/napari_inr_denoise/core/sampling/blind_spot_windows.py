"""The pixels around a pixel, gathered without the pixel itself: inputs of a network.

::

    . . . . .      radius 2, hole 0: the 24 dots around the pixel x are seen;
    . . . . .      hole 1: the 8 pixels next to x are not seen either, for where
    . . x . .      noise is correlated they would give the pixel's own noise away.
    . . . . .
    . . . . .
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from napari_inr_denoise.core.compute.precision import product_dtype
from napari_inr_denoise.core.sampling.augmentation import TURNS, turned
from napari_inr_denoise.core.sampling.context import LEVEL_WIDTH, local_levels
from napari_inr_denoise.core.sampling.windows import Windows


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


@dataclass(frozen=True)
class LaidOut:
    """The weights of a layer that sees the features, laid out for whole rows.

    Attributes
    ----------
    levels : Tensor, shape (units, samples)
        Of the local levels.
    kernels : tuple of Tensor, each of shape (units, samples, side * side)
        Of the windows in the plane and in those beside it.
    """

    levels: Tensor
    kernels: tuple[Tensor, ...]


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
        From `context_planes`. The noise of another plane is another, so that nothing is
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
        self._seen, hidden = _places(radius, hole, device)
        self.hidden_distance = _squared_distances(hole).to(device)
        counts = counts_yx[None].to(linear_syx.dtype)
        both = torch.cat([linear_syx * counts, stabilised_syx * counts, counts])
        levels = local_levels(both, LEVEL_WIDTH + hole, radius, hole)
        self._linear_level, self._level = levels.chunk(2, dim=1)
        # What is seen goes into products; what is hidden is added back as it is.
        self._kind = product_dtype(device)
        self._seen_windows = Windows(
            torch.cat([stabilised_syx * counts, counts]).to(self._kind),
            radius,
            self._seen,
        )
        self._hidden_windows = Windows(
            torch.cat([linear_syx * counts, counts]), radius, hidden
        )
        everything, _ = _places(context_radius, -1, device)
        self._context_places = everything
        self._context_windows = [
            Windows(plane.to(self._kind), context_radius, everything)
            for plane in context
        ]
        self.turned_columns = _turned_columns(
            self.samples, (radius, hole), (len(context), context_radius), device
        )

    @property
    def values(self) -> int:
        """How many features there are for a pixel."""
        beside = len(self._context_windows) * len(self._context_places)
        return int(self.samples * (len(self._seen) + 1 + beside))

    def around(self, flat: Tensor) -> Seen:
        """Gather what is seen around pixels.

        Parameters
        ----------
        flat : Tensor of int, shape (N,)
            Row times the plane's width plus column.
        """
        rows, columns = self._rows_and_columns(flat)
        hidden = self.hidden(flat)
        level = self._level[flat].to(self._kind)
        seen = [
            part
            for windows in (self._seen_windows, *self._context_windows)
            for part in windows.relative(rows, columns, level)
        ]
        own = self.samples
        return Seen(
            features=torch.cat([*seen[:own], level, *seen[own:]], dim=1),
            level=hidden.level,
            hole=hidden.hole,
            weight=hidden.weight,
        )

    def _rows_and_columns(self, flat: Tensor) -> tuple[Tensor, Tensor]:
        rows = torch.div(flat, self.width, rounding_mode="floor")
        return rows, flat % self.width

    def hidden(self, flat: Tensor) -> Hidden:
        """Gather what is not seen around pixels.

        Parameters
        ----------
        flat : Tensor of int, shape (N,)
            As for `around`.
        """
        *values, counts = self._hidden_windows.around(*self._rows_and_columns(flat))
        return Hidden(
            self._linear_level[flat], torch.stack(values, dim=1), counts[:, None]
        )

    def laid_out(self, weights: Tensor) -> LaidOut:
        """Return a layer's weights as `weighed` takes them.

        Parameters
        ----------
        weights : Tensor, shape (units, values)
            Of a layer that sees the features.
        """
        count = self.samples * len(self._seen)
        own, levels, beside = weights.tensor_split((count, count + self.samples), 1)
        parts = zip(
            (self._seen_windows, *self._context_windows),
            (own, *beside.chunk(max(len(self._context_windows), 1), 1)),
            strict=False,
        )
        return LaidOut(
            levels,
            tuple(
                windows.kernels(part.unflatten(1, (self.samples, -1)))
                for windows, part in parts
            ),
        )

    def weighed(self, rows: slice, layers: Sequence[LaidOut]) -> Iterator[Tensor]:
        """Yield, layer by layer, the features of whole rows, weighed: (N, units).

        The same as a product with `around(...).features`, in a fraction of the time.

        Parameters
        ----------
        rows : slice
            Of the plane.
        layers : sequence of LaidOut
            They share the values around the pixels, which are laid out once.
        """
        level = self._level[rows.start * self.width : rows.stop * self.width]
        bands = [
            windows.band(rows)
            for windows in (self._seen_windows, *self._context_windows)
        ]
        for layer in layers:
            total = level @ layer.levels.t()
            for band, kernels in zip(bands, layer.kernels, strict=True):
                band.add_to(total, kernels, level)
            yield total


@cache
def _places(radius: int, hole: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return the places of a window that lie outside of the hole, and those inside.

    Kept, as all that is made of numbers alone: a GPU would be waited for.
    """
    far = _reaches(radius)
    places = torch.arange(len(far))
    return places[far > hole].to(device), places[far <= hole].to(device)


@cache
def _turned_columns(
    samples: int,
    window: tuple[int, int],
    context: tuple[int, int],
    device: torch.device,
) -> tuple[Tensor, ...]:
    """Return, for each turn, the order of the features that turns what is seen.

    Parameters
    ----------
    samples : int
        Values of a pixel.
    window : tuple of int
        Its radius and its hole.
    context : tuple of int
        How many planes beside, and the radius of their windows.
    device : torch.device
        Where the order is wanted.
    """
    cpu, (count, reach) = torch.device("cpu"), context
    own, _ = _places(*window, cpu)
    beside, _ = _places(reach, -1, cpu)
    groups = [own] * samples + [torch.zeros(1, dtype=torch.long)] * samples
    groups += [beside] * (samples * count)
    # Each group of features keeps its place and is turned within itself.
    lengths = torch.tensor([0, *(len(group) for group in groups)])
    firsts = lengths.cumsum(0)[:-1].tolist()
    pairs = list(zip(groups, firsts, strict=True))
    orders = [
        torch.cat([_turned_places(group, turn) + first for group, first in pairs])
        for turn in range(TURNS)
    ]
    return tuple(order.to(device) for order in orders)


def _turned_places(places: Tensor, turn: int) -> Tensor:
    """Return, for places of a square window, which of them a turn brings there.

    Parameters
    ----------
    places : Tensor of int
        Ascending; whatever the turn, the same places are taken.
    turn : int
        As for `turned`.
    """
    side = round(float(int(places[-1]) + 1) ** 0.5)
    position = torch.full((side * side,), -1, device=places.device)
    position[places] = torch.arange(len(places), device=places.device)
    return turned(position.view(side, side), turn).flatten()[places]


def _squared_distances(radius: int) -> Tensor:
    """Return the squared distance of each place in a window from its centre."""
    steps = torch.arange(-radius, radius + 1, dtype=torch.float32)
    return (steps[:, None] ** 2 + steps[None, :] ** 2).flatten()


def _reaches(radius: int) -> Tensor:
    """Return the larger of the distances along Y and X from the centre."""
    steps = torch.arange(-radius, radius + 1).abs()
    return torch.maximum(steps[:, None], steps[None, :]).flatten()
