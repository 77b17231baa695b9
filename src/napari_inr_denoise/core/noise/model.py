"""What is known of an image's noise, and in words; of a stack out of its planes."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np


@dataclass(frozen=True)
class NoiseModel:
    """What is known of the noise of an image.

    Attributes
    ----------
    sigma : float
        Standard deviation of the noise, in the image's own intensity units. Where
        the noise grows with the signal it is the root mean square over the image.
    correlated : bool
        Whether the noise of neighbouring pixels is correlated. `sigma` then comes
        from sub-lattices of pixels that lie apart.
    sigma_neighbours : float
        Chen's plain estimate, which correlation between neighbours pulls down.
    sigma_chen : float
        Chen's estimate, of every second pixel where the noise is correlated: what the
        published method stops at.
    gain : float
        Intensity units per photon: growth of the noise variance with the intensity.
        0 where it does not grow, NaN where that is not known.
    variance_at_zero : float
        Of the line variance = gain * intensity + variance_at_zero, in squared
        intensity units; NaN where that is not known.
    offset : float
        Intensity without light, in the image's units. Known only where it outweighs
        the read noise; it is then taken from the darkest places, and 0 otherwise.
    read_noise : float
        Standard deviation without light, in the image's units.
    stabilised_sigma : float
        Chen's estimate after the generalised Anscombe transform: about 1 where the
        model holds, NaN where there is none.
    correlation_distance : int
        Pixels from which on two pixels' noise is independent; 1 for white noise.
    clipped_low, clipped_high : float
        Share of the pixels that are cut off at the lowest or the highest value.
    """

    sigma: float
    correlated: bool
    sigma_neighbours: float
    sigma_chen: float = math.nan
    gain: float = math.nan
    variance_at_zero: float = math.nan
    offset: float = math.nan
    read_noise: float = math.nan
    stabilised_sigma: float = math.nan
    correlation_distance: int = 1
    clipped_low: float = 0.0
    clipped_high: float = 0.0

    def __post_init__(self) -> None:
        if math.isnan(self.sigma_chen):
            object.__setattr__(self, "sigma_chen", self.sigma)

    def to_dict(self) -> dict[str, float | bool | None]:
        """Return plain values, ready for JSON; None for what is not known."""
        return {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in asdict(self).items()
        }

    def words(self) -> str:
        """Return the noise model in words, to follow a label or the word noise."""
        if math.isnan(self.sigma):
            return "unknown: too few valid pixels"
        if self.sigma == 0:
            return "none found"
        parts = [f"level {self.sigma:.4g}"]
        if self.correlated:
            parts.append("correlated between neighbouring pixels")
        if self.gain > 0:
            parts.append(f"photon noise (gain {self.gain:.3g})")
            parts.append(f"read noise {self.read_noise:.3g}")
        for share, where in (
            (self.clipped_low, "cut off at the lowest value"),
            (self.clipped_high, "saturated"),
        ):
            if share > 0:
                percent = min(100 * share, 99.0)  # 100 would read 1e+02
                parts.append(f"{percent:.2g} % of the pixels {where}")
        return ", ".join(parts)

    def describe(self) -> str:
        """Return the noise model as a sentence for users."""
        return f"Noise: {self.words()}."


def combine_noise(models: list[NoiseModel]) -> NoiseModel:
    """Return the noise of a stack from that of its planes.

    Parameters
    ----------
    models : list of NoiseModel
        At least one; those whose level is not known don't count.

    Returns
    -------
    NoiseModel
        See `estimate_noise`.
    """
    known = [model for model in models if not math.isnan(model.sigma)]
    if not known:
        return models[0]

    def level(name: str) -> float:
        return float(np.sqrt(np.mean([getattr(one, name) ** 2 for one in known])))

    def middle(name: str) -> float:
        values = [getattr(one, name) for one in known]
        told = [value for value in values if not math.isnan(value)]
        return float(np.median(told)) if told else math.nan

    return NoiseModel(
        sigma=level("sigma"),
        correlated=sum(model.correlated for model in known) * 2 > len(known),
        sigma_neighbours=level("sigma_neighbours"),
        sigma_chen=level("sigma_chen"),
        gain=middle("gain"),
        variance_at_zero=middle("variance_at_zero"),
        offset=middle("offset"),
        read_noise=middle("read_noise"),
        stabilised_sigma=middle("stabilised_sigma"),
        correlation_distance=int(np.median([m.correlation_distance for m in known])),
        clipped_low=float(np.mean([m.clipped_low for m in known])),
        clipped_high=float(np.mean([m.clipped_high for m in known])),
    )
