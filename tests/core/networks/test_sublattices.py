from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention

from napari_inr_denoise.core.networks.sublattices import (
    batch_to_space,
    ring_sum,
    space_to_batch,
    windows,
)

PLANES = torch.arange(2 * 3 * 6 * 9, dtype=torch.float32).view(2, 3, 6, 9)


def test_what_was_taken_apart_comes_together() -> None:
    last = PLANES.movedim(1, -1)
    parts = space_to_batch(last, 3)
    assert parts.shape == (18, 2, 3, 3)
    assert torch.equal(batch_to_space(parts, 3), last)
    # The second sub-lattice begins one pixel to the right.
    assert torch.equal(parts[1], last[0, ::3, 1::3])


def test_windows_hold_what_lies_around_a_pixel() -> None:
    found = windows(PLANES, 1)
    assert found.shape == (2, 6, 9, 3, 3, 3)
    assert torch.equal(found[1, 2, 4], PLANES[1, :, 1:4, 3:6])
    assert (found[0, 0, 0, :, 0] == 0).all()


def test_a_ring_is_its_window_without_the_pixel() -> None:
    kernel = torch.ones(3, 1, 5, 5)
    kernel[..., 2, 2] = 0
    wanted = F.conv2d(PLANES, kernel, padding=2, groups=3)
    torch.testing.assert_close(ring_sum(PLANES, 2), wanted)
    spoilt = PLANES.clone()
    spoilt[..., 3, 4] = float("nan")
    found = ring_sum(spoilt, 2)[..., 3, 4]
    assert torch.equal(found, ring_sum(PLANES, 2)[..., 3, 4])
