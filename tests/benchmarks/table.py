"""Rows of the benchmark's tables, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tests.benchmarks.images import Pair, psnr, ssim
from tests.benchmarks.references import Made

HEADER = (
    "| image | method | PSNR dB | SSIM | seconds | within 1, 2 std | candidates |\n"
    "|---|---|---|---|---|---|---|"
)
MEANS_HEADER = (
    "| noise | method | images | mean PSNR dB | mean SSIM | mean seconds |"
    " within 1, 2 std | worse than noisy |\n"
    "|---|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True)
class Row:
    """One method on one image.

    `within` is the share of the pixels whose error is at most one, and two, of their
    standard deviations; empty where none are told.
    """

    noise: str
    method: str
    psnr: float
    ssim: float
    seconds: float
    within: tuple[float, ...]
    worse: bool


def score(pair: Pair, method: str, made: Made) -> tuple[str, Row | None]:
    """Return the line to print, and the row unless the method could not run."""
    start = f"| {pair.label} | {method} |"
    if made.image is None:
        return f"{start} - | - | - | - | {made.note} |", None
    row = Row(
        noise=pair.noise,
        method=method,
        psnr=psnr(made.image, pair.truth),
        ssim=ssim(made.image, pair.truth),
        seconds=made.seconds,
        within=_within(pair, made),
        worse=psnr(made.image, pair.truth) < psnr(pair.noisy, pair.truth),
    )
    numbers = f"{row.psnr:.2f} | {row.ssim:.4f} | {row.seconds:.2f}"
    return f"{start} {numbers} | {_shares(row.within)} | {made.note} |", row


def _within(pair: Pair, made: Made) -> tuple[float, ...]:
    """Return the shares of errors within one and two standard deviations."""
    if made.image is None or made.uncertainty is None:
        return ()
    error = np.abs(made.image - pair.truth)
    return tuple(float(np.mean(error <= k * made.uncertainty)) for k in (1, 2))


def _shares(within: Sequence[float]) -> str:
    return ", ".join(f"{share:.2f}" for share in within) or "-"


def means(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the lines of the means, for each kind of added noise and for all."""
    for noise in dict.fromkeys(row.noise for row in rows if row.noise):
        yield from _means_of([row for row in rows if row.noise == noise], noise)
    yield from _means_of(rows, "all")


def _means_of(rows: Sequence[Row], noise: str) -> Iterator[str]:
    for method in dict.fromkeys(row.method for row in rows):
        group = [row for row in rows if row.method == method]
        db = np.mean([row.psnr for row in group])
        similarity = np.mean([row.ssim for row in group])
        seconds = np.mean([row.seconds for row in group])
        within = np.mean([row.within for row in group], axis=0)
        worse = sum(row.worse for row in group)
        yield (
            f"| {noise} | {method} | {len(group)} | {db:.2f} | {similarity:.4f} "
            f"| {seconds:.2f} | {_shares(within)} | {worse} |"
        )
