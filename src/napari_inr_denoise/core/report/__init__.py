"""Records of a run: what was measured and done for each plane, and why it ended.

A `DenoiseReport` holds a `FileReport` for each image, and this a `PlaneReport` for each
plane or volume. `to_dict` gives the layout of report.json. A new field of a record also
appears in report.json and report.csv. `StopReason` and `Verdict` hold the value that is
written, a short label and a sentence for users.

Example::

    report = denoise(image, axes="ZYX").report
    for plane in report.files[0].planes:
        print(plane.index, plane.noise.sigma, StopReason(plane.reason).sentence)

The package computes nothing and imports no torch.
"""

from __future__ import annotations

from napari_inr_denoise.core.report.duration import duration_words as duration_words
from napari_inr_denoise.core.report.duration import short_duration as short_duration
from napari_inr_denoise.core.report.report import DenoiseReport as DenoiseReport
from napari_inr_denoise.core.report.report import FileReport as FileReport
from napari_inr_denoise.core.report.report import NoiseRecord as NoiseRecord
from napari_inr_denoise.core.report.report import PlaneReport as PlaneReport
from napari_inr_denoise.core.report.report import QualityRecord as QualityRecord
from napari_inr_denoise.core.report.stop_reason import StopReason as StopReason
from napari_inr_denoise.core.report.verdict import Verdict as Verdict
