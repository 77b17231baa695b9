"""Blind-spot windows: the pixels around a pixel without the pixel, as network inputs.

::

    . . . . .      radius 2, blind-spot radius 0: the network sees the 24
    . . . . .      pixels around the pixel x;
    . . x . .      blind-spot radius 1: the 8 adjacent pixels are hidden too, because
    . . . . .      correlated noise in them would reveal the noise of x.
    . . . . .
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from napari_inr_denoise.core.compute.precision import product_dtype
from napari_inr_denoise.core.sampling.augmentation import N_ORIENTATIONS, augment
from napari_inr_denoise.core.sampling.context import LEVEL_WIDTH, local_levels
from napari_inr_denoise.core.sampling.windows import Windows


@dataclass(frozen=True)
class Hidden:
    """Hidden values of N pixels, in normalized units.

    Attributes
    ----------
    level : Tensor, shape (N, samples)
        Local level (weighted mean) of the linear values.
    values : Tensor, shape (N, samples, hidden)
        Linear values inside the blind spot, including the pixel itself.
    weight : Tensor, shape (N, 1, hidden)
        1 for valid values inside the blind spot, 0 elsewhere.
    """

    level: Tensor
    values: Tensor
    weight: Tensor


@dataclass(frozen=True)
class Seen(Hidden):
    """Visible and hidden values of N pixels, in normalized units.

    Attributes
    ----------
    features : Tensor, shape (N, values)
        Network inputs: visible variance-stabilized values minus the local level, that
        level, and the values of each context slice minus the same level. The context
        slices are matched in brightness to this plane.
    """

    features: Tensor


@dataclass(frozen=True)
class LaidOut:
    """First-layer weights, arranged for the evaluation of whole rows.

    Attributes
    ----------
    levels : Tensor, shape (units, samples)
        Weights of the local levels.
    kernels : tuple of Tensor, each of shape (units, samples, side * side)
        Weights of the windows in the plane and in each context slice.
    """

    levels: Tensor
    kernels: tuple[Tensor, ...]


@dataclass(frozen=True)
class WindowRadii:
    """Radii of the windows around a pixel, in pixels.

    Attributes
    ----------
    window : int
        Window radius in the plane.
    blind_spot : int
        Blind-spot radius; 0 hides only the pixel itself.
    context : int
        Window radius in the context slices.
    context_blind_spot : int
        Blind-spot radius there; -1 hides nothing.
    """

    window: int
    blind_spot: int
    context: int = 0
    context_blind_spot: int = -1


class Neighbours:
    """The blind-spot windows of one plane.

    Parameters
    ----------
    linear_syx, stabilized_syx : Tensor, shape (samples, Y, X)
        Linear and variance-stabilized values, both normalized.
    counts_yx : Tensor of bool, shape (Y, X)
        Pixels that may be used as inputs. Pixels outside the plane never are.
    radii : WindowRadii
        Radii of the windows.
    context : sequence of Tensor, each of shape (samples + 1, Y, X)
        Context slices from `context_planes`. They need a blind spot only if they share
        offsets of pixels.
    """

    def __init__(
        self,
        linear_syx: Tensor,
        stabilized_syx: Tensor,
        counts_yx: Tensor,
        radii: WindowRadii,
        context: Sequence[Tensor] = (),
    ) -> None:
        self.samples, self.height, self.width = linear_syx.shape
        radius, blind_radius = radii.window, radii.blind_spot
        self.radius, self.blind_radius = radius, blind_radius
        device = linear_syx.device
        self._seen, hidden = _places(radius, blind_radius, device)
        self.hidden_distance = _squared_distances(blind_radius).to(device)
        counts = counts_yx[None].to(linear_syx.dtype)
        both = torch.cat([linear_syx * counts, stabilized_syx * counts, counts])
        levels = local_levels(both, LEVEL_WIDTH + blind_radius, radius, blind_radius)
        self._linear_level, self._level = levels.chunk(2, dim=1)
        # Inputs may have the reduced precision of products. Hidden values may not: they
        # are added back to the prediction.
        self._kind = product_dtype(device)
        self._seen_windows = Windows(
            torch.cat([stabilized_syx * counts, counts]).to(self._kind),
            radius,
            self._seen,
        )
        self._hidden_windows = Windows(
            torch.cat([linear_syx * counts, counts]), radius, hidden
        )
        beside, _ = _places(radii.context, radii.context_blind_spot, device)
        self._context_places = beside
        self._context_windows = [
            Windows(plane.to(self._kind), radii.context, beside) for plane in context
        ]
        self.oriented_columns = _oriented_columns(
            self.samples, radii, len(context), device
        )

    @property
    def values(self) -> int:
        """Number of features of a pixel."""
        context_part = len(self._context_windows) * len(self._context_places)
        return int(self.samples * (len(self._seen) + 1 + context_part))

    def around(self, flat: Tensor) -> Seen:
        """Gather the visible and hidden values of pixels.

        Parameters
        ----------
        flat : Tensor of int, shape (N,)
            Flat indices: row times the plane's width plus column.
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
            values=hidden.values,
            weight=hidden.weight,
        )

    def _rows_and_columns(self, flat: Tensor) -> tuple[Tensor, Tensor]:
        rows = torch.div(flat, self.width, rounding_mode="floor")
        return rows, flat % self.width

    def hidden(self, flat: Tensor) -> Hidden:
        """Gather the hidden values of pixels.

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
        """Return first-layer weights in the form that `weighed` takes.

        Parameters
        ----------
        weights : Tensor, shape (units, values)
            Weights of a layer whose inputs are the features.
        """
        count = self.samples * len(self._seen)
        own, levels, context_part = weights.tensor_split(
            (count, count + self.samples), 1
        )
        parts = zip(
            (self._seen_windows, *self._context_windows),
            (own, *context_part.chunk(max(len(self._context_windows), 1), 1)),
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
        """Yield the first-layer sums of whole rows, (N, units), layer by layer.

        They equal the product with `around(...).features`, in a fraction of the time.

        Parameters
        ----------
        rows : slice
            Rows of the plane.
        layers : sequence of LaidOut
            Weights. All layers share one gathering of the windows.
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
def _places(
    radius: int, blind_radius: int, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Return the window positions outside and inside the blind spot.

    Cached: creating a tensor from numbers makes the host wait for the GPU.
    """
    far = _reaches(radius)
    places = torch.arange(len(far))
    return places[far > blind_radius].to(device), places[far <= blind_radius].to(device)


@cache
def _oriented_columns(
    samples: int,
    radii: WindowRadii,
    context: int,
    device: torch.device,
) -> tuple[Tensor, ...]:
    """Return, for each orientation, the feature order that transforms the windows.

    Parameters
    ----------
    samples : int
        Values per pixel.
    radii : WindowRadii
        Radii of the windows.
    context : int
        Number of context slices.
    device : torch.device
        Device of the result.
    """
    cpu = torch.device("cpu")
    own, _ = _places(radii.window, radii.blind_spot, cpu)
    context_part, _ = _places(radii.context, radii.context_blind_spot, cpu)
    groups = [own] * samples + [torch.zeros(1, dtype=torch.long)] * samples
    groups += [context_part] * (samples * context)
    # Each group of features keeps its position and is permuted within itself.
    lengths = torch.tensor([0, *(len(group) for group in groups)])
    firsts = lengths.cumsum(0)[:-1].tolist()
    pairs = list(zip(groups, firsts, strict=True))
    orders = [
        torch.cat(
            [_oriented_places(group, orientation) + first for group, first in pairs]
        )
        for orientation in range(N_ORIENTATIONS)
    ]
    return tuple(order.to(device) for order in orders)


def _oriented_places(places: Tensor, orientation: int) -> Tensor:
    """Return the permutation of window positions for one orientation.

    Parameters
    ----------
    places : Tensor of int
        Ascending positions in a square window; the set is symmetric.
    orientation : int
        As for `augment`.
    """
    side = round(float(int(places[-1]) + 1) ** 0.5)
    position = torch.full((side * side,), -1, device=places.device)
    position[places] = torch.arange(len(places), device=places.device)
    return augment(position.view(side, side), orientation).flatten()[places]


def _squared_distances(radius: int) -> Tensor:
    """Return the squared distance of each window position from the centre."""
    steps = torch.arange(-radius, radius + 1, dtype=torch.float32)
    return (steps[:, None] ** 2 + steps[None, :] ** 2).flatten()


def _reaches(radius: int) -> Tensor:
    """Return the Chebyshev distance of each window position from the centre."""
    steps = torch.arange(-radius, radius + 1).abs()
    return torch.maximum(steps[:, None], steps[None, :]).flatten()
