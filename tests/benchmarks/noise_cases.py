"""Images whose noise is not textbook: the error beside that of the best plain filter.

Seeded tissue, and a low-noise micrograph of $INR_DENOISE_DATA where that is set, with
each kind of noise of `noise_kinds`:

    python -m tests.benchmarks.noise_cases --preset fast --side 96
    python -m tests.benchmarks.noise_cases --only row-noise --pictures strips

A plain filter is a Gaussian blur or a median; the truth picks the best. A row falls
short where the error is above the limit; where bright spots or filaments lose or gain
more than a tenth of their light; where, without a warning, fewer than 55 % or more than
90 % of the errors are within one of their standard deviations, or fewer than 85 %
within two; and where textbook noise gets a warning. Exit code 1 if a row does.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, median_filter

from napari_inr_denoise import DenoiseSettings, denoise
from napari_inr_denoise.batch.report.figures import write_comparison
from napari_inr_denoise.core.compute.devices import pick_device
from napari_inr_denoise.core.report.report import PlaneReport
from napari_inr_denoise.core.report.verdict import Verdict
from napari_inr_denoise.core.settings import PRESETS, preset_settings
from tests.benchmarks.images import data_folder, entries, read_pairs
from tests.benchmarks.machine import describe_run
from tests.benchmarks.noise_kinds import KINDS, Case, case_of
from tests.benchmarks.synthetic import Noise
from tests.phantoms import SIDE, Array, tissue

_MICROGRAPH = "mitochondria1024x1024"
_CORNER = 300
"""First row and column of the part of the micrograph."""
_WIDTHS = np.geomspace(0.3, 6, 20)
"""Widths of the blur that are tried, in pixels."""
_MEDIANS = (3, 5, 7)
_BRIGHTEST = 0.995
"""Quantile of a sparse truth above which the light is summed."""
_BELOW = 0.15
"""Contrast below the darkest true value, so that noise there is not black."""
HEADER = (
    "| base | case | noisy | best plain filter | result | ratio | limit |"
    " level / true | within 1, 2 std | warnings | falls short |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True)
class Row:
    """One case.

    Attributes
    ----------
    base, case : str
        Names of the truth and of the kind of noise.
    noisy, plain, result : float
        Root mean square errors of the noisy plane, of the best plain filter and of the
        result, in the case's units.
    ratio, limit : float
        Error of the result over that of the plain filter (sparse planes: over that of
        the noisy plane), and the largest that is allowed.
    level : float or None
        Estimated over true noise level, without hot pixels and the noise of lines.
    within : tuple of float
        Share of the errors within one and two standard deviations; empty if unknown.
    kept : float or None
        Light of the brightest pixels of a sparse plane, over the truth's.
    warnings : tuple of str
        What the report warns of, and its verdict if structure was removed.
    short : tuple of str
        Why the row falls short.
    """

    base: str
    case: str
    noisy: float
    plain: float
    result: float
    ratio: float
    limit: float
    level: float | None
    within: tuple[float, ...]
    kept: float | None
    warnings: tuple[str, ...]
    short: tuple[str, ...]

    def __str__(self) -> str:
        """Return the row as Markdown."""
        errors = f"{self.noisy:.2f} | {self.plain:.2f} | {self.result:.2f}"
        level = "-" if self.level is None else f"{self.level:.2f}"
        within = ", ".join(f"{share:.2f}" for share in self.within) or "-"
        warnings = ", ".join(f"`{name}`" for name in self.warnings)
        return (
            f"| {self.base} | {self.case} | {errors} | {self.ratio:.2f} "
            f"| {self.limit:.2f} | {level} | {within} | {warnings} "
            f"| {', '.join(self.short)} |"
        )


def main() -> None:
    """Print a Markdown row for each case; exit code 1 if one falls short."""
    options = _parser().parse_args()
    settings = preset_settings(options.preset, seed=0, device=options.device)
    for line in describe_run(
        "tests.benchmarks.noise_cases", pick_device(settings.device)
    ):
        print(line)
    print(f"\n{HEADER}", flush=True)
    rows = []
    for base, plane in _bases(options.side):
        for name in options.only:
            if KINDS[name].sparse and base != "tissue":
                continue  # it has no base
            case = case_of(name, plane, options.seed)
            row, image = _scored(base, name, case, settings)
            print(row, flush=True)
            rows.append(row)
            if options.pictures and base == "tissue":
                _write_strip(options.pictures / f"{name}.png", row, case, image)
    short = [row for row in rows if row.short]
    print(f"\n{len(short)} of {len(rows)} fall short.")
    if options.json:
        text = json.dumps([asdict(row) for row in rows], indent=1)
        options.json.write_text(f"{text}\n", "utf-8")
    sys.exit(bool(short))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--preset", default="fast", choices=list(PRESETS))
    add("--side", type=int, default=128, help="of the planes, in pixels")
    add("--only", nargs="+", default=list(KINDS), choices=list(KINDS), metavar="CASE")
    add("--seed", type=int, default=7, help="of the noise")
    add("--device", default="auto")
    add("--json", type=Path, metavar="FILE", help="also write the rows here")
    add(
        "--pictures",
        type=Path,
        metavar="FOLDER",
        help="write a strip noisy, result, truth of each kind on tissue",
    )
    return parser


def _bases(side: int) -> Iterator[tuple[str, Array]]:
    """Yield the name of each base, and the base from 0 to 1."""
    yield "tissue", tissue(side)
    if "INR_DENOISE_DATA" in os.environ:
        (entry,) = entries(data_folder() / "micro_clean", [_MICROGRAPH])
        (pair,) = read_pairs(entry, [Noise("none", 0.0)], 0)
        plane = pair.truth if pair.truth.ndim == 2 else pair.truth[..., 0]
        part = slice(_CORNER, _CORNER + side)
        smooth = gaussian_filter(plane[part, part], 1.0)  # its own noise
        yield "micrograph", (smooth - smooth.min()) / np.ptp(smooth)


def _scored(
    base: str, name: str, case: Case, settings: DenoiseSettings
) -> tuple[Row, NDArray[np.floating]]:
    """Denoise a case; return its row and the result."""
    kind, found = KINDS[name], denoise(case.noisy, axes="YX", settings=settings)
    plane = found.report.files[0].planes[0]
    noisy, plain = _error(case, case.noisy), _best_plain_filter(case)
    result = _error(case, found.image)
    ratio = result / (noisy if kind.sparse else plain)
    within = _within(case, found.image, found.uncertainty)
    kept = _kept(case, found.image) if kind.sparse else None
    warnings = _warnings(plane)
    faults = {
        "error": ratio > kind.limit,
        "light": kept is not None and not 0.9 <= kept <= 1.1,
        "uncertainty": not warnings and not _fits(within),
        "warning": name == "textbook" and bool(warnings),
    }
    return Row(
        base=base,
        case=name,
        noisy=noisy,
        plain=plain,
        result=result,
        ratio=ratio,
        limit=kind.limit,
        level=_level(case, plane),
        within=within,
        kept=kept,
        warnings=warnings,
        short=tuple(fault for fault, given in faults.items() if given),
    ), found.image


def _level(case: Case, plane: PlaneReport) -> float | None:
    """Return the estimated over the true noise level."""
    if plane.noise.sigma is None:
        return None
    noise = case.noisy if case.pixel_noise is None else case.truth + case.pixel_noise
    return plane.noise.sigma / _error(case, noise)


def _error(case: Case, image: NDArray[np.floating]) -> float:
    """Return the root mean square error over the pixels that count."""
    error = (image - case.truth)[_counted(case)]
    return float(np.sqrt(np.mean(np.square(error))))


def _counted(case: Case) -> NDArray[np.bool_]:
    everywhere = np.ones(case.truth.shape, dtype=np.bool_)
    return everywhere if case.counted is None else case.counted


def _best_plain_filter(case: Case) -> float:
    """Return the least error of a Gaussian blur or a median."""
    noisy = case.noisy.astype(float)
    blurs = [gaussian_filter(noisy, width) for width in _WIDTHS]
    medians = [median_filter(noisy, size) for size in _MEDIANS]
    return min(_error(case, image) for image in blurs + medians)


def _within(
    case: Case, image: NDArray[np.floating], std: NDArray[np.floating] | None
) -> tuple[float, ...]:
    """Return the shares of errors within one and two standard deviations."""
    if std is None:
        return ()
    counted = _counted(case)
    error = np.abs(image - case.truth)[counted]
    return tuple(float(np.mean(error <= k * std[counted])) for k in (1, 2))


def _fits(within: tuple[float, ...]) -> bool:
    """Return whether the told uncertainty is about right, or none is told."""
    return not within or (0.55 <= within[0] <= 0.9 and within[1] >= 0.85)


def _kept(case: Case, image: NDArray[np.floating]) -> float:
    """Return the light of the brightest pixels over the truth's."""
    dark = np.median(case.truth)
    bright = case.truth >= np.quantile(case.truth, _BRIGHTEST)
    return float((image - dark)[bright].sum() / (case.truth - dark)[bright].sum())


def _warnings(plane: PlaneReport) -> tuple[str, ...]:
    removed = Verdict.STRUCTURE.value
    return (*plane.quality.warnings, *[removed] * (plane.quality.verdict == removed))


def _write_strip(path: Path, row: Row, case: Case, image: NDArray[np.floating]) -> None:
    """Write noisy plane, result and truth, their middle, each pixel as two by two."""
    path.parent.mkdir(parents=True, exist_ok=True)
    start = max(0, (len(case.truth) - SIDE) // 2)
    part = slice(start, start + SIDE)
    panels = [
        (f"noisy, error {row.noisy:.2f}", case.noisy),
        (f"result, error {row.result:.2f}", image),
        ("truth", case.truth),
    ]
    shown = [
        (caption, np.kron(plane[part, part], np.ones((2, 2))))
        for caption, plane in panels
    ]
    black, white = np.percentile(case.truth, (0, KINDS[row.case].white))
    black -= _BELOW * (white - black)
    write_comparison(path, shown, (float(black), float(white)))


if __name__ == "__main__":
    main()
