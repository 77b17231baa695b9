"""How long a network is trained, and how fast its weights decay, by its pixels."""

from __future__ import annotations

from itertools import pairwise

import pytest

from napari_inr_denoise.core.candidates.schedule import weight_decay


@pytest.mark.parametrize(
    ("pixels", "decay"), [(0, 10.0), (96**2, 10.0), (200**2, 10.0), (512**2, 3.0)]
)
def test_weights_decay_faster_with_few_pixels(pixels: int, decay: float) -> None:
    assert weight_decay(pixels) == decay


def test_the_decay_does_not_jump() -> None:
    decays = [weight_decay(side**2) for side in range(64, 600)]
    assert max(a / b for a, b in pairwise(decays)) < 1.02
    assert decays == sorted(decays, reverse=True)
