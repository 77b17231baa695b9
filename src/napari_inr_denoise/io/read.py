"""Read an image file into one record."""

from __future__ import annotations

from pathlib import Path

from napari_inr_denoise.io.calibration import read_calibration
from napari_inr_denoise.io.record import ImageRecord

TIFF_SUFFIXES = (".tif", ".tiff", ".btf")
PNG_SUFFIXES = (".png",)
READABLE_SUFFIXES = TIFF_SUFFIXES + PNG_SUFFIXES
_MAX_SAMPLES = 4
_MEANINGFUL = "TCZYXS"


def read_image(path: str | Path, *, lazy: bool = False) -> ImageRecord:
    """Read a TIFF (plain, ImageJ or OME) or PNG file.

    Parameters
    ----------
    path : str or Path
        The file.
    lazy : bool
        Leave a TIFF's values in the file: `data` is then a `LazyTiff`.

    Returns
    -------
    ImageRecord
        The first image of the file, at full resolution; if there are more, its
        `notes` say so.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is of another kind or damaged.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file.")
    suffix = path.suffix.lower()
    if suffix not in READABLE_SUFFIXES:
        raise ValueError(
            f"{path}: got a file ending in {suffix or 'nothing'}, wanted one of "
            f"{', '.join(READABLE_SUFFIXES)}."
        )
    try:
        return _read_png(path) if suffix in PNG_SUFFIXES else _read_tiff(path, lazy)
    except Exception as error:
        raise ValueError(
            f"{path}: the file could not be read; it is damaged or of a kind that is "
            f"not known ({type(error).__name__}: {error})."
        ) from error


def _read_png(path: Path) -> ImageRecord:
    from imagecodecs import png_decode

    data = png_decode(path.read_bytes())
    return ImageRecord(data, "YX" if data.ndim == 2 else "YXS")


def _read_tiff(path: Path, lazy: bool) -> ImageRecord:
    from tifffile import TiffFile

    from napari_inr_denoise.io.lazy_tiff import LazyTiff

    with TiffFile(path) as tiff:
        series = tiff.series[0]
        axes, notes = _known_axes(series.axes, series.shape)
        if len(tiff.series) > 1:
            notes += (
                f"The file holds {len(tiff.series)} images of different shapes; only "
                "the first was read.",
            )
        calibration = read_calibration(tiff)
        data = LazyTiff(path) if lazy else series.asarray()
    if tuple(data.shape) != tuple(series.shape):
        raise ValueError(f"wanted values of shape {series.shape}, got {data.shape}")
    everything = ImageRecord(
        data,
        axes,
        calibration.spacing_um,
        calibration.time_step_s,
        calibration.channel_names,
        notes + calibration.notes,
    )
    return everything.with_axes(axes)


def _known_axes(axes: str, shape: tuple[int, ...]) -> tuple[str, tuple[str, ...]]:
    """Give each axis that the file leaves open (I, Q, ...) a letter of ours.

    The letters Z, T and C are handed out in that order, never by size, and the user
    is told.
    """
    letters = [
        "C" if a == "S" and n > _MAX_SAMPLES else a
        for a, n in zip(axes, shape, strict=True)
    ]
    notes: tuple[str, ...] = ()
    for position, letter in enumerate(letters):
        if letter not in _MEANINGFUL:
            free = next((a for a in "ZTC" if a not in letters), None)
            if free is None:
                raise ValueError(f"axes {axes} with more than T, C, Z, Y, X and S")
            letters[position] = free
            notes += (
                f"The file does not say what its axis {position} is; it was taken "
                f"for {free}.",
            )
    return "".join(letters), notes
