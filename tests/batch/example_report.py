"""The report of a file of which nothing stands out, to change and to test with."""

from __future__ import annotations

from napari_inr_denoise.core.report.report import FileReport, PlaneReport

PLANE = PlaneReport.from_dict(
    {
        "index": {},
        "sigma": 10.0,
        "correlated": False,
        "isolated_pixels": 0,
        "residual_rms": 9.5,
        "steps": 100,
        "reason": "trained",
        "mean_before": 200.0,
        "mean_after": 200.1,
        "held_out_error": 3.0,
        "verdict": "noise_only",
    }
)
FILE = FileReport(
    "in/good.tif",
    "out/good.inr.ome.tif",
    shape=(8, 9),
    axes="YX",
    dtype="uint16",
    seconds=70.0,
    planes=(PLANE,),
)
