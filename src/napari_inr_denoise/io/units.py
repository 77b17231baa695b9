"""Units of length and time: symbols, names, spellings and conversion."""

from __future__ import annotations

from typing import Literal

Kind = Literal["length", "time"]

# Powers of ten, not products of floats: 65 nm must be 0.065 micrometres everywhere.
_PREFIXES = {
    "Y": ("yotta", 24),
    "Z": ("zetta", 21),
    "E": ("exa", 18),
    "P": ("peta", 15),
    "T": ("tera", 12),
    "G": ("giga", 9),
    "M": ("mega", 6),
    "k": ("kilo", 3),
    "h": ("hecto", 2),
    "da": ("deca", 1),
    "": ("", 0),
    "d": ("deci", -1),
    "c": ("centi", -2),
    "m": ("milli", -3),
    "\u00b5": ("micro", -6),
    "n": ("nano", -9),
    "p": ("pico", -12),
    "f": ("femto", -15),
    "a": ("atto", -18),
    "z": ("zepto", -21),
    "y": ("yocto", -24),
}
_OTHER_MICROMETRES = {
    "\u00c5": 1e-4,
    "thou": 25.4,
    "in": 25400.0,
    "ft": 304800.0,
    "yd": 914400.0,
    "mi": 1609344000.0,
}
# OME units of length without a fixed number of micrometres, or of no use here.
_NO_SIZE = ("li", "ua", "ly", "pc", "pt", "pixel", "reference frame")
_OTHER_SECONDS = {"d": 86400.0, "h": 3600.0, "min": 60.0}

_MICROMETRES = {
    f"{sign}m": float(f"1e{power + 6}") for sign, (_, power) in _PREFIXES.items()
} | _OTHER_MICROMETRES
_SECONDS = {
    f"{sign}s": float(f"1e{power}") for sign, (_, power) in _PREFIXES.items()
} | _OTHER_SECONDS

_LENGTH_NAMES = {
    f"{sign}m": f"{name}meter" for sign, (name, _) in _PREFIXES.items()
} | {
    "\u00c5": "angstrom",
    "in": "inch",
    "ft": "foot",
    "yd": "yard",
    "mi": "mile",
    "pc": "parsec",
}
_TIME_NAMES = {f"{sign}s": f"{name}second" for sign, (name, _) in _PREFIXES.items()} | {
    "d": "day",
    "h": "hour",
    "min": "minute",
}
_ALIASES = {
    "length": {
        "micron": "\u00b5m",
        "microns": "\u00b5m",
        "\u00e5": "\u00c5",
        "inches": "in",
        "pixels": "pixel",
    },
    "time": {
        "sec": "s",
        "secs": "s",
        "seconds": "s",
        "msec": "ms",
        "msecs": "ms",
        "usec": "\u00b5s",
        "mins": "min",
        "minutes": "min",
        "hr": "h",
        "hrs": "h",
        "hours": "h",
        "days": "d",
    },
}
_SYMBOLS = {"length": {*_MICROMETRES, *_NO_SIZE}, "time": set(_SECONDS)}
_NAMES = {"length": _LENGTH_NAMES, "time": _TIME_NAMES}


def unit_symbol(unit: str, kind: Kind) -> str | None:
    """Return the OME symbol of a unit in any spelling; None for unknown units."""
    spelled = unit.strip()
    # ImageJ writes the micro sign as an escape sequence; there are two micro signs; and
    # both have been read as Latin-1 where they were UTF-8.
    for micro in ("\\u00B5", "\\u00b5", "\u00c2\u00b5", "\u00ce\u00bc", "\u03bc"):
        spelled = spelled.replace(micro, "\u00b5")
    # Case-sensitive first: Mm is not mm.
    for text in (spelled, spelled.lower()):
        if text in _SYMBOLS[kind]:
            return text
        if text[:1] == "u" and "\u00b5" + text[1:] in _SYMBOLS[kind]:
            return "\u00b5" + text[1:]
    return _by_name(spelled.lower(), kind)


def _by_name(name: str, kind: Kind) -> str | None:
    if name in _ALIASES[kind]:
        return _ALIASES[kind][name]
    singular = name.replace("metre", "meter")
    for symbol, known in _NAMES[kind].items():
        if singular in (known, f"{known}s"):
            return symbol
    return None


def unit_name(symbol: str, kind: Kind) -> str:
    """Return the OME-Zarr name of a unit; the symbol if it has none."""
    return _NAMES[kind].get(symbol, symbol)


def to_micrometres(value: float, unit: str) -> float | None:
    """Return a length in micrometres; None for pixels, bad values and unknown units."""
    return _convert(value, _MICROMETRES.get(unit_symbol(unit, "length") or ""))


def to_seconds(value: float, unit: str) -> float | None:
    """Return a time in seconds; None for bad values and unknown units."""
    return _convert(value, _SECONDS.get(unit_symbol(unit, "time") or ""))


def _convert(value: float, factor: float | None) -> float | None:
    if factor is None or not 0 < value < float("inf"):
        return None
    return value * factor
