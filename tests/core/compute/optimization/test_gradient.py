"""The gradient in parts: right, and the same bits for any number of threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from napari_inr_denoise import denoise
from napari_inr_denoise.core.compute.optimization.adamw import AdamWOnCpu, Group
from napari_inr_denoise.core.compute.optimization.gradient import (
    Gradient,
    Loss,
    part_count,
)
from napari_inr_denoise.core.compute.optimization.optimizer import descent
from napari_inr_denoise.core.settings import preset_settings


@pytest.fixture(autouse=True)
def _threads_as_before() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def _network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 1))


def _loss(network: nn.Module, values: Tensor) -> Tensor:
    squares: Tensor = network(values).square()
    return squares.sum()


@pytest.mark.parametrize("threads", [1, 3])
def test_it_is_the_gradient_of_the_sum(threads: int) -> None:
    torch.set_num_threads(threads)
    network, values = _network(), torch.randn(64, 5)
    _loss(network, values).backward()
    wanted = [one.grad.clone() for one in network.parameters() if one.grad is not None]
    Gradient(network).take(
        [partial(_loss, network, part) for part in values.tensor_split(3)]
    )
    for parameter, gradient in zip(network.parameters(), wanted, strict=True):
        assert parameter.grad is not None
        torch.testing.assert_close(parameter.grad, gradient)


def test_a_step_of_convolutions_with_their_channels_last_is_that_of_adamw() -> None:
    """Their gradients are laid out otherwise than their weights."""
    torch.manual_seed(0)
    values = torch.randn(2, 4, 9, 9).contiguous(memory_format=torch.channels_last)
    weights = []
    for optimizer in ("own", "torch"):
        torch.manual_seed(1)
        network = nn.Conv2d(4, 6, 3)
        if optimizer == "own":
            groups: list[Group] = [
                {"params": list(network.parameters()), "weight_decay": 0.0}
            ]
            steps = descent(network, groups)
            steps.step([Loss(partial(_loss, network), (values,))], 1e-2)
        else:
            adam = torch.optim.AdamW(network.parameters(), lr=1e-2, weight_decay=0.0)
            _loss(network, values).backward()
            adam.step()
        weights.append(network.weight.detach())
    torch.testing.assert_close(*weights)


def test_the_number_of_threads_is_left_alone_also_for_threads_to_come() -> None:
    torch.set_num_threads(3)
    network = _network()
    losses = [partial(_loss, network, torch.randn(8, 5)) for _ in range(2)]
    Gradient(network).take(losses)
    assert torch.get_num_threads() == 3
    seen: list[int] = []
    other = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    other.start()
    other.join()
    assert seen == [3]


def test_an_error_in_a_part_is_raised_and_the_threads_are_as_before() -> None:
    torch.set_num_threads(2)

    ended = []

    def fail() -> Tensor:
        raise RuntimeError("no memory")

    def slow() -> Tensor:
        time.sleep(0.1)
        ended.append(True)
        return _loss(network, torch.randn(8, 5))

    network = _network()
    with pytest.raises(RuntimeError, match="no memory"):
        Gradient(network).take([fail, slow])
    assert ended
    assert torch.get_num_threads() == 2


def test_weights_are_moved_on_one_thread_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """More would spin in the way of the next step's threads."""
    torch.set_num_threads(3)
    network, seen = _network(), []
    weights = list(network.parameters())
    steps = descent(network, [{"params": weights, "weight_decay": 0.0}])
    monkeypatch.setattr(
        AdamWOnCpu, "step", lambda *_: seen.append(torch.get_num_threads())
    )
    values = torch.randn(8, 5)
    steps.step([Loss(partial(_loss, network), (values,))] * 2, 1e-3)
    assert seen == [1]
    assert torch.get_num_threads() == 3


def test_its_threads_end_with_it() -> None:
    torch.set_num_threads(2)
    before = threading.active_count()
    for _ in range(20):
        network = _network()
        losses = [partial(_loss, network, torch.randn(8, 5)) for _ in range(2)]
        gradient = Gradient(network)
        gradient.take(losses)
        del gradient
    deadline = time.monotonic() + 10  # a busy machine ends them later
    while threading.active_count() > before + 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert threading.active_count() <= before + 2


def _stack(correlated: bool) -> np.ndarray:
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:28, :32]
    clean = 40 + 30 * np.sin(x / 6) * np.cos(y / 9)
    noise = rng.normal(0, 6, (3, 28, 32))
    if correlated:
        noise = (noise + np.roll(noise, 1, 1) + np.roll(noise, 1, 2)) / 1.4
    return (clean + noise).astype(np.float32)


@pytest.mark.parametrize("correlated", [False, True])
@pytest.mark.parametrize(
    ("preset", "changes"),
    [
        ("fast", {"window_steps": 3}),
        ("best", {"window_steps": 2, "attention_steps": 2, "n_augmentations": 2}),
        ("paper", {"max_steps": 3, "width": 128}),
        ("paper", {"max_steps": 3, "width": 128, "mode": "volume"}),
    ],
)
def test_a_result_has_the_same_bytes_for_any_number_of_threads(
    preset: str, changes: dict[str, int | str], correlated: bool
) -> None:
    noisy = _stack(correlated)
    results = []
    # Fewer than there are parts, as many, and more.
    for threads in (1, 5) if correlated else (1, 2, 5):
        torch.set_num_threads(threads)
        settings = preset_settings(preset, device="cpu", **changes)
        results.append(denoise(noisy, axes="ZYX", settings=settings).image.tobytes())
    assert len(set(results)) == 1


def test_other_devices_take_a_step_as_a_whole() -> None:
    assert part_count(torch.device("cpu")) == 2
    assert part_count(torch.device("cuda")) == 1


def test_fewer_pixels_a_step_than_parts_and_planes_do() -> None:
    settings = preset_settings("fast", device="cpu", window_steps=3, window_batch=1)
    assert np.isfinite(
        denoise(_stack(False), axes="ZYX", settings=settings).image
    ).all()
