"""Cache key of a result. A file with the same key is not denoised again."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

from napari_inr_denoise.core.settings import DenoiseSettings
from napari_inr_denoise.io.entries import ImageEntry
from napari_inr_denoise.io.fingerprint import sha256_of


def release() -> str:
    """Return the version without its development suffix.

    Each commit has its own version, but files are denoised again for a new release
    only.
    """
    return version("napari-inr-denoise").partition("+")[0].partition(".dev")[0]


def cache_key(
    source: Path,
    settings: DenoiseSettings,
    axes: str | None,
    *,
    same_dtype: bool,
    image: ImageEntry | None = None,
) -> dict[str, Any]:
    """Return release, content and settings as values for JSON.

    Parameters
    ----------
    source : Path
        A file, or the folder of a Zarr.
    settings : DenoiseSettings
        The device is left out.
    axes : str or None
        Axes given by the user.
    same_dtype : bool
        Whether the result has the data type of the input.
    image : ImageEntry or None
        The image, of a file with several.
    """
    values = settings.to_dict()
    del values["device"]
    chosen = {} if image is None else {"series": image.name}
    return chosen | {
        "version": release(),
        "source_sha256": sha256_of(source, image.files if image else ()),
        "settings": values,
        "axes": axes,
        "same_dtype": same_dtype,
    }
