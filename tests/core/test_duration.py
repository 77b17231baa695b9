from __future__ import annotations

import pytest

from napari_inr_denoise.core.duration import duration_words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "1 second"),
        (1.4, "1 second"),
        (89.0, "89 seconds"),
        (150.0, "2 minutes"),
        (5399.0, "90 minutes"),
        (9000.0, "2.5 hours"),
    ],
)
def test_a_duration_has_about_two_digits(seconds: float, words: str) -> None:
    assert duration_words(seconds) == words
