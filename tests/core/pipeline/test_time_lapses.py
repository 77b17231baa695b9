"""Real time-lapses: what moves leaves no ghost, what bleaches stays bleached."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_inr_denoise.core.denoise import denoise
from napari_inr_denoise.core.settings import preset_settings
from napari_inr_denoise.io.read import read_image

SETTINGS = preset_settings(
    "fast", window_steps=30, window_width=32, window_batch=1024, device="cpu"
)


def _ghost(noisy: NDArray[np.float64], image: NDArray[np.float64]) -> float:
    """Return how much of the frames before and after is in each frame's result.

    What a frame's result has of them in excess is missing in what was removed.
    """
    removed = noisy[1:-1] - image[1:-1]
    others = (image[:-2] + image[2:]) / 2 - image[1:-1]
    others -= others.mean(axis=(1, 2), keepdims=True)
    return -float((removed * others).sum() / (others**2).sum())


def test_the_measure_sees_a_ghost(rng: np.random.Generator) -> None:
    frames = rng.normal(size=(8, 40, 40))
    ghosts = frames.copy()
    ghosts[1:-1] += 0.1 * ((frames[:-2] + frames[2:]) / 2 - frames[1:-1])
    assert _ghost(frames, frames) == pytest.approx(0.0, abs=0.02)
    assert _ghost(frames, ghosts) == pytest.approx(0.1, abs=0.03)


@pytest.mark.data
@pytest.mark.long
@pytest.mark.parametrize(
    "name", ["timelapse_lysosome_tyx_u16.tif", "cancer_cell_migration_crop.tif"]
)
def test_real_frames_share_without_ghosts(data_folder: Path, name: str) -> None:
    data = read_image(data_folder / "stacks" / name).data
    noisy = np.asarray(data.reshape(-1, *data.shape[-2:])[:5, 16:64, 16:64], float)
    result = denoise(noisy, axes="TYX", settings=SETTINGS)
    assert all(plane.shared for plane in result.report.files[0].planes)
    alone = denoise(noisy, axes="TYX", settings=replace(SETTINGS, context=0)).image
    image = result.image.astype(float)
    assert _ghost(noisy, image) < _ghost(noisy, alone.astype(float)) + 0.02
    before, after = noisy.mean(axis=(1, 2)), image.mean(axis=(1, 2))
    assert np.abs(after - before).max() < 1e-3 * before.mean()
