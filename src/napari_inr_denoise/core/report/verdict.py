"""Verdict on what was removed from an image."""

from __future__ import annotations

from napari_inr_denoise.core.report.labelled import LabelledEnum


class Verdict(LabelledEnum):
    """What a residual contains."""

    NOISE_ONLY = (
        "noise_only",
        "noise only",
        "What was removed looks like noise only.",
    )
    STRUCTURE = (
        "structure_removed",
        "more than noise",
        "What was removed holds more than noise: some structure may be lost. Compare "
        "the result with the input.",
    )
    CORRELATED = (
        "noise_correlated",
        "correlated noise",
        "The noise is correlated between neighbouring pixels, so fine structure and "
        "noise are hard to tell apart here.",
    )
