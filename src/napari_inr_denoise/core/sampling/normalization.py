"""Normalization of planes: linear and variance-stabilized values, noise variances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane

_TABLE = 512
"""Nodes of a table of noise variances."""
_ROBUST_RANGE = (0.1, 99.9)
"""Percentiles that map to -1 and 1. They make the range robust against hot pixels."""


def robust_range(values: NDArray[np.floating]) -> tuple[float, float]:
    """Return the offset and scale that map values to about [-1, 1].

    Parameters
    ----------
    values : ndarray
        At least one value; any shape.
    """
    low, high = np.percentile(values, _ROBUST_RANGE)
    if high <= low:
        low, high = values.min(), values.max()
    # Constant values have no range.
    return float(low + high) / 2, float(high - low) / 2 or 1.0


@dataclass(frozen=True)
class CommonScale:
    """Offset and scale that normalize one or more planes to mean 0 and SD 1.

    Attributes
    ----------
    offset : ndarray, shape (samples,)
        Mean of each sample, in the image's units.
    scale : float
        One scale for all samples, so that their errors have equal weight.
    stabilized_offset, stabilized_scale : ndarray, shape (samples,)
        Mean and standard deviation of the variance-stabilized values.
    variance : float
        Mean noise variance of the planes, in squared image units.
    """

    offset: NDArray[np.float64]
    scale: float
    stabilized_offset: NDArray[np.float64]
    stabilized_scale: NDArray[np.float64]
    variance: float

    @classmethod
    def of(cls, problems: Sequence[NoisyPlane]) -> CommonScale:
        """Return the normalization of planes, each with at least one fitted pixel."""
        values = np.concatenate([one.plane_yxs[one.fitted_yx] for one in problems])
        stabilized = np.concatenate(
            [one.variance_stabilized()[one.fitted_yx] for one in problems]
        )
        spread = stabilized.std(axis=0)
        return cls(
            offset=values.mean(axis=0),
            scale=float(values.std(axis=0).mean()) or 1.0,
            stabilized_offset=stabilized.mean(axis=0),
            stabilized_scale=np.where(spread > 0, spread, 1.0),
            variance=float(np.mean([one.noise.sigma**2 for one in problems])),
        )

    def weight(self, problem: NoisyPlane) -> float:
        """Return the weight of a plane's errors in the training on all planes.

        It is inverse to the noise variance: dim and bright planes contribute equally.
        """
        return self.variance / problem.noise.sigma**2

    def in_noise_variances(self, problem: NoisyPlane) -> float:
        """Return the factor from squared normalized units to noise variances.

        The normalized planes have variance 1, of signal and noise together.
        """
        return float(self.scale / problem.noise.sigma) ** 2

    def stabilized_syx(self, problem: NoisyPlane, device: torch.device) -> Tensor:
        """Return the normalized variance-stabilized plane, (samples, Y, X)."""
        stabilized = problem.variance_stabilized() - self.stabilized_offset
        return syx_tensor(stabilized / self.stabilized_scale, device)


@dataclass(frozen=True)
class VarianceTable:
    """Noise variances at evenly spaced clean values, for one or more planes.

    Attributes
    ----------
    low, step : Tensor, shape (planes, 1, 1)
        First value and step, in normalized units.
    nodes : Tensor, shape (planes, samples, nodes)
        Variances, in squared normalized units.
    """

    low: Tensor
    step: Tensor
    nodes: Tensor

    @classmethod
    def of(cls, tables: Sequence[VarianceTable]) -> VarianceTable:
        """Concatenate the tables of several planes."""
        low, step, nodes = zip(*(one.parts for one in tables), strict=True)
        return cls(torch.cat(low), torch.cat(step), torch.cat(nodes))

    @property
    def parts(self) -> tuple[Tensor, Tensor, Tensor]:
        """The table as a tuple of tensors."""
        return self.low, self.step, self.nodes

    def at(self, linear: Tensor) -> Tensor:
        """Return the interpolated noise variance at clean values.

        Parameters
        ----------
        linear : Tensor, shape (planes, N, samples)
            Clean values, in normalized units.
        """
        count = self.nodes.shape[-1]
        # A diverged fit predicts NaN.
        place = ((linear - self.low) / self.step).nan_to_num(0.0)
        place = place.clamp(0, count - 1.001)
        below = place.long()
        share = place - below
        rows = torch.arange(self.nodes[..., 0].numel(), device=linear.device)
        below = below + count * rows.view(len(self.nodes), 1, -1)
        flat = self.nodes.flatten()
        return torch.lerp(flat[below], flat[below + 1], share)


class PlaneScale:
    """A normalized plane, and the conversion back to intensities.

    Parameters
    ----------
    problem : NoisyPlane
        With at least one fitted pixel.
    device : torch.device
        Device of the tensors.
    common : CommonScale, optional
        Normalization of the planes that share a network. By default that of the plane.

    Attributes
    ----------
    linear_syx, stabilized_syx : Tensor, shape (samples, Y, X)
        Linear and variance-stabilized values, normalized.
    variances : VarianceTable
        Noise variances of the plane.
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
        self.stabilized_syx = common.stabilized_syx(problem, device)
        self.variances = self._variances(problem, device)

    def _variances(self, problem: NoisyPlane, device: torch.device) -> VarianceTable:
        fitted = self.linear_syx.cpu()[:, torch.from_numpy(problem.fitted_yx.copy())]
        low, high = float(fitted.min()), float(fitted.max())
        step = max((high - low) / (_TABLE - 1), 1e-12)
        values = low + step * np.arange(_TABLE)
        intensities = values[:, None] * self._scale + self._offset
        nodes = problem.variance(intensities[:, None]) / self._scale**2
        # Converted here, because not every device supports float64.
        parts = np.array([[[low]]]), np.array([[[step]]]), nodes[:, 0].T[None].copy()
        return VarianceTable(
            *(torch.from_numpy(one.astype(np.float32)).to(device) for one in parts)
        )

    def to_intensities(self, linear: Tensor) -> NDArray[np.float32]:
        """Return normalized values (..., samples) in the image's units."""
        values = linear.cpu().numpy().astype(np.float64) * self._scale + self._offset
        return np.asarray(values, dtype=np.float32)


def syx_tensor(plane_yxs: NDArray[np.float64], device: torch.device) -> Tensor:
    """Return a plane (Y, X, samples) as a float32 tensor (samples, Y, X)."""
    ordered = np.ascontiguousarray(plane_yxs.transpose(2, 0, 1), dtype=np.float32)
    return torch.from_numpy(ordered).to(device)
