"""Samples of a pixel: colours, alpha or channels, as the file states."""

from __future__ import annotations

from tifffile import EXTRASAMPLE, PHOTOMETRIC, PLANARCONFIG, TiffPage, TiffPageSeries

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
    page, shape = series.keyframe, series.shape
    axes = series.axes.upper() if series.axes.islower() else series.axes
    if "S" not in axes:
        return standard_axes(axes, shape=shape)
    count = int(shape[axes.index("S")])
    colours = 3 if page.photometric in _COLOURS else 1
    if count == colours or (count == colours + 1 and _has_alpha(page)):
        letters, notes = standard_axes(axes, shape=shape)
        said = _planes_note(page, letters)
        return letters, notes + (said if count == colours else (alpha_note(letters),))
    channels = axes.replace("S", "Q" if "C" in axes else "C")
    letters, notes = standard_axes(channels, shape=shape)
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


def _planes_note(page: TiffPage, axes: str) -> tuple[str, ...]:
    """Return a note on colours that are stored as planes, as stacks of three often are.

    Some programs call any three planes colours.
    """
    if page.planarconfig != PLANARCONFIG.SEPARATE or page.samplesperpixel != 3:
        return ()
    note = "The file stores three planes and calls them red, green and blue."
    free = next((letter for letter in "CZT" if letter not in axes), None)
    if free:
        note += (
            " If they are channels or slices, name the axes: --axes "
            f"{axes.replace('S', free)}."
        )
    return (note,)


def _has_alpha(page: TiffPage) -> bool:
    """Return whether the last sample is called alpha."""
    extra = tuple(page.extrasamples or ())
    return bool(extra) and extra[-1] in _ALPHA
