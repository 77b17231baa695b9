"""Make the pages' pictures from made-up samples whose truth is known.

Run from the top of the repository; it takes some minutes:

    python docs/scripts/pictures.py [NAME ...]

The names are those of the pictures, `cells`, `trust`, `presets`, `stack` and
`removed`; without one, all of them are made.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from skimage.metrics import peak_signal_noise_ratio

from napari_inr_denoise import denoise
from napari_inr_denoise.batch.report.figures import write_comparison
from napari_inr_denoise.core.denoise import DenoiseResult
from napari_inr_denoise.core.settings import preset_settings
from napari_inr_denoise.samples import Sample, field_of_cells, small_stack

FOLDER = Path("docs/pictures")
PART = np.s_[40:168, 100:228]
"""Of the cells: 128x128 pixels with a nucleus, filaments and vesicles."""
PLANE = 6
"""Of the stack."""
Panels = list[tuple[str, NDArray[Any]]]


def cells() -> Panels:
    """Show a noisy image, the same denoised, and the truth."""
    sample = field_of_cells()
    images = {"noisy": sample.noisy, "denoised": _cells_denoised("auto").image}
    return _compared(images, sample, PART)


def trust() -> Panels:
    """Show what was removed, how large the error may be, and how large it is."""
    sample, result = field_of_cells(), _cells_denoised("auto")
    assert result.uncertainty is not None
    removed = sample.noisy - result.image
    error = np.abs(result.image - sample.truth)
    return [
        ("removed", _scaled(removed[PART], -30, 30)),
        ("uncertainty", _scaled(result.uncertainty[PART], 0, 6)),
        ("true error, size", _scaled(error[PART], 0, 6)),
    ]


def presets() -> Panels:
    """Show the same image by each preset."""
    images = {name: _cells_denoised(name).image for name in ("paper", "fast", "auto")}
    sample = field_of_cells()
    return _compared({"noisy": sample.noisy} | images, sample, PART)


def stack() -> Panels:
    """Show a plane denoised by itself, and with the planes beside it."""
    sample = small_stack(planes=12, photons=20)
    images: dict[str, NDArray[Any]] = {"noisy": sample.noisy}
    for name, context in (("alone", 0), ("with its stack", 1)):
        settings = preset_settings("fast", context=context)
        images[name] = denoise(sample.noisy, axes="ZYX", settings=settings).image
    return _compared(images, sample, np.s_[PLANE])


def removed() -> Panels:
    """Show what was removed: noise only, or structure, too."""
    sample = field_of_cells()
    noisy = sample.noisy.astype(np.float32)
    shown: dict[str, NDArray[Any]] = {
        "by auto: noise only": noisy - _cells_denoised("auto").image,
        "by a blur: structure, too": noisy - gaussian_filter(noisy, 3),
    }
    return [(name, _scaled(image[PART], -30, 30)) for name, image in shown.items()]


PICTURES = {
    function.__name__: function for function in (cells, trust, presets, stack, removed)
}
_done: dict[str, DenoiseResult] = {}


def _cells_denoised(preset: str) -> DenoiseResult:
    """Denoise the cells, once with each preset."""
    if preset not in _done:
        _done[preset] = denoise(field_of_cells().noisy, preset=preset, device="cpu")
    return _done[preset]


def _compared(images: dict[str, NDArray[Any]], sample: Sample, part: Any) -> Panels:  # noqa: ANN401 - an index
    """Return a part of images and of the truth, with PSNR over the whole plane."""
    whole = part if isinstance(part, int) else np.s_[:]
    truth = sample.truth[whole]
    span = float(np.ptp(truth))
    low, high = float(truth.min()), float(np.percentile(truth, 99.7))
    panels = []
    for name, image in images.items():
        plane = image[whole].astype(np.float32)
        found = peak_signal_noise_ratio(truth, plane, data_range=span)
        panels.append((f"{name} {found:.1f} dB", _scaled(image[part], low, high)))
    return [*panels, ("truth", _scaled(sample.truth[part], low, high))]


def _scaled(plane: NDArray[Any], low: float, high: float) -> NDArray[np.float64]:
    """Return intensities from 0 to 1, every pixel as a square of two by two."""
    values = (plane.astype(np.float64) - low) / (high - low)
    return np.kron(values, np.ones((2, 2)))


def main(names: list[str]) -> None:
    """Make the pictures of these names."""
    for name in names or PICTURES:
        write_comparison(FOLDER / f"{name}.png", PICTURES[name](), (0.0, 1.0))
        print(f"{FOLDER / name}.png")


if __name__ == "__main__":
    main(sys.argv[1:])
