from __future__ import annotations

import pytest

from napari_inr_denoise.core.duration import duration_words, short_duration


@pytest.mark.parametrize(
    ("seconds", "words", "short"),
    [
        (0.2, "1 second", "0 s"),
        (4.4, "4 seconds", "4 s"),
        (300, "5 minutes", "5 min"),
        (9000, "2.5 hours", "2.5 h"),
    ],
)
def test_a_duration_has_the_unit_that_suits_it(
    seconds: float, words: str, short: str
) -> None:
    assert duration_words(seconds) == words
    assert short_duration(seconds) == short
