"""Units of length and time as files spell them."""

from __future__ import annotations

_MICROMETRES = {
    "m": 1e6,
    "cm": 1e4,
    "mm": 1e3,
    "um": 1.0,
    "nm": 1e-3,
    "pm": 1e-6,
    "å": 1e-4,
    "in": 25400.0,
    "inch": 25400.0,
    "micron": 1.0,
    "microns": 1.0,
    "micrometer": 1.0,
    "micrometre": 1.0,
    "nanometer": 1e-3,
    "millimeter": 1e3,
}
_SECONDS = {
    "d": 86400.0,
    "h": 3600.0,
    "min": 60.0,
    "s": 1.0,
    "sec": 1.0,
    "ms": 1e-3,
    "us": 1e-6,
    "ns": 1e-9,
}


def micrometres(value: float, unit: str) -> float | None:
    """Return a length in micrometres; None for pixels, nonsense or unknown units."""
    return _convert(value, unit, _MICROMETRES)


def seconds(value: float, unit: str) -> float | None:
    """Return a time in seconds; None for nonsense or unknown units."""
    return _convert(value, unit, _SECONDS)


def _convert(value: float, unit: str, table: dict[str, float]) -> float | None:
    # ImageJ writes the micro sign as an escape sequence; there are two micro signs.
    spelled = unit.replace("\\u00B5", "u").replace("\u00b5", "u").replace("\u03bc", "u")
    factor = table.get(spelled.strip().lower())
    if factor is None or not 0 < value < float("inf"):
        return None
    return value * factor
