"""Durations in words."""

from __future__ import annotations


def duration_words(seconds: float) -> str:
    """Return a duration in words, to about two digits."""
    if seconds < 90:
        whole = max(round(seconds), 1)
        return f"{whole} second{'s' if whole > 1 else ''}"
    if seconds < 5400:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours"
