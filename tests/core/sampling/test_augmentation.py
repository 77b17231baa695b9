from __future__ import annotations

import pytest
import torch

from napari_inr_denoise.core.sampling.augmentation import (
    N_ORIENTATIONS,
    augment,
    undo_augmentation,
)


@pytest.mark.parametrize("orientation", range(N_ORIENTATIONS))
def test_an_augmentation_is_undone(orientation: int) -> None:
    planes = torch.arange(2 * 3 * 5).view(2, 3, 5)
    assert torch.equal(
        undo_augmentation(augment(planes, orientation), orientation), planes
    )


def test_the_turns_differ() -> None:
    square = torch.arange(9).view(1, 3, 3)
    orientations = {
        tuple(augment(square, orientation).flatten().tolist())
        for orientation in range(N_ORIENTATIONS)
    }
    assert len(orientations) == N_ORIENTATIONS


def test_the_first_leaves_planes_as_they_are() -> None:
    planes = torch.arange(6).view(2, 3)
    assert augment(planes, 0) is planes
