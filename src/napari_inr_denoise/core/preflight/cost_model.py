"""How much a run has to compute, and how long that takes at a measured pace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from napari_inr_denoise.core.candidates.base import BlindSpotModel, Cost
from napari_inr_denoise.core.candidates.registry import candidate_model
from napari_inr_denoise.core.candidates.shared import (
    MORE_STEPS,
    MOST_TRAINED,
    shared_turns,
)
from napari_inr_denoise.core.preflight.timing import Pace
from napari_inr_denoise.core.sampling.series import CROP
from napari_inr_denoise.core.settings import DenoiseSettings


@dataclass(frozen=True)
class Workload:
    """Planes of one series, and how they are denoised.

    Attributes
    ----------
    planes : int
        In the series.
    pixels : int
        Of a plane.
    rendered : int
        The same, those that tiles share counted in each.
    together : bool
        Whether all planes share networks.
    tiled : bool
        Whether a plane is cut into tiles, which share networks too.
    settings : DenoiseSettings
        Steps and turns.
    at_once : bool
        Whether networks are trained side by side.
    """

    planes: int
    pixels: int
    rendered: int
    together: bool
    tiled: bool
    settings: DenoiseSettings
    at_once: bool = False

    @property
    def shares(self) -> bool:
        """Whether planes or tiles share networks."""
        return self.together or self.tiled

    @property
    def parts(self) -> int:
        """How many parts one network is trained on."""
        if not self.shares:
            return 1
        parts = self.planes if self.together else self.rendered // CROP**2
        return min(max(parts, 1), MOST_TRAINED)

    def seconds(self, paces: Mapping[str, Pace], other: float) -> float:
        """Return how long the series takes.

        Parameters
        ----------
        paces : mapping of str to Pace
            Of each network that takes part.
        other : float
            Seconds that a pixel takes beside the networks.
        """
        learned = self.shares and any(candidate_model(name).shareable for name in paces)
        network = self._shared if learned else self._alone
        fitted = {name: network(name, pace) for name, pace in paces.items()}
        training = sum(fitted.values())
        if self.at_once and len(fitted) > 1:
            *_, second, name = sorted(fitted, key=fitted.__getitem__)
            # Until one is left, which then goes on alone.
            left = 1 - fitted[second] / max(fitted[name], 1e-300)
            alone = replace(paces[name], step=paces[name].alone or paces[name].step)
            training = fitted[second] + left * network(name, alone)
        answered = 0.0
        if learned:
            turned = shared_turns(self.settings) * self.planes * self.rendered
            answered = turned * sum(pace.pixel for pace in paces.values())
        return training + answered + other * self.planes * self.rendered

    def _alone(self, name: str, pace: Pace) -> float:
        """Return the seconds of networks of the planes' own."""
        cost = candidate_model(name).cost(self.pixels, self.settings)
        return self.planes * _seconds(cost, pace, self.pixels)

    def _shared(self, name: str, pace: Pace) -> float:
        """Return the seconds of training networks that planes or tiles share."""
        pixels = min(self.pixels, CROP**2)
        trainings = 1 if self.together else self.planes
        model = candidate_model(name)
        assert isinstance(model, BlindSpotModel)
        cost = model.shared_cost(self.parts * pixels, MORE_STEPS, self.settings)
        return trainings * _seconds(cost, pace, pixels)


def _seconds(cost: Cost, pace: Pace, pixels: int) -> float:
    return cost.steps * pace.step + cost.evaluations * pixels * pace.pixel
