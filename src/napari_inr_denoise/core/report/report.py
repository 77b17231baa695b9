"""What a run did, plane by plane: the records behind report.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from napari_inr_denoise.core.settings import DenoiseSettings


@dataclass(frozen=True)
class PlaneReport:
    """One plane; intensities in the image's own units.

    `sigma` is None where too little is valid to estimate it, `isolated_pixels` the
    number of hot and dead pixels that were left out of the fit. Means and sums are
    over the valid pixels. What is None was not measured or is not known.

    `gain`, `read_noise`, `offset`, `clipped_low`, `clipped_high` and
    `correlation_distance` are those of `NoiseModel`; `candidates` the weights of the
    networks by name; `held_out_error` the estimated root mean square error against
    the truth; `whiteness` the correlation of neighbours in what was removed and
    `verdict` what that says (see `core.verdict.Verdict`); `intensity_bias` pairs of
    intensity and mean change of the pixels of that intensity. `shared` says whether the
    plane shared noise model and networks with the others of its stack.
    """

    index: dict[str, int]
    sigma: float | None
    correlated: bool
    isolated_pixels: int
    residual_rms: float
    steps: int
    reason: str
    mean_before: float | None
    mean_after: float | None
    sum_before: float | None = None
    sum_after: float | None = None
    gain: float | None = None
    read_noise: float | None = None
    offset: float | None = None
    clipped_low: float = 0.0
    clipped_high: float = 0.0
    correlation_distance: int = 1
    candidates: dict[str, float] = field(default_factory=dict)
    held_out_error: float | None = None
    whiteness: float | None = None
    verdict: str | None = None
    intensity_bias: tuple[tuple[float, float], ...] = ()
    shared: bool = False

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PlaneReport:
        """Rebuild a report from plain values, in which tuples may have become lists."""
        pairs = values.get("intensity_bias", ())
        bias = tuple((float(at), float(by)) for at, by in pairs)
        return cls(**{**values, "intensity_bias": bias})


@dataclass(frozen=True)
class FileReport:
    """One image: an array, a layer or a file.

    `notes` are sentences on what went otherwise than asked for.
    `status` is "done", "failed" (`error` says why, and the fields of the result are
    None) or "skipped" (done before and unchanged; or, with no planes, `notes` say why).
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

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        values = asdict(self)
        values["shape"] = None if self.shape is None else list(self.shape)
        values["planes"] = [asdict(plane) for plane in self.planes]
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
