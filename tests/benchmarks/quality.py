"""PSNR, stop and time on real fluorescence images and on noisy photographs.

INR_DENOISE_DATA=... python -m tests.benchmarks.quality --preset paper

Other settings, on some of the images:

... --images Confocal_FISH --sigmas --set omega=30 first_period=54
"""

from __future__ import annotations

import argparse
import itertools

from napari_inr_denoise import denoise
from napari_inr_denoise.core.settings import preset_settings
from tests.benchmarks.images import fluorescence, photographs, psnr


def main() -> None:
    """Print one Markdown row an image."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="paper")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--photos", nargs="*", default=["02", "08"])
    parser.add_argument("--sigmas", nargs="*", type=float, default=[5, 15, 25])
    parser.add_argument(
        "--images", nargs="*", help="fluorescence images; all if omitted"
    )
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE")
    options = parser.parse_args()
    changes = {
        name: int(value) if value.isdigit() else float(value)
        for name, value in (text.split("=") for text in options.set)
    }
    settings = preset_settings(options.preset, device=options.device, **changes)
    wanted = (p for p in fluorescence() if p.name in (options.images or [p.name]))
    names = tuple(options.photos)
    photos = (photographs(sigma, names) for sigma in options.sigmas)
    print(
        "| image | sigma / true | correlated | noisy dB | denoised dB | gain dB |"
        " MSE / sigma^2 | steps | reason | s |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for pair in itertools.chain(wanted, *photos):
        result = denoise(pair.noisy, settings=settings)
        file = result.report.files[0]
        plane = file.planes[0]
        before, after = (psnr(im, pair.truth) for im in (pair.noisy, result.image))
        true_sigma = 255 / 10 ** (before / 20)
        print(
            f"| {pair.name} | {plane.sigma / true_sigma:.3f} | {plane.correlated} "
            f"| {before:.2f} | {after:.2f} | {after - before:+.2f} "
            f"| {(plane.residual_rms / plane.sigma) ** 2:.3f} | {plane.steps} "
            f"| {plane.reason} | {file.seconds:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
