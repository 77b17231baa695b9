"""A stack denoised as one, beside its planes one by one: PSNR, time, flicker.

The pollen volume of $INR_DENOISE_DATA, with noise added:

    python -m tests.benchmarks.stacks --planes 5 15 25

The same fitted as one volume:

    python -m tests.benchmarks.stacks --mode volume

Any stack without noise, as TIFF (the last three axes are taken for planes, Y and X):

    python -m tests.benchmarks.stacks STACK.tif --noise poisson-gaussian:60:1.5
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_inr_denoise import denoise
from napari_inr_denoise.core.settings import MODES, PRESETS, preset_settings
from napari_inr_denoise.io.read import read_image
from tests.benchmarks.images import data_folder, psnr
from tests.benchmarks.machine import describe_run
from tests.benchmarks.synthetic import parse_noise

_NOISES = tuple(
    parse_noise(f"poisson-gaussian:{text}") for text in ("60:1.5", "20:2", "10:2")
)
_BACKGROUND = 0.3
"""Share of a plane's pixels, the darkest of the blurred truth, taken for background."""
HEADER = (
    "| noise | noisy dB | stack dB | s a plane | alone dB | s a plane | gain dB |"
    " flicker before, after | of the background |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


def main() -> None:
    """Print one Markdown row for each noise."""
    options = _parser().parse_args()
    path = options.stack or data_folder() / "stacks/pollen_clean_zyx_u16.tif"
    data = read_image(path).data
    clean = data.reshape(-1, *data.shape[-2:]).astype(float)
    clean *= 255 / clean.max()
    for line in describe_run("tests.benchmarks.stacks", torch.device("cpu")):
        print(line)
    print(f"\n{HEADER}", flush=True)
    for noise in options.noise:
        noisy = noise.added_to(clean, options.seed)
        print(_row(noise.text, clean, noisy, options), flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("stack", nargs="?", type=Path, help="comes first")
    add("--noise", nargs="+", type=parse_noise, default=_NOISES, metavar="KIND")
    add("--planes", nargs="+", type=int, default=[5, 15, 25], help="done alone too")
    add("--preset", default="auto", choices=list(PRESETS))
    add("--mode", default="plane", choices=list(MODES), help="of the stack")
    add("--seed", type=int, default=0)
    return parser


def _row(
    noise: str,
    clean: NDArray[np.float64],
    noisy: NDArray[np.float64],
    options: argparse.Namespace,
) -> str:
    """Return one noise's row; PSNR is the mean over the planes done alone too."""
    started = time.perf_counter()
    settings = preset_settings(options.preset, mode=options.mode)
    together = denoise(noisy, axes="ZYX", settings=settings).image
    seconds = (time.perf_counter() - started) / len(noisy)
    planes = [k for k in options.planes if k < len(noisy)]
    started = time.perf_counter()
    alone = {k: denoise(noisy[k], preset=options.preset).image for k in planes}
    alone_seconds = (time.perf_counter() - started) / len(planes)
    before, after, single = (
        float(np.mean([psnr(image[k], clean[k]) for k in planes]))
        for image in (noisy, together, alone)
    )
    background = [_dark(plane) for plane in clean]
    flickers = (
        _flicker(noisy, clean),
        _flicker(together, clean),
        _flicker(noisy, clean, background),
        _flicker(together, clean, background),
    )
    cells = (
        noise,
        *(f"{value:.2f}" for value in (before, after, seconds, single, alone_seconds)),
        f"{after - single:+.2f}",
        "{:.4f}, {:.4f}".format(*flickers[:2]),
        "{:.4f}, {:.4f}".format(*flickers[2:]),
    )
    return f"| {' | '.join(cells)} |"


def _dark(plane: NDArray[np.float64]) -> NDArray[np.bool_]:
    smooth = gaussian_filter(plane, 5.0)
    return np.asarray(smooth <= np.quantile(smooth, _BACKGROUND))


def _flicker(
    image: NDArray[np.floating],
    clean: NDArray[np.float64],
    parts: list[NDArray[np.bool_]] | None = None,
) -> float:
    """Return the spread over the planes of the mean error, of all or of a part."""
    chosen = parts or [np.ones(clean.shape[1:], dtype=bool)] * len(clean)
    errors = [
        float((one - true)[part].mean())
        for one, true, part in zip(image, clean, chosen, strict=True)
    ]
    return float(np.std(errors))


if __name__ == "__main__":
    main()
