"""How well the noise model is known: estimated over true gain and level.

Clean images with Poisson-Gaussian noise, by default $INR_DENOISE_DATA/micro_clean:

    python -m tests.benchmarks.noise --gains 0.5 5 50 --counts 0.5 5 50 500

Real pairs have no known gain; of them the level alone is told:

    python -m tests.benchmarks.noise fmd
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_inr_denoise import estimate_noise
from tests.benchmarks.images import Entry, data_folder, entries, read_pairs
from tests.benchmarks.machine import describe_run
from tests.benchmarks.synthetic import Noise

_PEDESTAL = 100.0
_READ_NOISE = 1.0
"""In photons."""
_LARGEST = 512
_BLUR = 1.0
"""In pixels: takes away noise that the clean images hold themselves."""
_WITHIN = {"gain": 0.10, "sigma": 0.05}
HEADER = (
    "| image | gain | photons | gain / true | sigma / true |\n|---|---|---|---|---|"
)


@dataclass(frozen=True)
class Found:
    """Estimated over true values; the gain's is None where it is not known."""

    gain: float | None
    sigma: float

    @property
    def misses(self) -> int:
        """How many of the values are outside of what is wanted."""
        gain_off = self.gain is not None and not abs(self.gain - 1) <= _WITHIN["gain"]
        return int(gain_off) + int(abs(self.sigma - 1) > _WITHIN["sigma"])

    @property
    def values(self) -> int:
        """How many values there are."""
        return 1 if self.gain is None else 2


def main() -> None:
    """Print one Markdown row per image and noise, and how many are too far off."""
    options = _parser().parse_args()
    chosen = entries(options.folder or data_folder() / "micro_clean", options.images)
    for line in describe_run("tests.benchmarks.noise", torch.device("cpu")):
        print(line)
    print(f"\n{HEADER}", flush=True)
    rows: list[Found] = []
    for entry in chosen:
        for noise, found in _found(entry, options):
            print(_line(entry.name, noise, found), flush=True)
            rows.append(found)
    misses, values = sum(row.misses for row in rows), sum(row.values for row in rows)
    print("\nGain off by more than 10 % or sigma by more than 5 %:", end=" ")
    print(f"{misses} of {values} values.")


def _line(name: str, noise: str, found: Found) -> str:
    gain = "" if found.gain is None else f"{found.gain:.2f}"
    return f"| {name} | {noise} | {gain} | {found.sigma:.3f} |"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("folder", nargs="?", type=Path, help="clean images or pairs; comes first")
    add("--images", nargs="*", default=[], metavar="NAME", help="all if omitted")
    add("--gains", nargs="+", type=float, default=[0.5, 5.0, 50.0])
    add("--counts", nargs="+", type=float, default=[0.5, 5.0, 50.0, 500.0])
    add("--seed", type=int, default=0)
    return parser


def _found(entry: Entry, options: argparse.Namespace) -> Iterator[tuple[str, Found]]:
    """Yield each noise and what was found of it."""
    if entry.noisy is not None:
        (pair,) = read_pairs(entry, [], options.seed)
        sigma = estimate_noise(pair.noisy, axes=pair.axes).sigma
        true = float(np.sqrt(np.mean((pair.noisy - pair.truth) ** 2)))
        yield "| ", Found(None, sigma / true)
        return
    clean = _clean(entry)
    for gain in options.gains:
        for count in options.counts:
            found = _of_synthetic(clean, gain, count, options.seed)
            yield f"{gain:g} | {count:g}", found


def _clean(entry: Entry) -> NDArray[np.float64]:
    """Return a plane of mean 1: the first sample, its own noise blurred away."""
    (pair,) = read_pairs(entry, [Noise("none", 0.0)], 0)
    plane = pair.truth if pair.truth.ndim == 2 else pair.truth[..., 0]
    smooth = gaussian_filter(plane, _BLUR)[:_LARGEST, :_LARGEST]
    return np.asarray(smooth / smooth.mean())


def _of_synthetic(
    clean: NDArray[np.float64], gain: float, count: float, seed: int
) -> Found:
    rng = np.random.default_rng(seed)
    photons = clean * count
    noisy = rng.poisson(photons) + rng.normal(0, _READ_NOISE, clean.shape)
    true = gain * float(np.sqrt(np.mean((noisy - photons) ** 2)))
    # A camera's file holds whole numbers.
    model = estimate_noise(np.round(_PEDESTAL + gain * noisy), axes="YX")
    return Found(model.gain / gain, model.sigma / true)


if __name__ == "__main__":
    main()
