"""What a run did, plane by plane: the records behind report.json."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from napari_inr_denoise.core.report.stop_rules import StopRules
from napari_inr_denoise.core.report.warning import PlaneWarning
from napari_inr_denoise.core.settings import DenoiseSettings


@dataclass(frozen=True)
class NoiseRecord:
    """The noise of a plane; None where it was not measured or is not known.

    Attributes
    ----------
    sigma : float or None
        Standard deviation, in the image's intensity units.
    correlated : bool
        Whether neighbouring pixels share noise.
    gain : float or None
        Intensity units per photon.
    read_noise : float or None
        Standard deviation without light, in the image's units.
    offset : float or None
        Intensity without light, in the image's units.
    clipped_low, clipped_high : float
        Share of the pixels at the lowest or the highest value.
    correlation_distance : int
        Distance, in pixels, from which on noise is independent; 1 for white noise.
    levels : tuple of float
        Levels of the regions that differ in noise, ascending; empty for one level.
    grain : float
        Standard deviation of fine grain that may be noise or texture.
    """

    sigma: float | None = None
    correlated: bool = False
    gain: float | None = None
    read_noise: float | None = None
    offset: float | None = None
    clipped_low: float = 0.0
    clipped_high: float = 0.0
    correlation_distance: int = 1
    levels: tuple[float, ...] = ()
    grain: float = 0.0

    @classmethod
    def of(cls, model: object) -> NoiseRecord:
        """Return the record of a noise model, which has attributes of these names."""
        values = {item.name: getattr(model, item.name) for item in fields(cls)}
        known: dict[str, Any] = {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in values.items()
        }
        return cls(**known)


@dataclass(frozen=True)
class QualityRecord:
    """The quality of a denoised plane; None where it is not known.

    Attributes
    ----------
    held_out_error : float or None
        Estimated root mean square error against the truth, in the image's units.
    whiteness : float or None
        Correlation of neighbours in what was removed; 0 for white noise.
    verdict : str or None
        What that means, see `core.report.verdict.Verdict`.
    intensity_bias : tuple of (intensity, change)
        Mean change of the pixels of an intensity, in groups of rising intensity.
    warnings : tuple of str
        What a user should know: values of `core.report.warning.PlaneWarning`. In files
        each has a key and a sentence.
    """

    held_out_error: float | None = None
    whiteness: float | None = None
    verdict: str | None = None
    intensity_bias: tuple[tuple[float, float], ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlaneReport:
    """One plane; intensities in the image's own units.

    Fields of the parts can be read here too: `plane.sigma` is `plane.noise.sigma`.

    Attributes
    ----------
    index : dict of str to int
        Position along the axes that are not in the plane.
    noise : NoiseRecord
        The noise of the plane.
    quality : QualityRecord
        The quality of the result.
    isolated_pixels : int
        Hot and dead pixels that were left out of the fit.
    residual_rms : float
        Root mean square of what was removed.
    steps : int
        Optimization steps.
    reason : str
        Why the fit ended: the value of a `StopReason`.
    mean_before, mean_after, sum_before, sum_after : float or None
        Over the valid pixels of the noisy plane and of the result.
    candidates : dict of str to float
        Weights of the networks by name.
    shared : bool
        Whether the plane shared noise model and networks with others of its stack.
    fill_share : float
        Share of the pixels that are constant fill, which was left out.
    noise_level_step : int or None
        First step at which the residual was measured to be down to the noise level;
        None if it never was.
    stop_rules : str or None
        How the published stop rule compares with the end of the training: the value of
        a `StopRules`; None if the training was not ended by held-out pixels.
    """

    index: dict[str, int]
    noise: NoiseRecord
    quality: QualityRecord
    isolated_pixels: int
    residual_rms: float
    steps: int
    reason: str
    mean_before: float | None = None
    mean_after: float | None = None
    sum_before: float | None = None
    sum_after: float | None = None
    candidates: dict[str, float] = field(default_factory=dict)
    shared: bool = False
    fill_share: float = 0.0
    noise_level_step: int | None = None
    stop_rules: str | None = None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - of any field
        part = _PART_OF_FIELD.get(name)
        if part is None:
            raise AttributeError(f"PlaneReport has no attribute {name!r}")
        return getattr(self.__dict__[part], name)

    @property
    def rules_that_differ(self) -> StopRules | None:
        """How the published stop rule disagrees; None where it does not."""
        rules = None if self.stop_rules is None else StopRules(self.stop_rules)
        return rules if rules is not None and rules.differ else None

    @property
    def stop_rules_sentence(self) -> str:
        """A sentence on how the published stop rule disagrees; empty if it does not."""
        rules = self.rules_that_differ
        return "" if rules is None else rules.told(self.steps, self.noise_level_step)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, the parts flattened: a plane in report.json."""
        values = asdict(self)
        values |= values.pop("noise") | values.pop("quality")
        values["warnings"] = [
            {"key": key, "sentence": PlaneWarning(key).sentence}
            for key in self.quality.warnings
        ]
        return {name: values.pop(name) for name in _FIRST_COLUMNS} | values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PlaneReport:
        """Rebuild a report from `to_dict`, in which tuples may have become lists."""
        rest = dict(values)
        if "intensity_bias" in rest:
            pairs = rest["intensity_bias"]
            rest["intensity_bias"] = tuple((float(a), float(b)) for a, b in pairs)
        if "levels" in rest:
            rest["levels"] = tuple(float(level) for level in rest["levels"])
        if "warnings" in rest:
            known = {one.value for one in PlaneWarning}
            keys = [one["key"] for one in rest["warnings"]]
            rest["warnings"] = tuple(key for key in keys if key in known)
        noise, quality = (
            {key: rest.pop(key) for key in _FIELDS_OF_PART[part] & rest.keys()}
            for part in ("noise", "quality")
        )
        return cls(noise=NoiseRecord(**noise), quality=QualityRecord(**quality), **rest)


_FIELDS_OF_PART = {
    "noise": {item.name for item in fields(NoiseRecord)},
    "quality": {item.name for item in fields(QualityRecord)},
}
_PART_OF_FIELD = {
    name: part for part, names in _FIELDS_OF_PART.items() for name in names
}
_FIRST_COLUMNS = (
    *("index", "sigma", "correlated", "isolated_pixels", "residual_rms", "steps"),
    *("reason", "mean_before", "mean_after", "sum_before", "sum_after", "gain"),
    *("read_noise", "offset", "clipped_low", "clipped_high", "correlation_distance"),
    *("candidates", "held_out_error", "whiteness", "verdict", "warnings"),
    "intensity_bias",
)
"""The order in files; fields that are not named follow."""
PLANE_FIELDS = tuple(
    PlaneReport({}, NoiseRecord(), QualityRecord(), 0, 0.0, 0, "").to_dict()
)
"""Names of the fields of a plane in files, in their order."""


@dataclass(frozen=True)
class FileReport:
    """One image: an array, a layer or a file.

    `notes` are sentences on what went otherwise than asked for.
    `status` is "done", "failed" (`error` says why, and the fields of the result are
    None) or "skipped" (done before and unchanged; or, with no planes, `notes` say why).
    `series` is the name of the image, if its file holds several. `incomplete` says what
    was missing of the image; it is None for a whole one.
    """

    source: str | None
    output: str | None = None
    status: str = "done"
    error: str | None = None
    shape: tuple[int, ...] | None = None
    axes: str | None = None
    dtype: str | None = None
    seconds: float | None = None
    device: str | None = None
    peak_memory_mb: float | None = None
    planes: tuple[PlaneReport, ...] = ()
    notes: tuple[str, ...] = ()
    series: str | None = None
    incomplete: str | None = None

    @property
    def label(self) -> str:
        """Source, and the name of the image if its file holds several."""
        return f"{self.source} [{self.series}]" if self.series else str(self.source)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        values = asdict(self)
        values["shape"] = None if self.shape is None else list(self.shape)
        values["planes"] = [plane.to_dict() for plane in self.planes]
        values["notes"] = list(self.notes)
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> FileReport:
        """Rebuild a report from `to_dict`."""
        shape = values["shape"]
        planes = tuple(PlaneReport.from_dict(plane) for plane in values["planes"])
        shape = None if shape is None else tuple(shape)
        notes = tuple(values.get("notes", ()))
        return cls(**{**values, "shape": shape, "planes": planes, "notes": notes})


@dataclass(frozen=True)
class DenoiseReport:
    """A whole run: version, settings and what became of each image."""

    version: str
    settings: DenoiseSettings
    files: tuple[FileReport, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON: the layout of report.json."""
        return {
            "version": self.version,
            "settings": self.settings.to_dict(),
            "files": [file.to_dict() for file in self.files],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> DenoiseReport:
        """Rebuild a report from `to_dict`.

        Raises
        ------
        KeyError, TypeError, ValueError
            If the values are not those of a report.
        """
        return cls(
            str(values["version"]),
            DenoiseSettings.from_dict(values["settings"]),
            tuple(FileReport.from_dict(file) for file in values["files"]),
        )
