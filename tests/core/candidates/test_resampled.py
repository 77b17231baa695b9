from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_inr_denoise.core.candidates.resampled import InterpolatedImage
from napari_inr_denoise.core.denoise import DenoiseResult, denoise
from napari_inr_denoise.core.settings import preset_settings

SETTINGS = preset_settings(
    "paper",
    mode="volume",
    width=16,
    depth=2,
    batch_size=128,
    max_steps=60,
    learning_rate=2e-3,
    device="cpu",
)


def _noisy(axes: str) -> NDArray[np.float64]:
    sizes = {"T": 2, "C": 2, "Z": 4, "Y": 14, "X": 10}
    shape = tuple(sizes[letter] for letter in axes)
    random = np.random.default_rng(0)
    y = np.arange(14.0).reshape([14 if letter == "Y" else 1 for letter in axes])
    return np.asarray(100 + 30 * np.sin(y / 3) + random.normal(0, 5, shape))


@cache
def _run(axes: str) -> tuple[DenoiseResult, NDArray[np.float64]]:
    noisy = _noisy(axes)
    spacing = (2.0, 1.0, 1.0) if axes.index("Z") < axes.index("Y") else None
    return denoise(noisy, axes=axes, settings=SETTINGS, spacing_um=spacing), noisy


@pytest.mark.parametrize("axes", ["ZYX", "TZCYX", "CYXZ"])
def test_its_own_grid_gives_the_denoised_image(axes: str) -> None:
    result, noisy = _run(axes)
    image = InterpolatedImage(result.volumes, axes, noisy.shape)
    assert image.shape == noisy.shape
    np.testing.assert_allclose(image[:], result.image, 1e-3)


def test_voxels_become_cubes_and_say_that_they_were_not_measured() -> None:
    result, noisy = _run("TZCYX")
    image = InterpolatedImage(
        result.volumes, "TZCYX", noisy.shape, isotropic=True, zoom=2
    )
    assert image.shape == (2, 16, 2, 28, 20)
    assert image.spacing_zyx == pytest.approx((0.5, 0.5, 0.5))
    assert "was not measured" in image.words
    assert "16x28x20" in image.words


@pytest.mark.parametrize(
    "part", [(1,), (0, 3), (slice(None), 2, 1, 5), (1, slice(0, 4, 2), 0, slice(3, 9))]
)
def test_parts_are_those_of_the_whole(part: tuple[Any, ...]) -> None:
    result, noisy = _run("TZCYX")
    image = InterpolatedImage(result.volumes, "TZCYX", noisy.shape, zoom=2)
    np.testing.assert_array_equal(image[part], image[:][part])


def test_every_volume_needs_its_function() -> None:
    result, noisy = _run("ZYX")
    with pytest.raises(ValueError, match="volumes: got 1, wanted 2"):
        InterpolatedImage(result.volumes, "CZYX", (2, *noisy.shape))
