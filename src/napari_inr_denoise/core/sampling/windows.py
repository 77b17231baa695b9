"""Square windows around the pixels of planes: chosen places, or all of whole rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor


class Windows:
    """Values at chosen places of the window around any pixel.

    Parameters
    ----------
    planes : Tensor, shape (planes, Y, X)
        Values, 0 where they don't count; the last plane is 1 where they do.
    radius : int
        Reach of the window, in pixels.
    places : Tensor of int
        Of the window, row by row.
    """

    def __init__(self, planes: Tensor, radius: int, places: Tensor) -> None:
        self._padded = F.pad(planes, (radius,) * 4)
        self._flat = self._padded.flatten(1).unbind()
        self._stride = planes.shape[-1] + 2 * radius
        self._side, self._places = 2 * radius + 1, places
        down = torch.div(places, self._side, rounding_mode="floor")
        # Half as much to read as 64 bits; a plane never has 2**31 pixels.
        self._offsets = (down * self._stride + places % self._side).int()

    def around(self, rows: Tensor, columns: Tensor) -> list[Tensor]:
        """Return the values plane by plane, (N, places); zero outside the plane.

        A gather by flat places takes an eighth of the time of an index into a view of
        all windows, and selecting from one dimension is by far the fastest.
        """
        first = (rows * self._stride + columns).int()
        index = (first[:, None] + self._offsets).flatten()
        shape = len(first), len(self._places)
        return [plane.index_select(0, index).view(shape) for plane in self._flat]

    def relative(self, rows: Tensor, columns: Tensor, level: Tensor) -> list[Tensor]:
        """Return the same relative to a level, 0 where values don't count.

        Parameters
        ----------
        rows, columns : Tensor of int, shape (N,)
            Of pixels.
        level : Tensor, shape (N, planes - 1)
            Of each pixel, in the planes' precision.
        """
        *values, counts = self.around(rows, columns)
        return [
            torch.addcmul(one, counts, level[:, k : k + 1], value=-1)
            for k, one in enumerate(values)
        ]

    def kernels(self, weights: Tensor) -> Tensor:
        """Return weights of the chosen places as weights of the whole window.

        Parameters
        ----------
        weights : Tensor, shape (units, planes - 1, places)

        Returns
        -------
        Tensor, shape (units, planes - 1, side * side)
            In the planes' precision.
        """
        kernels = weights.new_zeros(*weights.shape[:2], self._side**2)
        kernels[:, :, self._places] = weights
        return kernels.to(self._padded.dtype)

    def band(self, rows: slice) -> Band:
        """Return all windows around the pixels of whole rows."""
        *values, counts = (self._every(plane, rows) for plane in self._padded)
        places, ends = self._incomplete
        incomplete = places[ends[rows.start] : ends[rows.stop]]
        incomplete = incomplete - rows.start * counts.shape[1]
        return Band(
            [one.flatten(2).flatten(0, 1) for one in values],
            incomplete,
            1 - counts.flatten(2).flatten(0, 1)[incomplete],
        )

    @cached_property
    def _incomplete(self) -> tuple[Tensor, list[int]]:
        """Return where windows hold values that don't count, and how many before a row.

        Of the whole plane at once: the host waits for a GPU to have counted them.
        """
        missing = _any_within(self._padded[-1] == 0, self._side)
        ends = torch.cumsum(missing.sum(dim=1), dim=0).cpu().tolist()
        return torch.nonzero(missing.flatten()).flatten(), [0, *ends]

    def _every(self, plane: Tensor, rows: slice) -> Tensor:
        """Return the windows around each pixel, (Y, X, side, side), a view."""
        band = plane[rows.start : rows.stop + self._side - 1]
        return band.unfold(0, self._side, 1).unfold(1, self._side, 1)


@dataclass(frozen=True)
class Band:
    """All windows around the pixels of whole rows.

    Attributes
    ----------
    values : list of Tensor, each of shape (N, side * side)
        One a plane.
    incomplete : Tensor of int, shape (M,)
        Pixels whose windows hold values that don't count.
    missing : Tensor, shape (M, side * side)
        1 where they don't, 0 elsewhere.
    """

    values: list[Tensor]
    incomplete: Tensor
    missing: Tensor

    def add_to(self, total: Tensor, kernels: Tensor, level: Tensor) -> None:
        """Add sums of the values relative to a level.

        Parameters
        ----------
        total : Tensor, shape (N, units)
            What they are added to.
        kernels : Tensor, shape (units, planes, side * side)
            Weights, from `Windows.kernels`.
        level : Tensor, shape (N, planes)
            Of each pixel of these rows.
        """
        # As if all counted, and then corrected where some don't.
        total -= level @ kernels.sum(dim=2, dtype=level.dtype).t()
        for k, values in enumerate(self.values):
            total += values @ kernels[:, k].t()
        if len(self.incomplete):
            for k in range(len(self.values)):
                missing = self.missing @ kernels[:, k].t()
                total[self.incomplete] += level[self.incomplete, k, None] * missing


def _any_within(marked: Tensor, side: int) -> Tensor:
    """Return in which squares of a side anything is marked, by their first pixel."""
    for dimension in range(2):
        reach = 1
        while reach < side:
            # Twice as far each time.
            step = min(reach, side - reach)
            left = marked.shape[dimension] - step
            marked = marked.narrow(dimension, 0, left) | marked.narrow(
                dimension, step, left
            )
            reach += step
    return marked
