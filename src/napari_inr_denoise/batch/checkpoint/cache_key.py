"""Cache key of a result. A file with the same key is not denoised again."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

from napari_inr_denoise.core.settings import DenoiseSettings
from napari_inr_denoise.io.fingerprint import sha256_of


def release() -> str:
    """Return the version without its development suffix.

    Each commit has its own version, but files are denoised again for a new release
    only.
    """
    return version("napari-inr-denoise").partition("+")[0].partition(".dev")[0]


def cache_key(
    source: Path, settings: DenoiseSettings, axes: str | None, *, same_dtype: bool
) -> dict[str, Any]:
    """Return release, content and settings as values for JSON.

    Parameters
    ----------
    source : Path
        A file, or a folder that holds one image.
    settings : DenoiseSettings
        The device is left out.
    axes : str or None
        Axes given by the user.
    same_dtype : bool
        Whether the result has the data type of the input.
    """
    values = settings.to_dict()
    del values["device"]
    return {
        "version": release(),
        "source_sha256": sha256_of(source),
        "settings": values,
        "axes": axes,
        "same_dtype": same_dtype,
    }
