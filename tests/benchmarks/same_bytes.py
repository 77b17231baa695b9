"""Whether two commits denoise to the same bytes.

Denoises the package's samples and two real frames (`INR_DENOISE_DATA`) in all presets,
and prints a digest of each result, uncertainty and report. With a file of earlier
digests, it compares:

    python -m tests.benchmarks.same_bytes --write before.json
    python -m tests.benchmarks.same_bytes --against before.json

`--source` names another checkout's `src` folder, so that a commit before this script
can be asked. Digests are of one machine: another CPU rounds otherwise.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

FRAMES = ("Confocal_FISH", "WideField_BPAE_G")
PRESETS = ("fast", "auto", "paper")
_UNSTABLE = {"seconds", "peak_memory_mb", "version", "settings"}
"""Fields of a report that are not the result's."""
Case = tuple[str, Any, dict[str, Any]]


def main() -> None:
    """Write or compare digests; exit code 1 if one differs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--source", help="the src folder of another checkout")
    parser.add_argument("--write", help="file for the digests")
    parser.add_argument("--against", help="file of earlier digests")
    parser.add_argument("--only", default="", help="cases whose name holds this text")
    options = parser.parse_args()
    if options.source:
        sys.path.insert(0, options.source)
    before = json.loads(Path(options.against).read_text()) if options.against else {}
    found, different = {}, []
    for name, image, choices in cases():
        if options.only not in name:
            continue
        started = time.perf_counter()
        found[name] = digests(image, choices)
        seconds = time.perf_counter() - started
        same = found[name] == before.get(name, found[name])
        if not same:
            different.append(name)
        parts = [
            key
            for key in found[name]
            if found[name][key] != before.get(name, found[name]).get(key)
        ]
        print(
            f"{name}: {seconds:.1f} s {'' if same else 'DIFFERENT ' + ' '.join(parts)}",
            flush=True,
        )
    if options.write:
        Path(options.write).write_text(json.dumps(found, indent=1) + "\n")
    sys.exit(1 if different else 0)


def cases() -> Iterator[Case]:
    """Yield a name, an image and the choices of each case."""
    from napari_inr_denoise.samples import field_of_cells, small_stack, time_lapse
    from tests.benchmarks.images import data_folder

    cells, stack, movie = field_of_cells(), small_stack(), time_lapse()
    small = cells.noisy[:96, :96]
    damaged = small.astype(np.float64)
    damaged[10:20, 30:40] = np.nan
    damaged[50, 50] = 1e5
    rgb = np.stack([small, small[::-1], small.T], axis=-1)
    yield "rgb", rgb, {"axes": "YXS", "preset": "fast"}
    yield "damaged", damaged, {"preset": "fast"}
    yield "stronger", small, {"preset": "fast", "strength": 0.5}
    large = field_of_cells(side=600).noisy
    yield "tiles", large, {"preset": "fast", "memory_gb": 1.0}
    yield "volume", stack.noisy, {"mode": "volume", "max_steps": 60}
    all_candidates = "neighbourhood+attention+siren+siren-coarse"
    short = {"attention_steps": 40, "max_steps": 50, "window_steps": 120}
    yield "candidates", small, {"candidates": all_candidates, **short}
    channels = np.stack([small, small[::-1] * 2])
    yield "channels", channels, {"axes": "CYX", "preset": "fast"}
    for preset in ("fast", "auto"):
        yield f"stack, {preset}", stack.noisy, {"preset": preset}
        yield (
            f"time-lapse, {preset}",
            movie.noisy[:8],
            {"axes": "TYX", "preset": preset},
        )
    for preset in PRESETS:
        yield f"cells, {preset}", cells.noisy, {"preset": preset}
    from skimage.io import imread

    for frame in FRAMES:
        image = imread(data_folder() / "fmd" / frame / "noisy_1.png")
        for preset in PRESETS:
            yield f"{frame}, {preset}", image, {"preset": preset}


def digests(image: Any, choices: dict[str, Any]) -> dict[str, str]:
    """Return the digests of what an image is denoised to."""
    from napari_inr_denoise import denoise
    from napari_inr_denoise.core.settings import DenoiseSettings, preset_settings

    changes = {key: choices[key] for key in choices if key not in ("axes", "preset")}
    flat = preset_settings(choices.get("preset", "paper")).to_dict()
    settings = DenoiseSettings.from_dict({**flat, **changes, "device": "cpu"})
    result = denoise(image, axes=choices.get("axes"), settings=settings)
    report = result.report.to_dict()["files"][0]
    told = {key: value for key, value in report.items() if key not in _UNSTABLE}
    found = {"image": _digest(result.image), "report": _digest_text(told)}
    if result.uncertainty is not None:
        found["uncertainty"] = _digest(result.uncertainty)
    return found


def _digest(values: np.ndarray[Any, Any]) -> str:
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()[:16]


def _digest_text(told: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


if __name__ == "__main__":
    main()
