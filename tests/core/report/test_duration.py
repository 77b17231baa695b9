from __future__ import annotations

import pytest

from napari_inr_denoise.core.report.duration import duration_words, short_duration


@pytest.mark.parametrize(
    ("seconds", "words", "short"),
    [
        (0.0, "1 second", "0 s"),
        (1.4, "1 second", "1 s"),
        (89.0, "89 seconds", "89 s"),
        (150.0, "2 minutes", "2 min"),
        (5399.0, "90 minutes", "90 min"),
        (9000.0, "2.5 hours", "2.5 h"),
    ],
)
def test_a_duration_has_about_two_digits(
    seconds: float, words: str, short: str
) -> None:
    assert duration_words(seconds) == words
    assert short_duration(seconds) == short
