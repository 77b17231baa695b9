"""Samples of a pixel: colours, alpha or channels, as the file states."""

from __future__ import annotations

from tifffile import EXTRASAMPLE, PHOTOMETRIC, TiffPage, TiffPageSeries

from napari_inr_denoise.io.lazy.axis_letters import (
    MAX_SAMPLES,
    alpha_note,
    standard_axes,
)

_COLOURS = {
    PHOTOMETRIC.RGB,
    PHOTOMETRIC.YCBCR,
    PHOTOMETRIC.CIELAB,
    PHOTOMETRIC.ICCLAB,
    PHOTOMETRIC.ITULAB,
    PHOTOMETRIC.LOGLUV,
}
_ALPHA = {EXTRASAMPLE.ASSOCALPHA, EXTRASAMPLE.UNASSALPHA}


def image_axes(series: TiffPageSeries) -> tuple[str, tuple[str, ...]]:
    """Return the axes of an image, with S only for samples that make up one colour.

    The tags PhotometricInterpretation and ExtraSamples decide: S is three colours or
    one grey value, with one more sample if the file calls it alpha. Other samples are
    channels, whatever their number.

    Returns
    -------
    axes : str
        One letter per dimension out of T, C, Z, Y, X and S.
    notes : tuple of str
        Sentences for the user.
    """
    axes, page = series.axes, series.keyframe
    if "S" not in axes:
        return standard_axes(axes)
    count = int(series.shape[axes.index("S")])
    colours = 3 if page.photometric in _COLOURS else 1
    if count == colours:
        return standard_axes(axes)
    if count == colours + 1 and _has_alpha(page):
        letters, notes = standard_axes(axes)
        return letters, (*notes, alpha_note(letters))
    channels = axes.replace("S", "Q" if "C" in axes else "C")
    letters, notes = standard_axes(channels)
    note = (
        f"The file stores {count} samples a pixel and calls them neither colours nor "
        "alpha; they were taken for channels."
    )
    if count <= MAX_SAMPLES:
        at = axes.index("S")
        note += (
            " If they are colours, name the axes: --axes "
            f"{letters[:at]}S{letters[at + 1 :]}."
        )
    return letters, (*notes, note)


def _has_alpha(page: TiffPage) -> bool:
    """Return whether the last sample is called alpha."""
    extra = tuple(page.extrasamples or ())
    return bool(extra) and extra[-1] in _ALPHA
