"""Reasons why a fit ends, with a label and a sentence each."""

from __future__ import annotations

from napari_inr_denoise.core.report.labelled import LabelledEnum


class StopReason(LabelledEnum):
    """Why a fit ended."""

    NOISE_LEVEL = (
        "noise_level",
        "noise level",
        "Finished: the residual reached the noise level.",
    )
    HELD_OUT_FLAT = (
        "held_out_flat",
        "converged",
        "Finished: longer training would hardly lower the estimated error.",
    )
    TRAINED = (
        "trained",
        "step limit",
        "Finished: all steps were taken; longer training may lower the error slightly.",
    )
    BUDGET = (
        "budget",
        "budget",
        "The step limit was reached before the noise level; this is the result nearest "
        "to it.",
    )
    CALLER = (
        "stopped",
        "stopped",
        "Stopped: best result so far.",
    )
    NON_FINITE = (
        "non_finite",
        "unstable",
        "The fit became unstable; this is the best result before that.",
    )
    NO_NOISE = (
        "no_noise",
        "no noise",
        "No noise found: the image is unchanged.",
    )
    TOO_FEW_PIXELS = (
        "too_few_pixels",
        "too few pixels",
        "Too few valid pixels to tell signal from noise: the image is unchanged.",
    )
