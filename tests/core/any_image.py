"""Images of every kind for tests of properties, and settings of a few steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from napari_inr_denoise.core.settings import DenoiseSettings, preset_settings

_QUICK = {
    "window_steps": 12,
    "window_width": 8,
    "window_batch": 256,
    "n_augmentations": 2,
}
_QUICK |= {"attention_steps": 4, "attention_width": 4}
_SIREN = {
    "width": 16,
    "depth": 2,
    "batch_size": 128,
    "learning_rate": 1e-3,
    "max_steps": 12,
    "judge_every": 4,
}
QUICK: dict[str, DenoiseSettings] = {
    # A volume also takes SIREN, for its function.
    "auto": preset_settings("auto", device="cpu", **_QUICK, **_SIREN),
    "paper": preset_settings("paper", device="cpu", **_SIREN),
}
"""Settings with which a small plane takes some hundredths of a second."""

_Make = Callable[[np.random.Generator, tuple[int, int]], np.ndarray]


def _one_bright(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    image = rng.normal(0, 1, shape)
    image[tuple(rng.integers(shape))] = 10.0 ** rng.integers(1, 30)
    return image


def _lone(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    image = np.zeros(shape)
    image[tuple(rng.integers(shape))] = 1
    return image


KINDS: dict[str, _Make] = {
    "noise": lambda rng, shape: rng.normal(0, 1, shape),
    "wave": lambda rng, shape: (
        5 * np.sin(np.arange(shape[1]) / 5) + rng.normal(0, 1, shape)
    ),
    "photons": lambda rng, shape: rng.poisson(
        3 + 2 * np.sin(np.arange(shape[1]) / 5), shape
    ).astype(float),
    "constant": lambda rng, shape: np.full(shape, float(rng.integers(-3, 4))),
    "one bright": _one_bright,
    "lone": _lone,
    "saturated": lambda rng, shape: rng.normal(0, 1, shape).clip(-1, 1),
    "half dark": lambda rng, shape: (
        rng.normal(0, 1, shape) * (np.arange(shape[1]) > shape[1] // 2)
    ),
    "sparse": lambda rng, shape: rng.random(shape) * (rng.random(shape) < 0.02),
    "rows": lambda rng, shape: (
        rng.normal(0, 0.1, shape) + np.arange(shape[0])[:, None] % 2
    ),
    "heavy tails": lambda rng, shape: np.exp(5 * rng.normal(0, 1, shape)),
}
"""By name, from a generator and a shape (Y, X), in units of about 1."""
_HOLES = ("none", "none", "some", "most", "border")
_SIDES = st.sampled_from([1, 3, 8, 16, 24, 33, 48])
_SCALES = st.sampled_from([1, 1, 1e3, 1e-3, 1e30, 1e36, 1e-30, 1e-36, 1e-40, 1e-150])


def _hole(rng: np.random.Generator, shape: tuple[int, int], kind: str) -> np.ndarray:
    """Return where there are no values."""
    if kind == "border":
        inside = np.zeros(shape, dtype=bool)
        inside[1:-1, 1:-1] = True
        return ~inside
    return rng.random(shape) < {"none": 0.0, "some": 0.05, "most": 0.8}[kind]


@st.composite
def planes(draw: st.DrawFn) -> np.ndarray:
    """Return a plane of floats of any kind, size, scale and offset, with holes."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    shape = draw(_SIDES), draw(_SIDES)
    kind = draw(st.sampled_from(sorted(KINDS)))
    scale = draw(_SCALES)
    offset = scale * draw(st.sampled_from([0, 0, 1, 1e3, -1e3, 1e8]))
    image = (KINDS[kind](rng, shape) * scale + offset).clip(-3e38, 3e38)
    holes = _hole(rng, shape, draw(st.sampled_from(_HOLES)))
    image[holes] = rng.choice([np.nan, np.inf, -np.inf], holes.sum())
    return image.astype(draw(st.sampled_from(["f8", "f4"])))


@st.composite
def stacks(draw: st.DrawFn) -> tuple[np.ndarray, str]:
    """Return small whole numbers under any axes, and these axes."""
    outer = draw(st.sets(st.sampled_from("TCZS"), max_size=2))
    axes = "".join(draw(st.permutations(sorted({"Y", "X", *outer}))))
    sizes: dict[str, int] = {"Y": 12, "X": 14}
    shape = tuple(sizes.get(letter) or draw(st.integers(1, 3)) for letter in axes)
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    dtype: Any = draw(st.sampled_from(["?", "u1", "i2", "u8", ">u2", "f2"]))
    return rng.poisson(draw(st.sampled_from([0, 1, 40])), shape).astype(dtype), axes
