from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from napari_inr_denoise.core.sampling import blind_spot_windows as module
from napari_inr_denoise.core.sampling.augmentation import (
    N_ORIENTATIONS,
    undo_augmentation,
)
from napari_inr_denoise.core.sampling.blind_spot_windows import (
    Neighbours,
    Seen,
    WindowRadii,
)

HEIGHT, WIDTH = 9, 7
PLACES = [(0, 0), (0, 6), (8, 0), (8, 6), (0, 3), (4, 0), (4, 3), (7, 5)]


@pytest.fixture
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """No bfloat16, whatever the machine."""
    monkeypatch.setattr(module, "product_dtype", lambda _: torch.float32)


def _plane(samples: int = 1) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    linear = torch.randn(samples, HEIGHT, WIDTH, generator=generator)
    return linear, torch.sinh(linear)


def _everything() -> Tensor:
    return torch.ones(HEIGHT, WIDTH, dtype=torch.bool)


def _around(neighbours: Neighbours, row: int, column: int) -> Seen:
    return neighbours.around(torch.tensor([row * neighbours.width + column]))


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize(("blind_radius", "hidden"), [(0, 1), (1, 9), (3, 49)])
def test_it_gathers_what_lies_around_a_pixel(blind_radius: int, hidden: int) -> None:
    """Radius 3 about the middle of the plane: all of the window is inside."""
    linear, stabilized = _plane()
    radius = 3 if blind_radius < 3 else 4
    big = torch.nn.functional.pad(linear, (2, 2, 2, 2))
    big_stabilized = torch.nn.functional.pad(stabilized, (2, 2, 2, 2))
    counts = torch.ones(HEIGHT + 4, WIDTH + 4, dtype=torch.bool)
    neighbours = Neighbours(
        big, big_stabilized, counts, WindowRadii(radius, blind_radius)
    )
    seen = neighbours.around(torch.tensor([6 * (WIDTH + 4) + 5]))
    assert seen.values.shape == (1, 1, hidden)
    around = big[
        0, 6 - blind_radius : 7 + blind_radius, 5 - blind_radius : 6 + blind_radius
    ]
    torch.testing.assert_close(seen.values[0, 0], around.flatten())
    assert (neighbours.hidden_distance == 0).sum() == 1
    own = seen.values[0, 0, neighbours.hidden_distance == 0]
    torch.testing.assert_close(own, big[0, 6, 5][None])
    values = (2 * radius + 1) ** 2 - hidden
    assert seen.features.shape == (1, values + 1)
    assert neighbours.values == values + 1
    # The values seen are given relative to their level, which comes last.
    told = seen.features[0, :-1] + seen.features[0, -1]
    window = big_stabilized[0, 6 - radius : 7 + radius, 5 - radius : 6 + radius]
    far = torch.ones_like(window, dtype=torch.bool)
    far[
        radius - blind_radius : radius + blind_radius + 1,
        radius - blind_radius : radius + blind_radius + 1,
    ] = False
    torch.testing.assert_close(told, window[far])


@pytest.mark.parametrize("blind_radius", [0, 1, 2])
@pytest.mark.parametrize("place", PLACES)
def test_what_is_hidden_is_not_seen(place: tuple[int, int], blind_radius: int) -> None:
    """At corners and borders too, and not one bit of it."""
    linear, stabilized = _plane()
    plain = Neighbours(linear, stabilized, _everything(), WindowRadii(3, blind_radius))
    before = _around(plain, *place)
    for row in range(
        max(place[0] - blind_radius, 0), min(place[0] + blind_radius + 1, HEIGHT)
    ):
        for column in range(
            max(place[1] - blind_radius, 0), min(place[1] + blind_radius + 1, WIDTH)
        ):
            changed = [plane.clone() for plane in (linear, stabilized)]
            for plane in changed:
                plane[0, row, column] += 1000
            after = _around(
                Neighbours(*changed, _everything(), WindowRadii(3, blind_radius)),
                *place,
            )
            assert torch.equal(after.features, before.features)
            assert torch.equal(after.level, before.level)
            assert not torch.equal(after.values, before.values)


@pytest.mark.parametrize("blind_radius", [0, 1, 2])
def test_what_lies_outside_of_the_hole_is_seen(blind_radius: int) -> None:
    linear, stabilized = _plane()
    before = _around(
        Neighbours(linear, stabilized, _everything(), WindowRadii(3, blind_radius)),
        4,
        3,
    )
    linear, stabilized = linear.clone(), stabilized.clone()
    for plane in (linear, stabilized):
        plane[0, 4, 3 + blind_radius + 1] += 10
    after = _around(
        Neighbours(linear, stabilized, _everything(), WindowRadii(3, blind_radius)),
        4,
        3,
    )
    assert not torch.equal(after.features, before.features)
    assert not torch.equal(after.level, before.level)
    assert torch.equal(after.values, before.values)


@pytest.mark.parametrize(("blind_spot", "hidden"), [(-1, 0), (0, 1), (1, 9)])
@pytest.mark.parametrize("place", PLACES)
def test_context_slices_have_a_blind_spot_of_their_own(
    place: tuple[int, int], blind_spot: int, hidden: int
) -> None:
    linear, stabilized = _plane()
    radii = WindowRadii(3, 0, 2, blind_spot)
    beside = torch.cat([stabilized.flip(1), torch.ones(1, HEIGHT, WIDTH)])

    def seen() -> Tensor:
        planes = Neighbours(linear, stabilized, _everything(), radii, [beside])
        assert planes.values == 48 + 1 + 25 - hidden
        return _around(planes, *place).features

    before = seen()
    beside[0, place[0], place[1]] += 1000
    assert torch.equal(seen(), before) == (hidden > 0)


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("blind_radius", [0, 1])
def test_values_that_do_not_count_never_matter(samples: int, blind_radius: int) -> None:
    linear, stabilized = _plane(samples)
    counts = torch.rand(HEIGHT, WIDTH, generator=torch.Generator().manual_seed(1)) < 0.6
    every = torch.arange(HEIGHT * WIDTH)
    found = []
    for bad in (0.0, 1e6):
        planes = [torch.where(counts, plane, bad) for plane in (linear, stabilized)]
        found.append(
            Neighbours(*planes, counts, WindowRadii(3, blind_radius)).around(every)
        )
    assert torch.equal(found[0].features, found[1].features)
    assert torch.equal(found[0].level, found[1].level)
    assert torch.equal(
        found[0].values * found[0].weight, found[1].values * found[1].weight
    )
    own = (
        Neighbours(
            linear, stabilized, counts, WindowRadii(3, blind_radius)
        ).hidden_distance
        == 0
    )
    weights = found[0].weight[:, 0, own].flatten()
    assert torch.equal(weights, counts.flatten().float())


def test_where_nothing_counts_the_level_is_nought() -> None:
    linear, stabilized = _plane()
    nothing = torch.zeros(HEIGHT, WIDTH, dtype=torch.bool)
    seen = Neighbours(linear, stabilized, nothing, WindowRadii(2, 0)).around(
        torch.tensor([30])
    )
    for part in (seen.features, seen.level, seen.values, seen.weight):
        assert torch.equal(part, torch.zeros_like(part))


@pytest.mark.usefixtures("exact")
def test_the_level_of_a_flat_plane_is_its_value_up_to_the_corners() -> None:
    flat = torch.full((1, HEIGHT, WIDTH), 3.0)
    seen = Neighbours(flat, 2 * flat, _everything(), WindowRadii(3, 0)).around(
        torch.arange(HEIGHT * WIDTH)
    )
    torch.testing.assert_close(seen.level, torch.full((HEIGHT * WIDTH, 1), 3.0))
    torch.testing.assert_close(seen.features[:, -1:], 2 * seen.level)
    relative = seen.features[:, :-1]
    torch.testing.assert_close(relative, torch.zeros_like(relative), atol=1e-5, rtol=0)


@pytest.mark.parametrize("samples", [1, 2])
@pytest.mark.parametrize("blind_radius", [0, 1])
@pytest.mark.parametrize("orientation", range(N_ORIENTATIONS))
@pytest.mark.usefixtures("exact")
def test_reordered_columns_see_the_oriented_plane(
    orientation: int, blind_radius: int, samples: int
) -> None:
    """Weights w[columns] times features are w times those of the oriented plane."""
    linear, stabilized = _plane(samples)
    counts = torch.rand(HEIGHT, WIDTH, generator=torch.Generator().manual_seed(1)) < 0.8
    plain = Neighbours(linear, stabilized, counts, WindowRadii(3, blind_radius))
    oriented = Neighbours(
        undo_augmentation(linear, orientation),
        undo_augmentation(stabilized, orientation),
        undo_augmentation(counts, orientation),
        WindowRadii(3, blind_radius),
    )
    columns = plain.oriented_columns[orientation]
    assert sorted(columns.tolist()) == list(range(plain.values))
    weights = torch.from_numpy(np.random.default_rng(0).normal(size=(5, plain.values)))
    every = torch.arange(HEIGHT * WIDTH)
    found = plain.around(every).features.double() @ weights[:, columns].T
    wanted = oriented.around(every).features.double() @ weights.T
    # The oriented plane's pixels, in the order of the plain one's.
    order = undo_augmentation(every.view(HEIGHT, WIDTH), orientation).flatten()
    torch.testing.assert_close(found[order], wanted, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(
    ("blind_radius", "n_context", "samples"), [(0, 0, 1), (0, 2, 1), (1, 1, 3)]
)
def test_whole_rows_are_weighed_as_single_pixels_are(
    monkeypatch: pytest.MonkeyPatch,
    kind: torch.dtype,
    blind_radius: int,
    n_context: int,
    samples: int,
) -> None:
    """At the edges, next to invalid pixels, and with context slices."""
    monkeypatch.setattr(module, "product_dtype", lambda _: kind)
    random = torch.Generator().manual_seed(1)
    counts = torch.rand(HEIGHT, WIDTH, generator=random) > 0.1
    context = [
        torch.cat([_plane(samples)[0].flip(k) * counts, counts[None].float()])
        for k in range(n_context)
    ]
    planes = _plane(samples)
    neighbours = Neighbours(*planes, counts, WindowRadii(3, blind_radius, 2), context)
    weights = torch.randn(5, neighbours.values, generator=random)
    every = torch.arange(HEIGHT * WIDTH)
    wanted = neighbours.around(every).features.float() @ weights.t()
    layers = [neighbours.laid_out(each) for each in (weights, 2 * weights)]
    parts = []
    for rows in (slice(0, 4), slice(4, 9)):
        once, twice = neighbours.weighed(rows, layers)
        torch.testing.assert_close(2 * once, twice)
        parts.append(once)
    bound = 1e-4 if kind == torch.float32 else 0.03 * float(wanted.std())
    assert (torch.cat(parts) - wanted).abs().mean() < bound
    hidden = neighbours.hidden(every)
    assert torch.equal(hidden.values, neighbours.around(every).values)
