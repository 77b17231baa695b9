"""Numbers are written as they are read."""

from __future__ import annotations

import math

import pytest

from napari_inr_denoise.core.report.numbers import in_digits


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (1437.2, 3, "1440"),
        (-65535.0, 2, "-66000"),
        (999.96, 3, "1000"),
        (3.916, 3, "3.92"),
        (2.0, 3, "2"),
        (0.000123456, 3, "0.000123"),
        (0.0, 3, "0"),
        (1.5e-6, 3, "1.5e-06"),
        (2.5e9, 3, "2.5e+09"),
        (math.inf, 3, "inf"),
        (math.nan, 3, "nan"),
    ],
)
def test_exponents_are_for_the_very_small_and_large(
    value: float, digits: int, text: str
) -> None:
    assert in_digits(value, digits) == text
