"""A field of settings with its bounds, help and unit, and the check of its value."""

from __future__ import annotations

from dataclasses import Field, field, fields
from numbers import Integral, Real
from typing import Any

Choice = str | int | float
"""A value of a setting."""


def setting(
    default: Choice,
    help_text: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    unit: str = "",
) -> Any:  # noqa: ANN401 - dataclass fields are typed by their annotation
    """Declare a field with its bounds, help and unit in the field's metadata."""
    return field(
        default=default,
        metadata={
            "help": help_text,
            "minimum": minimum,
            "maximum": maximum,
            "unit": unit,
        },
    )


class CheckedSettings:
    """Base of frozen settings: every field is checked when an object is made."""

    def __post_init__(self) -> None:
        for item in fields(self):  # type: ignore[arg-type]
            if "help" in item.metadata:
                value = _checked(item, getattr(self, item.name))
                object.__setattr__(self, item.name, value)


def _checked(item: Field[Any], value: Any) -> Choice:  # noqa: ANN401 - checked here
    """Return one setting, checked for its type and its bounds."""
    name, about = item.name, item.metadata["help"]
    if item.type == "str":
        if not isinstance(value, str):
            raise TypeError(f"{name}: got {value!r}, wanted a text. {about}")
        return value
    wanted = Integral if item.type == "int" else Real
    # bool is an int to Python; here it is a mistake.
    if type(value) is bool or not isinstance(value, wanted):
        raise TypeError(f"{name}: got {value!r}, wanted {item.type}. {about}")
    low, high = item.metadata["minimum"], item.metadata["maximum"]
    if not low <= value <= high:
        raise ValueError(
            f"{name}: got {value}, wanted a value from {low} to {high}. {about}"
        )
    return _plain(value, whole=item.type == "int")


def _plain(value: Any, *, whole: bool) -> Choice:  # noqa: ANN401 - any kind of number
    """Return a number of Python's own: neither torch nor JSON takes those of numpy."""
    if type(value) in (int, float):
        return value  # type: ignore[no-any-return]
    return int(value) if whole else float(value)
