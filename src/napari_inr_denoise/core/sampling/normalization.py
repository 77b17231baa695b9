"""A plane in a network's own scale: linear, stabilised, and the variance between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane

_TABLE = 512
_ROBUST_RANGE = (0.1, 99.9)
"""Percentiles that map to -1 and 1, so that one hot pixel does not squeeze the rest."""


def robust_range(values: NDArray[np.floating]) -> tuple[float, float]:
    """Return offset and scale that bring values to about [-1, 1].

    Parameters
    ----------
    values : ndarray
        At least one, of any shape.
    """
    low, high = np.percentile(values, _ROBUST_RANGE)
    if high <= low:
        low, high = values.min(), values.max()
    # Of values that are all the same there is no range.
    return float(low + high) / 2, float(high - low) / 2 or 1.0


@dataclass(frozen=True)
class CommonScale:
    """What brings the values of one or more planes near 0 and to about unit spread.

    Attributes
    ----------
    offset : ndarray, shape (samples,)
        In the image's units.
    scale : float
        One for all samples: their errors count alike.
    stabilised_offset, stabilised_scale : ndarray, shape (samples,)
        The same of the stabilised values.
    variance : float
        Mean of the planes' noise variances, in the image's units.
    """

    offset: NDArray[np.float64]
    scale: float
    stabilised_offset: NDArray[np.float64]
    stabilised_scale: NDArray[np.float64]
    variance: float

    @classmethod
    def of(cls, problems: Sequence[NoisyPlane]) -> CommonScale:
        """Return the scale of planes, each with at least one fitted pixel."""
        values = np.concatenate([one.plane_yxs[one.fitted_yx] for one in problems])
        even = np.concatenate(
            [one.variance_stabilized()[one.fitted_yx] for one in problems]
        )
        spread = even.std(axis=0)
        return cls(
            offset=values.mean(axis=0),
            scale=float(values.std(axis=0).mean()) or 1.0,
            stabilised_offset=even.mean(axis=0),
            stabilised_scale=np.where(spread > 0, spread, 1.0),
            variance=float(np.mean([one.noise.sigma**2 for one in problems])),
        )

    def weight(self, problem: NoisyPlane) -> float:
        """Return the weight of a plane's errors in the training of all.

        All planes' noise counts alike, be they dim or bright.
        """
        return self.variance / problem.noise.sigma**2

    def stabilised_syx(self, problem: NoisyPlane, device: torch.device) -> Tensor:
        """Return a plane with noise made even, (samples, Y, X)."""
        even = problem.variance_stabilized() - self.stabilised_offset
        return syx_tensor(even / self.stabilised_scale, device)


@dataclass(frozen=True)
class VarianceTable:
    """Noise variances at evenly spaced clean values, of one plane or of several.

    Attributes
    ----------
    low, step : Tensor, shape (planes, 1, 1)
        The first of the values and their distance, in the network's scale.
    nodes : Tensor, shape (planes, samples, nodes)
        Their variances, in the square of that scale.
    """

    low: Tensor
    step: Tensor
    nodes: Tensor

    @classmethod
    def of(cls, tables: Sequence[VarianceTable]) -> VarianceTable:
        """Return the tables of several planes, one after the other, as one."""
        low, step, nodes = zip(*(one.parts for one in tables), strict=True)
        return cls(torch.cat(low), torch.cat(step), torch.cat(nodes))

    @property
    def parts(self) -> tuple[Tensor, Tensor, Tensor]:
        """The table as plain tensors, which can be split and handed on."""
        return self.low, self.step, self.nodes

    def at(self, linear: Tensor) -> Tensor:
        """Return the variance at clean values.

        Parameters
        ----------
        linear : Tensor, shape (planes, N, samples)
            In the network's scale.
        """
        count = self.nodes.shape[-1]
        # Of a fit that broke down there is no place in the table.
        place = ((linear - self.low) / self.step).nan_to_num(0.0)
        place = place.clamp(0, count - 1.001)
        below = place.long()
        share = place - below
        rows = torch.arange(self.nodes[..., 0].numel(), device=linear.device)
        below = below + count * rows.view(len(self.nodes), 1, -1)
        flat = self.nodes.flatten()
        return torch.lerp(flat[below], flat[below + 1], share)


class PlaneScale:
    """A plane's values near 0 and of about unit spread, and the way back.

    Parameters
    ----------
    problem : NoisyPlane
        With at least one fitted pixel.
    device : torch.device
        Where the values are wanted.
    common : CommonScale, optional
        Of the planes that share a network; the plane's own if omitted.

    Attributes
    ----------
    linear_syx, stabilised_syx : Tensor, shape (samples, Y, X)
        The values, and those with noise made even.
    variances : VarianceTable
        Of the plane's noise.
    """

    def __init__(
        self,
        problem: NoisyPlane,
        device: torch.device,
        common: CommonScale | None = None,
    ) -> None:
        common = common or CommonScale.of([problem])
        self._offset, self._scale = common.offset, common.scale
        linear = (problem.plane_yxs - self._offset) / self._scale
        self.linear_syx = syx_tensor(linear, device)
        self.stabilised_syx = common.stabilised_syx(problem, device)
        self.variances = self._variances(problem, device)

    def _variances(self, problem: NoisyPlane, device: torch.device) -> VarianceTable:
        fitted = self.linear_syx.cpu()[:, torch.from_numpy(problem.fitted_yx.copy())]
        low, high = float(fitted.min()), float(fitted.max())
        step = max((high - low) / (_TABLE - 1), 1e-12)
        values = low + step * np.arange(_TABLE)
        intensities = values[:, None] * self._scale + self._offset
        nodes = problem.variance(intensities[:, None]) / self._scale**2
        # Rounded here: not every device has numbers of 64 bits.
        parts = np.array([[[low]]]), np.array([[[step]]]), nodes[:, 0].T[None].copy()
        return VarianceTable(
            *(torch.from_numpy(one.astype(np.float32)).to(device) for one in parts)
        )

    def to_intensities(self, linear: Tensor) -> NDArray[np.float32]:
        """Return values (..., samples) in the image's own units."""
        values = linear.cpu().numpy().astype(np.float64) * self._scale + self._offset
        return np.asarray(values, dtype=np.float32)


def syx_tensor(plane_yxs: NDArray[np.float64], device: torch.device) -> Tensor:
    """Return a plane (Y, X, samples) as float32, (samples, Y, X)."""
    ordered = np.ascontiguousarray(plane_yxs.transpose(2, 0, 1), dtype=np.float32)
    return torch.from_numpy(ordered).to(device)
