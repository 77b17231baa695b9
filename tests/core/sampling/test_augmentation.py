from __future__ import annotations

import pytest
import torch

from napari_inr_denoise.core.sampling.augmentation import (
    N_ORIENTATIONS,
    augment,
    undo_augmentation,
)


@pytest.mark.parametrize("turn", range(N_ORIENTATIONS))
def test_a_turn_is_undone(turn: int) -> None:
    planes = torch.arange(2 * 3 * 5).view(2, 3, 5)
    assert torch.equal(undo_augmentation(augment(planes, turn), turn), planes)


def test_the_turns_differ() -> None:
    square = torch.arange(9).view(1, 3, 3)
    turns = {
        tuple(augment(square, turn).flatten().tolist())
        for turn in range(N_ORIENTATIONS)
    }
    assert len(turns) == N_ORIENTATIONS


def test_the_first_leaves_planes_as_they_are() -> None:
    planes = torch.arange(6).view(2, 3)
    assert augment(planes, 0) is planes
