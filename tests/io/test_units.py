from __future__ import annotations

import pytest

from napari_inr_denoise.io.units import to_micrometres, to_seconds


@pytest.mark.parametrize(
    ("value", "unit", "wanted"),
    [
        (2, "µm", 2.0),
        (2, "\u03bcm", 2.0),
        (2, "\\u00B5m", 2.0),
        (2, "\u00c2\u00b5m", 2.0),
        (2, "micron", 2.0),
        (65, "nm", 0.065),
        (1, "inch", 25400.0),
        (1, "pixel", None),
        (1, "", None),
        (0, "um", None),
        (-1, "um", None),
        (float("inf"), "um", None),
        (float("nan"), "um", None),
    ],
)
def test_micrometres(value: float, unit: str, wanted: float | None) -> None:
    assert to_micrometres(value, unit) == (
        None if wanted is None else pytest.approx(wanted)
    )


@pytest.mark.parametrize(
    ("value", "unit", "wanted"),
    [
        (2, "min", 120),
        (2, "mins", 120),
        (2, "hr", 7200),
        (5, "ms", 0.005),
        (1, "frames", None),
    ],
)
def test_seconds(value: float, unit: str, wanted: float | None) -> None:
    assert to_seconds(value, unit) == (
        None if wanted is None else pytest.approx(wanted)
    )
