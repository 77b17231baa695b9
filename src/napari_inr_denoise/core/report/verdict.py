"""Verdict on what was removed from an image."""

from __future__ import annotations

from napari_inr_denoise.core.report.labelled import LabelledEnum


class Verdict(LabelledEnum):
    """What a residual contains."""

    NOISE_ONLY = (
        "noise_only",
        "noise only",
        "Residual: noise only.",
    )
    STRUCTURE = (
        "structure_removed",
        "more than noise",
        "Residual: more than noise. Some structure may be lost; compare the result "
        "with the input.",
    )
    CORRELATED = (
        "noise_correlated",
        "correlated noise",
        "Noise is correlated between neighbouring pixels: fine structure and noise are "
        "hard to tell apart.",
    )
