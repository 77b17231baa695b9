"""The plain way: a SIREN, one value a coordinate, every pixel in every step.

What somebody writes who knows the method and nothing of speed: float32, eager PyTorch,
Adam, the stop at Chen's noise level. Everything else is measured against it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_inr_denoise import estimate_noise
from napari_inr_denoise.core.compute.devices import synchronize
from napari_inr_denoise.core.networks.siren import SineLayers, Siren
from napari_inr_denoise.core.sampling.coordinates import pixel_coordinates

STEPS = 500
WIDTH, DEPTH = 256, 4
_OMEGA, _RATE = 30.0, 1e-4


@dataclass(frozen=True)
class PlainRun:
    """What was measured of the plain way.

    Attributes
    ----------
    step_seconds : list of float
        Of each step but the first.
    stopped_at : int or None
        The step at which the noise level was reached; None where it was not.
    image : ndarray of float, shape (Y, X)
        The output at the end.
    """

    step_seconds: list[float]
    stopped_at: int | None
    image: NDArray[np.float64]


class _PlainSiren(Siren):
    """The same network, its products in float32 whatever the device."""

    def forward(self, coordinates: Tensor) -> Tensor:
        first, *sines, last = self.linear_layers()
        values = torch.sin(self.first_omega * first(coordinates))
        for layer in sines:
            values = torch.sin(self.omega * layer(values))
        result: Tensor = last(values)
        return result


class PlainFit:
    """A SIREN and all pixels of one plane, values in [-1, 1].

    Parameters
    ----------
    noisy_yx : ndarray, shape (Y, X)
        Intensities.
    device : torch.device
        Where to compute.
    """

    def __init__(self, noisy_yx: NDArray[np.floating], device: torch.device) -> None:
        self._shape_yx = (noisy_yx.shape[0], noisy_yx.shape[1])
        self._low, high = float(noisy_yx.min()), float(noisy_yx.max())
        self._half = (high - self._low) / 2
        self.sigma = estimate_noise(noisy_yx, "YX").sigma_chen / self._half
        scaled = (noisy_yx - self._low) / self._half - 1
        self._targets = _tensor(scaled.reshape(-1, 1), device)
        self._coordinates = _coordinates(self._shape_yx).to(device)
        sines = SineLayers(WIDTH, DEPTH, omega=_OMEGA, first_omega=_OMEGA)
        start = torch.Generator().manual_seed(0)
        self._network = _PlainSiren(2, 1, sines, start).to(device)
        self._adam = torch.optim.Adam(self._network.parameters(), lr=_RATE)
        self._device = device

    def step(self) -> tuple[float, Tensor]:
        """Take a step on all pixels; return the error before it, and the output."""
        output = self._network(self._coordinates)
        loss = (output - self._targets).square().mean()
        self._adam.zero_grad()
        loss.backward()
        self._adam.step()
        synchronize(self._device)
        return float(loss.detach()), output.detach()

    def image(self, output: Tensor) -> NDArray[np.float64]:
        """Return an output in the plane's units."""
        values = output.cpu().numpy().astype(np.float64).reshape(self._shape_yx)
        return np.asarray((values + 1) * self._half + self._low)


def plain_way(
    noisy_yx: NDArray[np.floating], device: torch.device, most_steps: int = STEPS
) -> PlainRun:
    """Denoise a plane the plain way, or time the first steps of it.

    Parameters
    ----------
    noisy_yx : ndarray, shape (Y, X)
        Intensities.
    device : torch.device
        Where to compute.
    most_steps : int
        At least 2: the first is not timed.
    """
    fit, seconds = PlainFit(noisy_yx, device), []
    for number in range(most_steps):
        started = time.perf_counter()
        error, output = fit.step()
        seconds.append(time.perf_counter() - started)
        if error <= fit.sigma**2:
            return PlainRun(seconds[1:], number, fit.image(output))
    return PlainRun(seconds[1:], None, fit.image(output))


def _coordinates(shape_yx: tuple[int, int]) -> Tensor:
    rows, columns = (torch.arange(size, dtype=torch.float32) for size in shape_yx)
    grid = torch.stack(torch.meshgrid(rows, columns, indexing="ij"), dim=-1)
    return pixel_coordinates(grid.view(-1, 2), shape_yx, (1.0, 1.0))


def _tensor(values: NDArray[np.floating], device: torch.device) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32)).to(device)
