"""What selective weight decay changes: an ablation over a long fit.

The fit goes on past the stop, for `--steps` steps, once for each strength, with the
last two layers or all of them decayed. Printed: the PSNR at the noise level, the best
one, and the one at the end, where without decay the network has fitted the noise.

    INR_DENOISE_DATA=... python -m tests.benchmarks.weight_decay --image Confocal_FISH
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace

import numpy as np
import torch

from napari_inr_denoise.core.candidates.siren import fit_steps
from napari_inr_denoise.core.noise.estimate import plane_noise
from napari_inr_denoise.core.noise.model import NoiseModel
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.settings import DenoiseSettings, preset_settings
from tests.benchmarks.images import Pair, data_folder, entries, psnr, read_pairs
from tests.benchmarks.synthetic import Noise


@dataclass(frozen=True)
class Curve:
    """PSNR in dB at the noise level (None if never reached), at best and at the end."""

    at_stop: float | None
    best: float
    end: float
    end_ratio: float


def long_fit(pair: Pair, settings: DenoiseSettings) -> Curve:
    """Fit without the stop, and note where it would have been."""
    plane = pair.noisy[..., None]
    valid = np.ones(plane.shape[:2], dtype=bool)
    sigma = plane_noise(plane, valid).sigma
    never = NoiseModel(sigma=1e-6, correlated=False, sigma_neighbours=1e-6)
    problem = NoisyPlane(plane, valid, valid, never)
    steps = fit_steps(problem, settings, torch.device("cpu"))
    # The residual falls throughout, so the best so far is the present state.
    found = [
        (step.residual_rms, psnr(step.best.plane_yxs[..., 0], pair.truth))
        for step in steps
    ]
    at_stop = next((db for residual, db in found if residual <= sigma), None)
    ratio = (found[-1][0] / sigma) ** 2
    return Curve(at_stop, max(db for _, db in found), found[-1][1], ratio)


def _pair(name: str, photo_sigma: float) -> Pair:
    """Return the first frame of a fluorescence image, or a photograph with noise."""
    folder = data_folder() / ("photos" if photo_sigma else "fmd")
    noise = Noise(f"gaussian:{photo_sigma:g}", photo_sigma)
    return next(read_pairs(entries(folder, [name])[0], [noise], seed=0))


def main() -> None:
    """Print one Markdown row a strength."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--image", default="Confocal_FISH")
    parser.add_argument("--photo-sigma", type=float, default=0, help="noise of a photo")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--crop", type=int, default=256, help="central square")
    options = parser.parse_args()
    pair = _pair(options.image, options.photo_sigma).central(options.crop)
    base = replace(preset_settings("paper"), max_steps=options.steps, judge_every=50)
    print(f"{pair.label}, noisy {psnr(pair.noisy, pair.truth):.2f} dB")
    print("| layers | strength | at the stop | best | end | end MSE / sigma^2 |")
    print("|---|---|---|---|---|---|")
    for layers, strength in ((2, 0.0), (2, 1.0), (2, 3.0), (2, 10.0), (9, 3.0)):
        settings = replace(base, decay_layers=layers, weight_decay=strength)
        curve = long_fit(pair, settings)
        stop = "-" if curve.at_stop is None else f"{curve.at_stop:.2f}"
        print(
            f"| {'all' if layers == 9 else f'last {layers}'} | {strength:g} | {stop} "
            f"| {curve.best:.2f} | {curve.end:.2f} | {curve.end_ratio:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
