"""Reasons why a fit ends, with a label and a sentence each."""

from __future__ import annotations

from napari_inr_denoise.core.report.labelled import LabelledEnum


class StopReason(LabelledEnum):
    """Why a fit ended."""

    NOISE_LEVEL = (
        "noise_level",
        "noise level",
        "The residual came down to the estimated noise level.",
    )
    HELD_OUT_FLAT = (
        "held_out_flat",
        "converged",
        "Training for longer would hardly lower the error on held-out pixels.",
    )
    TRAINED = (
        "trained",
        "step limit",
        "The networks were trained for the largest number of steps; the error on "
        "held-out pixels may still have been falling.",
    )
    BUDGET = (
        "budget",
        "budget",
        "The steps allowed were used up before the residual came down to the noise "
        "level; this is the result nearest to it.",
    )
    CALLER = (
        "stopped",
        "stopped",
        "Stopped by the user; this is the best result so far.",
    )
    NON_FINITE = (
        "non_finite",
        "unstable",
        "The fit became numerically unstable; this is the best result before that.",
    )
    NO_NOISE = (
        "no_noise",
        "no noise",
        "No noise was found; the image is returned as it was.",
    )
    TOO_FEW_PIXELS = (
        "too_few_pixels",
        "too few pixels",
        "Too few valid pixels to tell signal from noise; the image is returned as it "
        "was.",
    )
