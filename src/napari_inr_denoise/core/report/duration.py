"""Durations as text."""

from __future__ import annotations

_MOST_SECONDS, _MOST_MINUTES = 90, 90 * 60
"""Limits, in seconds, below which a duration is given in seconds or in minutes."""


def duration_words(seconds: float) -> str:
    """Return a duration in words, with about two digits: "3 minutes"."""
    if seconds < _MOST_SECONDS:
        whole = max(round(seconds), 1)
        return f"{whole} second{'s' if whole > 1 else ''}"
    if seconds < _MOST_MINUTES:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours"


def short_duration(seconds: float) -> str:
    """Return a duration with the symbol of its unit: "3 min"."""
    if seconds < _MOST_SECONDS:
        return f"{seconds:.0f} s"
    if seconds < _MOST_MINUTES:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
