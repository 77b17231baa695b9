"""Results of the demo: a sample denoised and compared with its ground truth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.batch.report.figures import write_comparison
from napari_inr_denoise.batch.report.files import write_report
from napari_inr_denoise.core.denoise import DenoiseResult
from napari_inr_denoise.core.report.report import DenoiseReport
from napari_inr_denoise.io.record import ImageRecord
from napari_inr_denoise.io.write import write_image
from napari_inr_denoise.samples import Sample


@dataclass(frozen=True)
class DemoResult:
    """Report and quality of the demo. PSNR in dB over the range of the truth."""

    report: DenoiseReport
    psnr_before: float
    psnr_after: float


def finish_demo(sample: Sample, result: DenoiseResult, out: Path) -> DemoResult:
    """Write both images, comparison.png and the report, and compare with the truth.

    Parameters
    ----------
    sample : Sample
        Plane with its ground truth.
    result : DenoiseResult
        Denoised sample.
    out : Path
        Folder of the files; created if needed.
    """
    truth = sample.truth
    before, after = (_psnr(image, truth) for image in (sample.noisy, result.image))
    out.mkdir(parents=True, exist_ok=True)
    output = out / "denoised.ome.tif"
    (file,) = result.report.files
    file = replace(file, source="demo sample", output=str(output))
    report = replace(result.report, files=(file,))
    record = ImageRecord(sample.noisy, sample.axes, sample.spacing_um)
    write_image(out / "noisy.ome.tif", record)
    write_image(
        output, replace(record, data=result.image), {"report": report.to_dict()}
    )
    panels: list[tuple[str, NDArray[Any]]] = [
        (f"noisy {before:.1f} dB", sample.noisy),
        (f"denoised {after:.1f} dB", result.image),
        ("truth", truth),
    ]
    limits = (float(truth.min()), float(np.percentile(truth, 99.8)))
    write_comparison(out / "comparison.png", panels, limits)
    write_report(report, out)
    return DemoResult(report, before, after)


def _psnr(image: NDArray[Any], truth: NDArray[np.float32]) -> float:
    """Return the peak signal-to-noise ratio in dB, of the range of the truth."""
    error = np.mean((image.astype(np.float64) - truth) ** 2)
    return float(20 * np.log10(np.ptp(truth)) - 10 * np.log10(error))
