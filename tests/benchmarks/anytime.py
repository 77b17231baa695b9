"""How good a fit is before it ends: PSNR of the best state so far, against time.

Denoises the real frames of $INR_DENOISE_DATA and records, for shares of the CPU time of
the whole run, how far the state that a Stop would keep is below the end:

    python -m tests.benchmarks.anytime --presets fast auto --write after.json

`--source` names another checkout's `src` folder. Two or more files make a plot:

    python -m tests.benchmarks.anytime --plot anytime.svg before.json after.json
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SHARES = np.linspace(0.1, 1.0, 91)
_TOLD = (0.3, 0.4, 0.5, 0.7, 0.9)
_WIDTH, _HEIGHT, _MARGIN, _DEEPEST = 560, 300, 50, 2.0
_COLOURS = ("#888888", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00")
Curve = list[float]


def main() -> None:
    """Measure curves, or plot those of files."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("files", nargs="*", type=Path, help="with --plot")
    add("--plot", type=Path, help="file of the plot, SVG")
    add("--presets", nargs="+", default=["fast", "auto"])
    add("--only", default="", help="frames whose name holds this text")
    add("--source", help="the src folder of another checkout")
    add("--write", type=Path, help="file for the curves")
    options = parser.parse_args()
    if options.plot:
        curves = {
            f"{path.stem}, {preset}": np.mean(list(of_frames.values()), axis=0)
            for path in options.files
            for preset, of_frames in json.loads(path.read_text()).items()
        }
        options.plot.write_text(plot(curves))
        return
    if options.source:
        sys.path.insert(0, options.source)
    found = {preset: _measured(preset, options.only) for preset in options.presets}
    if options.write:
        options.write.write_text(json.dumps(found) + "\n")


def _measured(preset: str, only: str) -> dict[str, Curve]:
    """Return the curve of each frame, and print some of it."""
    from tests.benchmarks.images import data_folder, entries, read_pairs

    curves: dict[str, Curve] = {}
    for entry in entries(data_folder() / "fmd"):
        for pair in read_pairs(entry, (), 0):
            if only in pair.name:
                curves[pair.name] = curve_of(pair.noisy, pair.truth, preset)
                print(f"{preset}, {pair.name}: {_told(curves[pair.name])}", flush=True)
    every = np.array(list(curves.values()))
    print(f"{preset}, mean: {_told(every.mean(axis=0))}")
    print(f"{preset}, most: {_told(every.max(axis=0))}", flush=True)
    return curves


def curve_of(
    noisy: NDArray[np.floating], truth: NDArray[np.floating], preset: str
) -> Curve:
    """Return how far the state so far is below the end, in dB, for each share of time.

    Parameters
    ----------
    noisy, truth : ndarray, shape (Y, X)
        A plane, and what it is without noise.
    preset : str
        Name of the preset.
    """
    from napari_inr_denoise.core.denoise import denoise_steps
    from napari_inr_denoise.core.settings import preset_settings
    from tests.benchmarks.images import psnr

    settings = preset_settings(preset, device="cpu")
    started, times, values = time.process_time(), [0.0], [psnr(noisy, truth)]
    last: Any = None
    for step in denoise_steps(noisy, axes="YX", settings=settings):
        if step.result.plane_yxs is not last:
            last = step.result.plane_yxs
            times.append(time.process_time() - started)
            values.append(psnr(last[..., 0], truth))
    places = np.searchsorted(times, _SHARES * times[-1], side="right") - 1
    return [values[-1] - values[place] for place in places]


def _told(curve: NDArray[np.floating] | Curve) -> str:
    nearest = {share: int(np.abs(_SHARES - share).argmin()) for share in _TOLD}
    return ", ".join(
        f"{curve[k]:.2f} dB at {share:.0%}" for share, k in nearest.items()
    )


def plot(curves: dict[str, NDArray[np.floating]]) -> str:
    """Return an SVG picture of curves by their label."""
    wide, high = _WIDTH - 4 * _MARGIN, _HEIGHT - 2 * _MARGIN

    def place(share: float, below: float) -> tuple[float, float]:
        depth = min(max(below, 0.0), _DEEPEST) / _DEEPEST
        return _MARGIN + wide * share, _MARGIN / 2 + high * depth

    parts = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        (x, top), (_, bottom) = place(share, 0), place(share, _DEEPEST)
        parts.append(f'<path d="M{x} {top}V{bottom}" stroke="#ddd"/>')
        parts.append(_text(x, bottom + 18, f"{share:.0%}", "middle"))
    for below in (0.0, 0.5, 1.0, 1.5, 2.0):
        (x, y), (right, _) = place(0, below), place(1, below)
        parts.append(f'<path d="M{x} {y}H{right}" stroke="#ddd"/>')
        parts.append(_text(x - 6, y + 4, f"{-below:.1f}" if below else "0", "end"))
    for number, (label, curve) in enumerate(curves.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        points = " ".join(
            "{:.1f},{:.1f}".format(*place(share, below))
            for share, below in zip(_SHARES, curve, strict=True)
        )
        line = f'stroke="{colour}" stroke-width="2"'
        parts.append(f'<polyline points="{points}" fill="none" {line}/>')
        x, y = _MARGIN + wide + 12, _MARGIN / 2 + 14 + 22 * number
        parts.append(f'<path d="M{x} {y - 4}h18" {line}/>')
        parts.append(_text(x + 24, y, label, "start"))
    middle = _MARGIN + wide / 2
    parts.append(_text(middle, _HEIGHT - 12, "share of the time of the fit", "middle"))
    parts.append(_text(_MARGIN, _MARGIN / 2 - 8, "PSNR below the end, dB", "start"))
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'font-family="sans-serif" font-size="12">\n'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>\n{body}\n</svg>\n'
    )


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{text}</text>'


if __name__ == "__main__":
    main()
