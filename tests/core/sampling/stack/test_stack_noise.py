"""What planes of a stack have in common, and which planes then help each other."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from napari_inr_denoise import DenoiseSettings, denoise
from napari_inr_denoise.core.sampling.stack.parts import ReadPart, Values
from napari_inr_denoise.core.sampling.stack.series import Series
from napari_inr_denoise.core.sampling.stack.stack_noise import StackNoise
from napari_inr_denoise.image.tiling import Tiling
from tests.phantoms import SIDE, Array, camera, cells

PLANES = 12
CLEAN = np.stack([np.roll(cells(), number // 2, 1) for number in range(PLANES)])
SHAPE = SIDE, SIDE


def _alone() -> Array:
    return np.stack([camera(plane, seed) for seed, plane in enumerate(CLEAN)])


def _averaged() -> Array:
    """Return running averages over three frames."""
    noisy = _alone().astype(float)
    return np.asarray((noisy[:-2] + noisy[1:-1] + noisy[2:]) / 3)


def _reader(planes: Array) -> ReadPart:
    every = np.ones(SHAPE, bool)

    def read(number: int, window: tuple[slice, slice]) -> Values:
        return planes[number][window][..., None].astype(float), every[window]

    return read


@pytest.mark.parametrize(("make", "shared"), [(_alone, False), (_averaged, True)])
def test_shared_noise_is_no_fixed_pattern(
    make: Callable[[], Array], shared: bool
) -> None:
    planes = make()
    noise = StackNoise.of(_reader(planes), len(planes), SHAPE)
    assert noise.distance in ((2, 3, 4) if shared else (1,))
    assert noise.pattern is None


def test_a_plane_that_cannot_be_read_is_left_out() -> None:
    planes = _averaged()
    read = _reader(planes)

    def damaged(number: int, window: tuple[slice, slice]) -> Values:
        if number == 2:
            raise OSError
        return read(number, window)

    assert StackNoise.of(damaged, len(planes), SHAPE).distance > 1


@pytest.mark.parametrize(
    ("number", "expected"), [(6, (3, 9)), (1, (None, 4)), (11, (8, None))]
)
def test_nearer_planes_are_no_context(
    number: int, expected: tuple[int | None, ...]
) -> None:
    series = Series(
        _reader(_alone()),
        *(PLANES, Tiling.of(SHAPE, 1024), (1.0, 1.0), 1, StackNoise(distance=3)),
    )
    assert series.context_numbers(number) == expected
    assert series.beside(number) == [k for k in expected if k is not None]
    assert series.problem(number, series.tiling.tiles[0]).shares_noise


@pytest.mark.parametrize(
    ("mode", "context"), [("plane", 0), ("volume", 1)], ids=["one by one", "volume"]
)
def test_every_plane_says_so(mode: str, context: int, tiny: DenoiseSettings) -> None:
    settings = DenoiseSettings.from_dict(
        tiny.to_dict() | {"context": context, "mode": mode}
    )
    result = denoise(_averaged(), axes="ZYX", settings=settings)
    for plane in result.report.files[0].planes:
        assert plane.warnings.count("shared_noise") == 1
        assert "fixed_pattern" not in plane.warnings
