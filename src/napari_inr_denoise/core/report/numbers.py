"""Measured numbers as text."""

from __future__ import annotations

import math

_PLAIN = (1e-4, 1e7)
"""Smallest and largest magnitude that is written without an exponent."""


def in_digits(value: float, digits: int = 3) -> str:
    """Return a number rounded to some digits, without an exponent if it can be read.

    As the format "g", which however writes 1440 with three digits as "1.44e+03".

    Parameters
    ----------
    value : float
        The number.
    digits : int
        Number of significant digits.
    """
    short = f"{value:.{digits}g}"
    least, most = _PLAIN
    if not math.isfinite(value) or not least <= abs(float(short)) < most:
        return short
    return f"{float(short):.0f}" if "e" in short else short
