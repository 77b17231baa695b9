"""What a run did, plane by plane: the records behind report.json."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from napari_inr_denoise.core.settings import DenoiseSettings


@dataclass(frozen=True)
class PlaneReport:
    """One plane; intensities in the image's own units.

    `gain`, `read_noise`, `held_out_error` and `whiteness` are None where the method
    used does not measure them.
    """

    index: dict[str, int]
    sigma: float
    correlated: bool
    residual_rms: float
    steps: int
    reason: str
    mean_before: float | None
    mean_after: float | None
    gain: float | None = None
    read_noise: float | None = None
    held_out_error: float | None = None
    whiteness: float | None = None


@dataclass(frozen=True)
class FileReport:
    """One image: an array, a layer or a file."""

    source: str | None
    output: str | None
    status: str
    error: str | None
    shape: tuple[int, ...]
    axes: str
    dtype: str
    seconds: float
    device: str
    peak_memory_mb: float | None
    planes: tuple[PlaneReport, ...]


@dataclass(frozen=True)
class DenoiseReport:
    """A whole run: version, settings and what became of each image."""

    version: str
    settings: DenoiseSettings
    files: tuple[FileReport, ...] = field(default_factory=tuple)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON: the layout of report.json."""
        return {
            "version": self.version,
            "settings": self.settings.to_dict(),
            "files": [
                {**asdict(file), "shape": list(file.shape), "planes": _rows(file)}
                for file in self.files
            ],
        }


def _rows(file: FileReport) -> list[dict[str, Any]]:
    return [asdict(plane) for plane in file.planes]
