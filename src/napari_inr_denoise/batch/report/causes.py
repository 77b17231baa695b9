"""Error messages: the cause of a failure as a sentence."""

from __future__ import annotations

import errno

_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_PERMISSION = (errno.EACCES, errno.EPERM, errno.EROFS)
_RESUME = "The same command goes on from there."


def cause_of(error: BaseException) -> str:
    """Return what went wrong and what the user can do.

    Parameters
    ----------
    error : BaseException
        Its text is returned if it is a sentence already.
    """
    text = " ".join(str(error).split())
    if isinstance(error, OSError) and error.errno is not None:
        return _system_error(error, error.strerror or text)
    if isinstance(error, MemoryError):
        return (
            f"Memory ran out ({text or 'no details'}). Allow less with --memory, or "
            f"run fewer workers. {_RESUME}"
        )
    if text.endswith("."):
        return text
    return f"It failed with {type(error).__name__}: {text or 'no details'}."


def _system_error(error: OSError, text: str) -> str:
    """Return the message of an error of the operating system."""
    place = f"{error.filename}: " if error.filename else ""
    if error.errno in _DISK:
        return (
            f"{place}the disk is full ({text}). Make room, or choose another folder "
            f"for the results. {_RESUME}"
        )
    if error.errno in _PERMISSION:
        return (
            f"{place}permission denied ({text}). Ask for the right to read the image "
            "and to write the results, or choose another folder for these."
        )
    if error.errno == errno.ENAMETOOLONG:
        return (
            f"{place}the name is too long for the disk ({text}). Give the image a "
            "shorter name, or choose a folder for the results with a shorter path."
        )
    if error.errno == errno.ENOENT:
        return (
            f"{place}it is gone ({text}); it was there when the run was planned. Put "
            "it back and run the same command."
        )
    return f"{place}the system refused ({text}). Check the disk or the network drive."
