"""Checksum of an image in one file, several files or a folder."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from napari_inr_denoise.io.image_set import files_of_image
from napari_inr_denoise.io.untrusted.links import check_links


def sha256_of(path: Path, parts: Sequence[Path] = ()) -> str:
    """Return the SHA-256 of a file, or of the names and contents of several files.

    Parameters
    ----------
    path : Path
        A file, any file of an image in several files, or the folder of a Zarr.
    parts : sequence of Path, optional
        The files, or the folder in a Zarr, of one of several images.

    Raises
    ------
    ValueError
        If a link in the folder leads outside of it.
    """
    if path.is_dir():
        check_links(path)
        (path,) = parts or files_of_image(path)
        files = sorted(each for each in path.rglob("*") if each.is_file())
        names = [file.relative_to(path).as_posix() for file in files]
    else:
        files = sorted(parts or files_of_image(path))
        names = [file.name for file in files]
        if len(files) == 1:
            return _sha256(files[0])
    total = hashlib.sha256()
    for file, name in zip(files, names, strict=True):
        total.update(f"{_sha256(file)} {name}\n".encode())
    return total.hexdigest()


def _sha256(path: Path) -> str:
    state = path.stat()
    return _sha256_of_state(path, state.st_size, state.st_mtime_ns)


# A file may hold hundreds of images, each of which asks for it.
@lru_cache(maxsize=64)
def _sha256_of_state(path: Path, _size: int, _modified: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
