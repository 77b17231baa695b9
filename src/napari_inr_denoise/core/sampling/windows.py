"""Square windows around pixels: selected positions, or whole rows of pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor


class Windows:
    """Values at selected positions of the window around any pixel.

    Parameters
    ----------
    planes : Tensor, shape (planes, Y, X)
        Values, 0 at invalid pixels. The last plane is the mask of valid pixels.
    radius : int
        Window radius, in pixels.
    places : Tensor of int
        Selected positions of the window, as flat indices in row order.
    """

    def __init__(self, planes: Tensor, radius: int, places: Tensor) -> None:
        self._padded = F.pad(planes, (radius,) * 4)
        self._flat = self._padded.flatten(1).unbind()
        # Not a number where invalid: values and mask in one gather.
        invalid = self._padded[-1:] == 0
        marked = self._padded[:-1].masked_fill(invalid, torch.nan)
        self._marked = marked.flatten(1).unbind()
        self._stride = planes.shape[-1] + 2 * radius
        self._side, self._places = 2 * radius + 1, places
        down = torch.div(places, self._side, rounding_mode="floor")
        # int32 halves the memory traffic; a plane never has 2**31 pixels.
        self._offsets = (down * self._stride + places % self._side).int()

    def around(self, rows: Tensor, columns: Tensor) -> list[Tensor]:
        """Return the values of each plane, (N, places); 0 outside the plane.

        A gather with flat indices takes an eighth of the time of indexing a view of all
        windows. `index_select` along one dimension is the fastest gather.
        """
        return self._gathered(self._flat, rows, columns)

    def _gathered(
        self, planes: Sequence[Tensor], rows: Tensor, columns: Tensor
    ) -> list[Tensor]:
        first = (rows * self._stride + columns).int()
        index = (first[:, None] + self._offsets).flatten()
        shape = len(first), len(self._places)
        return [plane.index_select(0, index).view(shape) for plane in planes]

    def relative(self, rows: Tensor, columns: Tensor, level: Tensor) -> list[Tensor]:
        """Return the values minus a level; 0 at invalid pixels.

        Parameters
        ----------
        rows, columns : Tensor of int, shape (N,)
            Pixels.
        level : Tensor, shape (N, planes - 1)
            Level of each pixel, in the planes' dtype.
        """
        values = self._gathered(self._marked, rows, columns)
        return [
            one.sub_(level[:, k : k + 1]).nan_to_num_(nan=0.0)
            for k, one in enumerate(values)
        ]

    def kernels(self, weights: Tensor) -> Tensor:
        """Expand weights of the selected positions to the whole window.

        Parameters
        ----------
        weights : Tensor, shape (units, planes - 1, places)

        Returns
        -------
        Tensor, shape (units, planes - 1, side * side)
            In the planes' dtype; 0 at the other positions.
        """
        kernels = weights.new_zeros(*weights.shape[:2], self._side**2)
        kernels[:, :, self._places] = weights
        return kernels.to(self._padded.dtype)

    def band(self, rows: slice) -> Band:
        """Return the windows around all pixels of whole rows."""
        *values, counts = (self._every(plane, rows) for plane in self._padded)
        places, ends = self._incomplete
        incomplete = places[ends[rows.start] : ends[rows.stop]]
        width = counts.shape[1]
        incomplete = incomplete - rows.start * width
        return Band(
            [one.flatten(2).flatten(0, 1) for one in values],
            incomplete,
            1 - counts[incomplete // width, incomplete % width].flatten(1),
        )

    @cached_property
    def _incomplete(self) -> tuple[Tensor, list[int]]:
        """Return the pixels whose windows hold invalid values, and counts before rows.

        Computed once for the whole plane, because the host must wait for the GPU.
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
    """The windows around all pixels of whole rows.

    Attributes
    ----------
    values : list of Tensor, each of shape (N, side * side)
        Window values of each plane.
    incomplete : Tensor of int, shape (M,)
        Pixels whose windows hold invalid values.
    missing : Tensor, shape (M, side * side)
        1 at invalid values, 0 elsewhere.
    """

    values: list[Tensor]
    incomplete: Tensor
    missing: Tensor

    def add_to(self, total: Tensor, kernels: Tensor, level: Tensor) -> None:
        """Add weighted sums of the values minus a level.

        Parameters
        ----------
        total : Tensor, shape (N, units)
            Accumulator, modified in place.
        kernels : Tensor, shape (units, planes, side * side)
            Weights, from `Windows.kernels`.
        level : Tensor, shape (N, planes)
            Level of each pixel.
        """
        # Computed as if all values were valid, then corrected for invalid ones.
        total -= level @ kernels.sum(dim=2, dtype=level.dtype).t()
        for k, values in enumerate(self.values):
            total += values @ kernels[:, k].t()
        if len(self.incomplete):
            for k in range(len(self.values)):
                missing = self.missing @ kernels[:, k].t()
                total[self.incomplete] += level[self.incomplete, k, None] * missing


def _any_within(marked: Tensor, side: int) -> Tensor:
    """Return which squares, given by their first pixel, contain a marked pixel."""
    for dimension in range(2):
        reach = 1
        while reach < side:
            # The reach doubles in each iteration.
            step = min(reach, side - reach)
            left = marked.shape[dimension] - step
            marked = marked.narrow(dimension, 0, left) | marked.narrow(
                dimension, step, left
            )
            reach += step
    return marked
