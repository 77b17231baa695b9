"""Training of SIREN, on a plane or on a volume."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import Tensor

from napari_inr_denoise.core.compute.optimization.gradient import Loss, part_count
from napari_inr_denoise.core.compute.optimization.optimizer import descent
from napari_inr_denoise.core.compute.optimization.weight_averaging import (
    WeightAverage,
    constant_horizon,
    selective_decay,
)
from napari_inr_denoise.core.compute.threads import one_thread
from napari_inr_denoise.core.networks.siren import SineLayers, Siren
from napari_inr_denoise.core.sampling.coordinates import first_layer_omega
from napari_inr_denoise.core.settings import DenoiseSettings

Draw = Callable[[int, torch.Generator], tuple[Tensor, Tensor, Tensor]]
"""Draws a number of patches with a generator: coordinates, targets and weights."""


def new_siren(
    shape: tuple[int, ...],
    spacing: tuple[float, ...],
    means: Tensor,
    settings: DenoiseSettings,
) -> Siren:
    """Return a SIREN with random initial weights.

    Parameters
    ----------
    shape, spacing : tuple
        Number of pixels along each dimension, and their size in any one unit.
    means : Tensor, shape (samples,)
        Means of the fitted values in the network's scale; the initial output bias.
    settings : DenoiseSettings
        Parameters of the network, size of the patches, and seed.
    """
    start = means.repeat_interleave(settings.siren.patch_size**2)
    sines = SineLayers(
        width=settings.siren.width,
        depth=settings.siren.depth,
        omega=settings.siren.omega,
        first_omega=first_layer_omega(settings.siren.first_period, shape, spacing),
    )
    generator = torch.Generator().manual_seed(settings.seed)
    network = Siren(len(shape), len(start), sines, generator)
    network.set_output_bias(start)
    return network


class SirenTraining:
    """AdamW with weight decay of the last layers only, and a running weight average.

    Parameters
    ----------
    network : Siren
        Network to train, on its device.
    draw : callable
        Function that draws the patches of a batch, see `Draw`.
    settings : DenoiseSettings
        Gives batch size, learning rate, weight decay, averaging and seed.

    Attributes
    ----------
    average : WeightAverage
        Running average of the network's weights.
    steps : int
        Steps taken so far.
    """

    def __init__(self, network: Siren, draw: Draw, settings: DenoiseSettings) -> None:
        device = next(network.parameters()).device
        self._network, self._draw, self._batch = (
            network,
            draw,
            settings.siren.batch_size,
        )
        self._generator = torch.Generator(device=device).manual_seed(settings.seed)
        self._parts = part_count(device)
        self.steps, self._seconds = 0, 0.0
        kept = constant_horizon(settings.siren.average_decay)
        self.average = WeightAverage(network, kept)
        groups = selective_decay(
            network.linear_layers(),
            settings.siren.decay_layers,
            settings.siren.weight_decay,
        )
        self._descent, self._rate = (
            descent(network, groups),
            settings.siren.learning_rate,
        )

    def advance(self, steps: int) -> None:
        """Take steps on random batches of patches."""
        started = time.monotonic()
        for _ in range(steps):
            with one_thread():
                batch = self._draw(self._batch, self._generator)
            self.step(*batch)
        self.steps += steps
        self._seconds += time.monotonic() - started

    @property
    def steps_per_second(self) -> float:
        """Steps taken over the time they took; 0 before the first."""
        return self.steps / self._seconds if self._seconds > 0 else 0.0

    def step(self, coordinates: Tensor, targets: Tensor, weights: Tensor) -> None:
        """Take one optimization step on the mean squared error.

        Parameters
        ----------
        coordinates : Tensor, shape (N, 2 or 3)
            Coordinates in the network's scale, see `core.sampling.coordinates`.
        targets : Tensor, shape (N, samples, side, side)
            Noisy values in the network's scale.
        weights : Tensor, shape (N, 1, side, side)
            1 where a target counts, 0 elsewhere.
        """
        with one_thread():
            counted = weights.sum().clamp_min(1.0) * targets.shape[1]
        parts = zip(
            coordinates.tensor_split(self._parts),
            targets.tensor_split(self._parts),
            weights.tensor_split(self._parts),
            strict=True,
        )
        losses = [Loss(self._loss, (at, to, by, counted)) for at, to, by in parts]
        self._descent.step(losses, self._rate)
        with one_thread():
            self.average.update()

    def _loss(
        self, coordinates: Tensor, targets: Tensor, weights: Tensor, counted: Tensor
    ) -> Tensor:
        predicted: Tensor = self._network(coordinates).view_as(targets)
        return ((predicted - targets).square() * weights).sum() / counted
