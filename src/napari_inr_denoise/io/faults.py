"""Sentences that say why a file cannot be read."""

from __future__ import annotations

import re
from pathlib import Path

_UNSUPPORTED = re.compile(
    r"not (yet )?(supported|implemented|a known|known)|unsupported|unknown", re.I
)


class UnsupportedError(ValueError):
    """A file that is whole, but of a kind that this package does not read."""


def fault_of(path: Path, error: Exception, what: str = "file") -> str:
    """Return the sentence about a file that could not be read.

    Only a file that cannot be what it says is called damaged.

    Parameters
    ----------
    path : Path
        The file.
    error : Exception
        Error of this package, or of the library that reads the format.
    what : str
        What of it was read: "file" or "pixels".
    """
    unsupported = isinstance(error, UnsupportedError | NotImplementedError)
    if unsupported or _UNSUPPORTED.search(str(error)):
        why = "the file is of a kind that is not supported"
    else:
        why = "the file is damaged, or not of the kind that its name says"
    detail = str(error)
    if not isinstance(error, UnsupportedError):
        detail = f"{type(error).__name__}: {error}"
    return f"{path}: the {what} could not be read; {why} ({detail})."
