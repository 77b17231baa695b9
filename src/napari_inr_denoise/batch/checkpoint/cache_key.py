"""What a result was made from: what must be unchanged for a file to count as done."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

from napari_inr_denoise.core.settings import DenoiseSettings
from napari_inr_denoise.io.fingerprint import sha256_of


def release() -> str:
    """Return the version without what tells states of development apart.

    Every commit has a version of its own; files are not done again for that.
    """
    return version("napari-inr-denoise").partition("+")[0].partition(".dev")[0]


def identity_of(
    source: Path, settings: DenoiseSettings, axes: str | None, *, same_dtype: bool
) -> dict[str, Any]:
    """Return release, content and settings, as values for JSON.

    Parameters
    ----------
    source : Path
        A file, or a folder that holds one image.
    settings : DenoiseSettings
        The device does not count.
    axes : str or None
        Given by the user.
    same_dtype : bool
        Whether the result has the input's type.
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
