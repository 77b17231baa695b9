"""Recorded steps: the same numbers, checked before they are trusted."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from torch import Tensor

from napari_inr_denoise import denoise
from napari_inr_denoise.core.candidates import attention as fit_attention
from napari_inr_denoise.core.candidates import neighbourhood as fit_neighbourhood
from napari_inr_denoise.core.candidates import siren_training
from napari_inr_denoise.core.compute import cuda_graphs as captured
from napari_inr_denoise.core.compute.cuda_graphs import (
    CudaGraphs,
    Graphs,
    Recorder,
    capture_notes,
    graphs_for,
)
from napari_inr_denoise.core.compute.optimization import optimizer as descent
from napari_inr_denoise.core.compute.optimization.gradient import part_count
from napari_inr_denoise.core.denoise import DenoiseResult
from napari_inr_denoise.core.settings import preset_settings
from tests.core.replayed import Broken, Idle, Replayed

NOISE = 6.0
TAKES = inspect.signature(torch.cuda.graph)
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _nothing_given_up() -> Iterator[None]:
    captured._failures.clear()
    yield
    captured._failures.clear()


def test_work_is_recorded_once_and_replayed_with_other_inputs() -> None:
    graphs, state = Replayed(), torch.zeros(3)
    recorder, done = Recorder(graphs, CPU), 0

    def work(values: Tensor) -> None:
        nonlocal done
        done += 1
        state.add_(values.square())

    for k in range(5):
        recorder.run("work", work, [torch.full((3,), float(k))], [state])
    assert state.tolist() == [30.0] * 3
    # By itself and for the recording.
    assert (done, graphs.recordings, graphs.replays) == (2, 1, 5)
    assert capture_notes(CPU) == ()


def test_other_keys_and_other_shapes_are_recorded_anew() -> None:
    graphs, state = Replayed(), torch.zeros(())

    def work(values: Tensor) -> None:
        state.add_(values.sum())

    recorder = Recorder(graphs, CPU)
    for key, size in (("a", 3), ("b", 3), ("a", 2), ("a", 3), ("b", 3), ("a", 2)):
        recorder.run(key, work, [torch.ones(size)], [state])
    assert graphs.recordings == 3
    assert state == 16


@pytest.mark.parametrize(
    ("graphs", "reason"), [(Broken(), "not permitted when"), (Idle(), "other numbers")]
)
def test_what_cannot_be_trusted_is_given_up_for_all_and_said(
    graphs: Graphs, reason: str
) -> None:
    state = torch.zeros(2)

    def work(values: Tensor) -> None:
        state.add_(values)

    for _ in range(2):
        recorder = Recorder(graphs, CPU)
        for _ in range(3):
            recorder.run("work", work, [torch.ones(2)], [state])
    assert state.tolist() == [6.0, 6.0]
    (note,) = capture_notes(CPU)
    assert reason in note
    assert "\n" not in note
    assert "operation by operation" in note
    assert capture_notes(torch.device("cuda", 0)) == ()


def test_a_mistake_of_the_work_itself_is_raised() -> None:
    def work() -> None:
        raise ValueError("a mistake")

    with pytest.raises(ValueError, match="a mistake"):
        Recorder(Replayed(), CPU).run("work", work, [], [torch.zeros(1)])
    assert capture_notes(CPU) == ()


def test_a_note_of_one_gpu_is_found_by_the_name_of_all() -> None:
    captured._failures[torch.device("cuda", 1)] = "A note."
    assert capture_notes(torch.device("cuda")) == ("A note.",)
    assert capture_notes(torch.device("cuda", 1)) == ("A note.",)
    assert capture_notes(torch.device("cuda", 0)) == ()
    assert capture_notes(CPU) == ()


def test_cuda_warms_up_in_a_side_stream_and_records_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The calls of torch.cuda, and their order; no GPU is needed."""
    calls: list[str] = []
    cuda = Mock(wraps=None)
    cuda.current_stream.return_value.wait_stream = lambda _: calls.append("joined")
    cuda.Stream.return_value.wait_stream = lambda _: calls.append("side stream")
    cuda.device.side_effect = cuda.stream.side_effect = lambda _: nullcontext()

    @contextmanager
    def graph(*given: object, **options: object) -> Iterator[None]:
        # As torch would take them.
        TAKES.bind(*given, **options)
        calls.append("capture")
        yield
        calls.append("end")

    cuda.graph = graph
    monkeypatch.setattr(captured.torch, "cuda", cuda)
    graphs = CudaGraphs(torch.device("cuda", 0))
    replay = graphs.record(lambda: calls.append("work"))
    assert replay is cuda.CUDAGraph.return_value.replay
    warm = ["side stream", "work", "work", "work", "joined"]
    assert calls == [*warm, "capture", "work", "end"]


def test_a_failed_recording_leaves_the_thread_in_its_stream(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cuda = Mock(wraps=None)
    current = [cuda.current_stream.return_value]

    @contextmanager
    def stream(given: object) -> Iterator[None]:
        before, current[0] = current[0], given
        try:
            yield
        finally:
            current[0] = before

    @contextmanager
    def graph(*_: object, **options: object) -> Iterator[None]:
        # In the way of torch, whose exit raises before it sets the stream again.
        current[0] = options["stream"]
        yield
        raise RuntimeError("invalidated")

    cuda.stream, cuda.graph = stream, graph
    cuda.device.side_effect = lambda _: nullcontext()
    monkeypatch.setattr(captured.torch, "cuda", cuda)
    with pytest.raises(RuntimeError, match="invalidated"):
        CudaGraphs(torch.device("cuda", 0)).record(lambda: None)
    assert current == [cuda.current_stream.return_value]


def test_only_cuda_records(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[torch.device] = []
    monkeypatch.setattr(captured, "CudaGraphs", made.append)
    assert graphs_for(CPU) is None
    assert graphs_for(torch.device("mps")) is None
    graphs_for(torch.device("cuda", 0))
    assert made == [torch.device("cuda", 0)]


SMALL = {
    "width": 32,
    "depth": 2,
    "batch_size": 256,
    "max_steps": 10,
    "window_width": 16,
    "window_radius": 3,
    "window_steps": 10,
    "attention_width": 8,
    "attention_steps": 6,
    "n_augmentations": 1,
}
CASES = [
    ("fast", 1, {}),
    ("fast", 3, {}),
    ("auto", 1, {}),
    ("best", 1, {}),
    ("paper", 1, {}),
    ("paper", 3, {"mode": "volume"}),
]


def _noisy(planes: int, correlated: bool) -> np.ndarray:
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:40, :48]
    clean = 40 + 30 * np.sin(x / 6) * np.cos(y / 9)
    noise = rng.normal(0, NOISE, (planes, 40, 48))
    if correlated:
        noise = (noise + np.roll(noise, 1, 1) + np.roll(noise, 1, 2)) / 1.4
    return (clean + noise).astype(np.float32)


def _denoised(
    monkeypatch: pytest.MonkeyPatch,
    graphs: Graphs | None,
    case: tuple[str, int, dict[str, int | str]],
    correlated: bool = False,
) -> DenoiseResult:
    preset, planes, changes = case
    monkeypatch.setattr(descent, "graphs_for", lambda _: graphs)
    for module in (fit_attention, fit_neighbourhood, siren_training):
        # As on a GPU.
        parts = part_count if graphs is None else lambda _: 1
        monkeypatch.setattr(module, "part_count", parts)
    settings = preset_settings(preset, device="cpu", **{**SMALL, **changes})
    return denoise(_noisy(planes, correlated), axes="ZYX", settings=settings)


@pytest.mark.parametrize("correlated", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_a_recorded_fit_is_the_fit(
    monkeypatch: pytest.MonkeyPatch,
    case: tuple[str, int, dict[str, int | str]],
    correlated: bool,
) -> None:
    graphs = Replayed()
    recorded = _denoised(monkeypatch, graphs, case, correlated)
    assert capture_notes(CPU) == ()
    assert graphs.replays > 2 * graphs.recordings
    one_by_one = _denoised(monkeypatch, Broken(), case, correlated)
    assert recorded.image.tobytes() == one_by_one.image.tobytes()
    usual = _denoised(monkeypatch, None, case, correlated).image
    off = np.abs(recorded.image - usual)
    # The same but for rounding, which a fit makes larger.
    assert np.sqrt(np.mean(off**2)) < 0.05 * NOISE


@pytest.mark.parametrize("graphs", [Broken(), Idle()])
def test_a_fit_without_recordings_says_so(
    monkeypatch: pytest.MonkeyPatch, graphs: Graphs
) -> None:
    result = _denoised(monkeypatch, graphs, CASES[0])
    (file,) = result.report.files
    (note,) = file.notes
    assert note.startswith("Training steps could not be recorded on cpu (")
    assert np.isfinite(result.image).all()
