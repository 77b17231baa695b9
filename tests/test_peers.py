"""The benchmark of the peers: its tables, its runners, and what it gives them."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.images import psnr
from tests.benchmarks.peers.catalogue import METHODS
from tests.benchmarks.peers.measure import Limits, noise_density, run_method
from tests.benchmarks.peers.store import Row, read_rows
from tests.benchmarks.peers.table import cost_table, mean_table, quality_table
from tests.doc_blocks import ROOT
from tests.phantoms import Array, tissue

MEASURED = ROOT / "tests" / "benchmarks" / "peers" / "results.json"
WHOLE = MEASURED.with_name("results_whole_groups.json")
PAGE = ROOT / "docs" / "pages" / "comparison.md"


needs_limits = pytest.mark.skipif(
    sys.platform == "win32", reason="a process has no CPU limit there"
)


def _rows(*groups: str) -> list[Row]:
    return [row for row in read_rows(MEASURED) if row.group in groups]


def test_the_page_on_the_comparison_has_the_measured_tables() -> None:
    text = PAGE.read_text("utf-8")
    real = _rows("frames", "photographs", "micrographs", "pollen")
    for lines in (
        quality_table(real),
        quality_table(_rows("kinds")),
        cost_table(real),
        mean_table(read_rows(WHOLE)),
    ):
        assert "\n".join(lines) in text


def _noisy(truth: Array) -> Array:
    return truth + np.random.default_rng(0).normal(0, 20, truth.shape)


@needs_limits
@pytest.mark.parametrize("name", ["noise2fast", "self2self"])
def test_a_method_that_was_written_from_its_paper_stops_when_its_time_is_over(
    name: str,
) -> None:
    noisy = _noisy(100 * tissue(32))
    made = run_method(Path(sys.executable), METHODS[name], noisy, Limits(1, 1))
    assert made.image is not None, made.note
    assert made.image.shape == noisy.shape
    assert np.ptp(made.image) <= 1.01 * np.ptp(noisy)
    assert re.match(r"[1-9]\d* (of \d+ )?steps", made.note)


@needs_limits
def test_zs_n2n_removes_noise() -> None:
    truth = 100 * tissue(32)
    noisy = _noisy(truth)
    made = run_method(Path(sys.executable), METHODS["zs-n2n"], noisy, Limits(3, 1))
    assert made.image is not None, made.note
    assert psnr(made.image, truth) > psnr(noisy, truth) + 1


@needs_limits
def test_the_message_of_a_peer_that_fails_is_kept() -> None:
    method = METHODS["n2v"]  # not installed beside this project
    made = run_method(Path(sys.executable), method, np.ones((8, 8)), Limits(5, 1))
    assert made.image is None
    assert made.note == "ModuleNotFoundError: No module named 'careamics'"


def test_the_spectrum_of_white_noise_is_flat_and_has_its_variance() -> None:
    density = noise_density(np.ones((8, 8)), (24, 16))
    np.testing.assert_allclose(density, 24 * 16)


def test_the_spectrum_of_blurred_noise_falls_with_the_frequency() -> None:
    power = np.linspace(2, 0, 8)[:, None] * np.ones(8)
    density = noise_density(power, (32, 32))
    assert density.mean() == pytest.approx(32 * 32)
    assert density[0].mean() > density[8].mean() > density[16].mean()
    np.testing.assert_allclose(density[1:], density[1:][::-1])


def test_rows_are_kept_as_plain_values() -> None:
    for row in json.loads(MEASURED.read_text("utf-8")):
        assert (row["psnr"] is None) == (row["ssim"] is None)
        assert row["psnr"] is not None or row["note"]
