"""How an image is denoised: decided before the first step, and told before a run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from itertools import chain

import torch

from napari_inr_denoise.core.candidates.shared import can_share, shares_networks
from napari_inr_denoise.core.compute.devices import pick_device
from napari_inr_denoise.core.pipeline.memory import (
    concurrent_fits,
    concurrent_tiles,
    tile_side,
    volume_tile_side,
)
from napari_inr_denoise.core.settings import DenoiseSettings
from napari_inr_denoise.image.axes import Plane, sample_count, series_of
from napari_inr_denoise.image.tiling import Tiling


class Strategy(Enum):
    """What is fitted as one."""

    INDEPENDENT = "each plane by networks of its own"
    SERIES = "the planes of a series by networks that they share"
    FUNCTION = "the planes of a volume by one function of (z, y, x)"
    VOLUME = "the planes of a volume by networks that they share, and by a function"


@dataclass(frozen=True)
class Plan:
    """How an image is denoised.

    Attributes
    ----------
    settings : DenoiseSettings
        As asked for.
    device : torch.device
        As asked for; a run may have to go on on the CPU.
    strategy : Strategy
        What is fitted as one.
    series : tuple of tuple of Plane
        Planes that follow each other along Z, or else T.
    tiling : Tiling
        How each plane is cut. That of a function of (z, y, x) is never cut.
    samples : int
        Values of a pixel.
    """

    settings: DenoiseSettings
    device: torch.device
    strategy: Strategy
    series: tuple[tuple[Plane, ...], ...]
    tiling: Tiling
    samples: int

    @classmethod
    def of(cls, axes: str, shape: tuple[int, ...], settings: DenoiseSettings) -> Plan:
        """Return the plan for an image.

        Parameters
        ----------
        axes : str
            One letter per dimension.
        shape : tuple of int
            Of the image.
        settings : DenoiseSettings
            How to denoise.
        """
        device, samples = pick_device(settings.device), sample_count(axes, shape)
        series = tuple(tuple(one) for one in series_of(axes, shape))
        if settings.mode == "volume":
            strategy, side = Strategy.FUNCTION, max(shape)
            if can_share(settings):
                strategy = Strategy.VOLUME
                volume = len(series[0]), *series[0][0].shape_yx(shape)
                side = volume_tile_side(settings, samples, volume, device)
        else:
            strategy, side = Strategy.SERIES, tile_side(settings, samples, device)
            if not shares_networks(settings, len(series[0])):
                strategy = Strategy.INDEPENDENT
        tiling = Tiling.of(series[0][0].shape_yx(shape), side)
        return cls(settings, device, strategy, series, tiling, samples)

    @property
    def batches(self) -> tuple[tuple[Plane, ...], ...]:
        """The planes that the strategy is given at once: a series, or all of them.

        Where planes share nothing, those of different series can be fitted at once.
        """
        if self.strategy is Strategy.INDEPENDENT:
            return (tuple(chain.from_iterable(self.series)),)
        return self.series

    @property
    def tiles_share(self) -> bool:
        """Whether the tiles of a plane share networks."""
        return self.tiling.count > 1 and can_share(self.settings)

    def concurrent_tiles(self, device: torch.device) -> int:
        """Return how many tiles are predicted at once with networks that they share."""
        pixels = self.tiling.most_pixels
        return concurrent_tiles(self.settings, self.samples, pixels, device)

    def concurrent_fits(self, device: torch.device) -> int:
        """Return how many tiles are fitted at once, each by networks of its own."""
        pixels = self.tiling.most_pixels
        return concurrent_fits(self.settings, self.samples, pixels, device)
