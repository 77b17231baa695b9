"""Warnings about a plane: what a user should know before trusting its result."""

from __future__ import annotations

from napari_inr_denoise.core.report.labelled import LabelledEnum


class PlaneWarning(LabelledEnum):
    """Unusual properties of the noise of a plane, or of its result."""

    CORRELATED_NOISE = (
        "correlated_noise",
        "correlated noise",
        "Noise of neighbouring pixels is correlated, as after registration, rotation, "
        "enlargement, demosaicking, sharpening or a median filter. Structure as fine "
        "as this noise cannot be told from it: denoise the raw image instead, if you "
        "have it.",
    )
    STRUCTURED_NOISE = (
        "structured_noise",
        "row, column or pixel offsets, or waves",
        "Whole rows or columns, or single pixels that stay in place over a stack, were "
        "brighter or darker than their neighbours, or waves crossed the whole plane, "
        "as from electrical interference. This was removed: it is part of the "
        "residual, and the map `structured` has it alone.",
    )
    FIXED_PATTERN = (
        "fixed_pattern",
        "fixed pattern of all pixels",
        "Pixels differ in the same way in all planes, as those of a camera that is not "
        "calibrated. If they differ by less than a third of the noise, this cannot be "
        "told from structure: it stays in the result, and the uncertainty includes it. "
        "If they differ by more, most of it is removed as noise.",
    )
    SHARED_NOISE = (
        "shared_noise",
        "noise shared between planes",
        "Neighbouring planes or frames share noise, as after a running average, a "
        "deconvolution or a resampling along Z. Planes that share noise were not used "
        "to denoise each other, so that a stack gains less. Denoise the raw stack "
        "instead, if you have it.",
    )
    COMPRESSED = (
        "compressed",
        "JPEG compression",
        "The image was compressed by JPEG, which removes noise and fine structure. "
        "The noise was put back before the fit, and the noise level is that before "
        "the compression. The structure is lost: use the image as it was recorded, if "
        "you have it.",
    )
    MIXED_LEVELS = (
        "mixed_levels",
        "several noise levels",
        "Parts of equal brightness differ in noise, as in a mosaic of several "
        "exposures or after a correction of the illumination. Each part was denoised "
        "with its own noise level.",
    )
    FILL_IGNORED = (
        "fill_ignored",
        "constant fill",
        "Part of the plane is filled with one value, as beside the tiles of a mosaic "
        "(the share is `fill_share`). It was left out, and is as it was.",
    )
    GRAIN_KEPT = (
        "grain_kept",
        "fine grain kept",
        "Grain that neighbouring pixels share is left in the result. It may be fine "
        "texture, or noise of an image that was filtered before, as by a median. The "
        "uncertainty includes half of its power. Denoise the raw image instead, if you "
        "have it.",
    )
    CLIPPED = (
        "clipped",
        "saturated",
        "More than 1 % of the pixels have the largest value that the camera can give. "
        "Their true brightness is unknown: expose for less time, if you can.",
    )
    CUT_OFF = (
        "cut_off",
        "clipped at minimum",
        "Values below the minimum were clipped, and half of the noise of dim areas "
        "with them, so that they are too bright. This was corrected, except by the "
        "preset `paper`. Keep an offset when you subtract a background, if you can.",
    )
    LITTLE_REMOVED = (
        "little_removed",
        "little removed",
        "Residual much smaller than the noise. Compare the result with the input.",
    )
    INPUT_RETURNED = (
        "input_returned",
        "input returned",
        "More was removed than noise can explain, so that the result was worse than "
        "the input. The input was returned. Allow more steps, or use another preset.",
    )
    MODEL_UNCERTAIN = (
        "model_uncertain",
        "noise model uncertain",
        "The residual varies between regions by more than the noise model says. The "
        "estimated error may be too low.",
    )
