"""The cases of the benchmark of noise that is not textbook."""

from __future__ import annotations

import numpy as np
import pytest

from tests.benchmarks.noise_kinds import KINDS, case_of
from tests.doc_blocks import ROOT
from tests.phantoms import tissue

CUT = (
    "background-subtracted",
    "band-limited",
    "cut-off",
    "jpeg-50",
    "median-filtered",
    "saturated",
)
"""Cases whose noise has a mean of its own."""


@pytest.mark.parametrize("name", KINDS)
def test_a_case_is_noisy_and_made_from_its_seed(name: str) -> None:
    base = tissue(64)
    one, same, other = (case_of(name, base, seed) for seed in (1, 1, 2))
    assert one.noisy.shape == one.truth.shape == (64, 64)
    assert np.isfinite(one.noisy).all()
    np.testing.assert_array_equal(one.noisy, same.noisy)
    np.testing.assert_array_equal(one.truth, other.truth)
    counted = True if one.counted is None else one.counted
    assert ((one.noisy != other.noisy) & counted).any()
    # The noise has no mean of its own, but where values are cut off or hot.
    error = (one.noisy - one.truth)[np.broadcast_to(counted, one.truth.shape)]
    if one.pixel_noise is not None:
        error = one.pixel_noise
    if name not in CUT:
        assert abs(error.mean()) < 0.15 * error.std()


def test_the_page_on_benchmarks_has_every_kind() -> None:
    text = (ROOT / "docs" / "pages" / "noise_tests.md").read_text("utf-8")
    for name, kind in KINDS.items():
        assert f"| tissue | {name} |" in text
        assert (f"| micrograph | {name} |" in text) != kind.sparse
