"""Amount of work of a run, and its duration at a measured pace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from napari_inr_denoise.core.candidates.base import BlindSpotModel, Cost
from napari_inr_denoise.core.candidates.registry import candidate_model
from napari_inr_denoise.core.candidates.shared import (
    MORE_STEPS,
    MOST_TRAINED,
    shared_augmentations,
)
from napari_inr_denoise.core.preflight.timing import OtherPace, Pace
from napari_inr_denoise.core.sampling.stack.parts import CROP
from napari_inr_denoise.core.settings import DenoiseSettings


@dataclass(frozen=True)
class Workload:
    """Work on the planes of one series.

    Attributes
    ----------
    planes : int
        Planes of the series.
    pixels : int
        Pixels of a plane.
    rendered : int
        Pixels of all tiles of a plane; overlaps count more than once.
    together : bool
        Whether all planes share networks.
    tiled : bool
        Whether a plane is divided into tiles, which share networks.
    settings : DenoiseSettings
        Steps and test-time augmentations.
    at_once : bool
        Whether the networks are trained at the same time.
    correlated : bool
        Whether neighbouring pixels share noise.
    previews : bool
        Whether a plane is predicted, to be shown, while its networks are trained.
    """

    planes: int
    pixels: int
    rendered: int
    together: bool
    tiled: bool
    settings: DenoiseSettings
    at_once: bool = False
    correlated: bool = False
    previews: bool = True

    @property
    def shares(self) -> bool:
        """Whether planes or tiles share networks."""
        return self.together or self.tiled

    @property
    def parts(self) -> int:
        """Number of tiles that one network is trained on."""
        if not self.shares:
            return 1
        parts = self.planes if self.together else self.rendered // CROP**2
        return min(max(parts, 1), MOST_TRAINED)

    def seconds(
        self, paces: Mapping[str, Pace], other: OtherPace, share: float | None = 1.0
    ) -> float:
        """Return the duration of the series in seconds.

        Parameters
        ----------
        paces : mapping of str to Pace
            Pace of each network that takes part.
        other : OtherPace
            Pace outside of the networks.
        share : float or None
            When the trainings end: 0 at the earliest step, 1 at the last; None where
            they are expected to end, which is the earliest step for easy images.
        """
        shared = self._is_shared(paces)
        network = self._shared if shared else self._alone
        fitted = {
            name: network(name, pace, share, other) for name, pace in paces.items()
        }
        training = sum(fitted.values())
        if self.at_once and len(fitted) > 1:
            *_, second, name = sorted(fitted, key=fitted.__getitem__)
            # The longest training continues alone after the second longest has ended.
            left = 1 - fitted[second] / max(fitted[name], 1e-300)
            alone = replace(paces[name], step=paces[name].alone or paces[name].step)
            training = fitted[second] + left * network(name, alone, share, other)
        prediction = 0.0
        if shared:
            pixels = shared_augmentations(self.settings) * self.planes * self.rendered
            prediction = pixels * sum(pace.pixel for pace in paces.values())
        # Planes that share networks are read, with their noise, as a series.
        rest = other.filters + (0.0 if shared else other.noise)
        return training + prediction + rest * self.planes * self.rendered

    def steps(self, names: Iterable[str]) -> tuple[float, float]:
        """Return the fewest and the most steps of the fit of a plane.

        Parameters
        ----------
        names : iterable of str
            The networks that take part.
        """
        shared = self._is_shared(names := tuple(names))
        costs = [self._cost(name, shared=shared) for name in names]
        fewest, most = (sum(cost.steps_at(end) for cost in costs) for end in (0.0, 1.0))
        return fewest, most

    def _is_shared(self, names: Iterable[str]) -> bool:
        return self.shares and any(candidate_model(name).shareable for name in names)

    def _cost(self, name: str, *, shared: bool) -> Cost:
        model = candidate_model(name)
        if shared:
            assert isinstance(model, BlindSpotModel)
            cost = model.shared_cost(
                self.parts * self._trained_pixels,
                MORE_STEPS,
                self.settings,
                correlated=self.correlated,
            )
        else:
            cost = model.cost(self.pixels, self.settings, correlated=self.correlated)
        return cost if self.previews else replace(cost, shown=())

    @property
    def _trained_pixels(self) -> int:
        """Pixels of a tile that a shared network is trained on."""
        return min(self.pixels, CROP**2)

    def _alone(
        self, name: str, pace: Pace, share: float | None, other: OtherPace
    ) -> float:
        """Return the seconds if each plane has a network of its own."""
        cost = self._cost(name, shared=False)
        return self.planes * _seconds(cost, pace, self.pixels, share, other)

    def _shared(
        self, name: str, pace: Pace, share: float | None, other: OtherPace
    ) -> float:
        """Return the seconds to train networks that planes or tiles share."""
        pixels = self._trained_pixels
        trainings = 1 if self.together else self.planes
        cost = self._cost(name, shared=True)
        return trainings * _seconds(cost, pace, pixels, share, other)


def _seconds(
    cost: Cost, pace: Pace, pixels: int, share: float | None, other: OtherPace
) -> float:
    """Return the seconds of a fit, with the predictions that are shown."""
    if share is None and pace.is_easy:
        share = 0.0
    predicted = cost.evaluations * pace.pixel
    if count := cost.shown_at(share):
        predicted += count * (pace.pixel + other.shown) + other.first_shown
    return cost.steps_at(share) * pace.step + pixels * predicted
