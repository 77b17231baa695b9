"""What is done to an image is done to its result: units, orientation, borders, types.

Measured in the noise level. What another seed alone changes is the measure of what
cannot be told apart: 0.1 of the noise here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from napari_inr_denoise import DenoiseSettings, denoise
from napari_inr_denoise.core.report.report import PlaneReport
from napari_inr_denoise.core.settings import preset_settings

SIDE = 64
PAD = 8
SETTINGS: dict[str, DenoiseSettings] = {
    "auto": preset_settings(
        "auto",
        window_steps=200,
        window_width=32,
        window_batch=1024,
        n_augmentations=4,
        device="cpu",
    ),
    "paper": preset_settings(
        "paper",
        width=64,
        depth=3,
        batch_size=512,
        learning_rate=5e-4,
        max_steps=600,
        device="cpu",
    ),
}
"""Enough steps for a result; presets of the full size would take minutes."""
BRIEF = {
    "auto": replace(SETTINGS["auto"], window_steps=20),
    "paper": replace(SETTINGS["paper"], max_steps=100),
}
"""For what does not depend on how good the result is."""


def _inner(image: np.ndarray) -> np.ndarray:
    return image[PAD:-PAD, PAD:-PAD]


Change = Callable[[np.ndarray], np.ndarray]
EXACT: dict[str, tuple[Change, Change]] = {
    "twice": (lambda x: 2 * x, lambda y: y / 2),
    "a thousandth": (lambda x: x / 1024, lambda y: y * 1024),
    "float32": (lambda x: x.astype(np.float32), lambda y: y),
    "uint8": (lambda x: x.astype(np.uint8), lambda y: y),
    "big endian": (lambda x: x.astype(">i4"), lambda y: y),
}
"""Changes after which each bit of the result follows; the image is of whole numbers."""
_UNITS = {"auto": 0.03, "paper": 0.01}
_ORIENTATIONS = {"auto": 0.15, "paper": 0.25}
_BORDERS = {"auto": 0.2, "paper": 0.25}
"""Largest rms difference over the noise level; measured were at most seven tenths."""
NEAR: dict[str, tuple[Change, Change, dict[str, float]]] = {
    "hundredths": (lambda x: 0.01 * x, lambda y: 100 * y, _UNITS),
    "an offset": (lambda x: x + 1000, lambda y: y - 1000, _UNITS),
    "both": (lambda x: 0.7 * x - 50, lambda y: (y + 50) / 0.7, _UNITS),
    "upside down": (np.flipud, np.flipud, _ORIENTATIONS),
    # All other orientations are made of these two.
    "rotated": (np.rot90, lambda y: np.rot90(y, -1), _ORIENTATIONS),
    "a border": (lambda x: np.pad(x, PAD, "reflect"), _inner, _BORDERS),
    "a border of nothing": (
        lambda x: np.pad(x, PAD, constant_values=np.nan),
        _inner,
        _BORDERS,
    ),
}
"""Changes, the way back, and how far the result may be off."""


@cache
def _noisy() -> np.ndarray:
    """Return waves of 16 pixels with noise of 12, in whole numbers of 8 bits."""
    y, x = np.mgrid[:SIDE, :SIDE]
    truth = 110 + 40 * np.sin(x / 2.5 + 1) * np.cos(y / 4)
    noise = np.random.default_rng(0).normal(0, 12, truth.shape)
    return np.rint(truth + noise).clip(1, 254)


@cache
def _plain(settings: DenoiseSettings) -> tuple[np.ndarray, PlaneReport]:
    return _result(settings, _noisy())


def _result(
    settings: DenoiseSettings, image: np.ndarray
) -> tuple[np.ndarray, PlaneReport]:
    found = denoise(np.ascontiguousarray(image), settings=settings)
    return found.image, found.report.files[0].planes[0]


@pytest.mark.parametrize("preset", SETTINGS)
@pytest.mark.parametrize("change", EXACT)
def test_units_that_are_powers_of_two_and_types_change_no_bit(
    preset: str, change: str
) -> None:
    there, back = EXACT[change]
    result, _ = _result(BRIEF[preset], there(_noisy()))
    assert np.array_equal(back(result), _plain(BRIEF[preset])[0])


@pytest.mark.parametrize("preset", SETTINGS)
@pytest.mark.parametrize("change", NEAR)
def test_the_result_follows_the_image(preset: str, change: str) -> None:
    there, back, most = NEAR[change]
    result, found = _result(SETTINGS[preset], there(_noisy()))
    plain, plane = _plain(SETTINGS[preset])
    difference = back(result.astype(np.float64)) - plain
    assert plane.sigma is not None
    assert np.sqrt(np.mean(difference**2)) < most[preset] * plane.sigma
    assert np.abs(difference.mean()) < 0.05 * plane.sigma
    if change == "both":
        assert found.sigma == pytest.approx(0.7 * plane.sigma, rel=1e-3)
