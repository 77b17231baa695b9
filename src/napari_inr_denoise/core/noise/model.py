"""The noise model of an image: its parameters and their description in words."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np

from napari_inr_denoise.core.report.numbers import in_digits


@dataclass(frozen=True)
class NoiseModel:
    """Measured properties of the noise of an image.

    Attributes
    ----------
    sigma : float
        Standard deviation of the noise, in the image's own intensity units. For
        signal-dependent noise it is the root mean square over the image.
    correlated : bool
        Whether the noise of neighbouring pixels is correlated. `sigma` is then the
        power at all frequencies of the noise spectrum.
    sigma_neighbours : float
        Chen's estimate from adjacent pixels. It is too low for correlated noise.
    sigma_chen : float
        Chen's estimate, or `sigma` if the noise is correlated. The published method
        stops at this residual level.
    gain : float
        Slope of the noise variance over the intensity, in intensity units per photon.
        0 if the noise does not depend on the signal, NaN if unknown.
    variance_at_zero : float
        Intercept of the line variance = gain * intensity + variance_at_zero, in
        squared intensity units; NaN if unknown.
    offset : float
        Intensity without light, in the image's units. It is measured on the darkest
        pixels if it outweighs the read noise, and 0 otherwise.
    read_noise : float
        Standard deviation without light, in the image's units.
    stabilised_sigma : float
        Chen's estimate after the generalized Anscombe transform: about 1 if the model
        holds, NaN without photon noise.
    correlation_distance : int
        Distance in pixels at which noise is independent; 1 for white noise.
    clipped_low, clipped_high : float
        Fraction of the pixels clipped at the lowest or the highest value.
    levels : tuple of float
        Levels of the regions that differ in noise, ascending. If the level changes
        smoothly: what 5 % and 95 % of the pixels have at most. Empty if one level and
        its growth with the intensity hold everywhere.
    grain : float
        Standard deviation of fine grain that does not count as noise, but may be: fine
        texture and filtered noise look the same. 0 if there is none.
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
    levels: tuple[float, ...] = ()
    grain: float = 0.0

    def __post_init__(self) -> None:
        if math.isnan(self.sigma_chen):
            object.__setattr__(self, "sigma_chen", self.sigma)

    def to_dict(self) -> dict[str, float | bool | None]:
        """Return plain values for JSON; unknown values are None."""
        return {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in asdict(self).items()
        }

    def words(self) -> str:
        """Return the noise model in words, to follow a label such as "Noise:"."""
        if math.isnan(self.sigma):
            return "unknown: too few valid pixels"
        if self.sigma == 0:
            return "none found"
        parts = [f"sigma {in_digits(self.sigma)}"]
        if self.levels:
            least, most = self.levels[0], self.levels[-1]
            parts.append(
                f"{in_digits(least)} to {in_digits(most)} in different regions"
            )
        if self.correlated:
            parts.append("correlated between neighbouring pixels")
        if self.gain > 0:
            gain, read = in_digits(self.gain, 2), in_digits(self.read_noise, 2)
            parts.append(f"photon + read noise (gain {gain}, read {read})")
        for share, where in (
            (self.clipped_low, "clipped at minimum"),
            (self.clipped_high, "saturated"),
        ):
            if share > 0:
                percent = min(100 * share, 99.0)  # 100 would be formatted as 1e+02
                parts.append(f"{percent:.2g} % {where}")
        return ", ".join(parts)

    def describe(self) -> str:
        """Return the noise model as a sentence for users."""
        return f"Noise: {self.words()}."


def combine_noise(models: list[NoiseModel]) -> NoiseModel:
    """Combine the noise models of the planes of a stack.

    Parameters
    ----------
    models : list of NoiseModel
        At least one. Models with an unknown level are ignored.

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

    def median(name: str) -> float:
        values = [getattr(one, name) for one in known]
        finite = [value for value in values if not math.isnan(value)]
        return float(np.median(finite)) if finite else math.nan

    return NoiseModel(
        sigma=level("sigma"),
        correlated=sum(model.correlated for model in known) * 2 > len(known),
        sigma_neighbours=level("sigma_neighbours"),
        sigma_chen=level("sigma_chen"),
        gain=median("gain"),
        variance_at_zero=median("variance_at_zero"),
        offset=median("offset"),
        read_noise=median("read_noise"),
        stabilised_sigma=median("stabilised_sigma"),
        correlation_distance=int(np.median([m.correlation_distance for m in known])),
        clipped_low=float(np.mean([m.clipped_low for m in known])),
        clipped_high=float(np.mean([m.clipped_high for m in known])),
        levels=tuple(sorted({level for model in known for level in model.levels})),
        grain=level("grain"),
    )
