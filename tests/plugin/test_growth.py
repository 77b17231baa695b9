"""Many runs leave nothing behind: no thread, no object, no listener, no memory."""

from __future__ import annotations

import ctypes
import gc
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
from napari.qt.threading import WorkerBase
from qtpy.QtCore import QThreadPool
from qtpy.QtWidgets import QApplication

from napari_inr_denoise import DenoiseSettings
from napari_inr_denoise.core import settings as settings_module
from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from tests.conftest import delete_later, process_events, wait_until

pytestmark = [
    pytest.mark.drawn,
    pytest.mark.long,
    pytest.mark.window,
    pytest.mark.shaders_deleted,
]
WARM_UP, HALF = 2, 3
SIDE = 256
IMAGE_BYTES = SIDE * SIDE * 4
OWN = ("napari_inr_denoise.", "napari.layers.", "superqt.")


@dataclass(frozen=True)
class Held:
    """What there is after a run.

    Attributes
    ----------
    objects : int
        Instances of classes of this package, of napari's layers and of superqt's
        workers, and tensors, that are reachable from anywhere.
    listeners : int
        Functions that are called on a change of the viewer or of the source.
    widgets : int
        Of Qt, in the whole application.
    threads : int
        Of Python and, at work, of Qt.
    memory : int
        Bytes that the C library has handed out; 0 where it does not tell.
    """

    objects: int
    listeners: int
    widgets: int
    threads: int
    memory: int


class _Allocated(ctypes.Structure):
    """What the C library's `mallinfo2` returns."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    )


def _memory() -> int:
    """Return bytes in use; the resident set varies by up to 50 MB from time to time."""
    if not sys.platform.startswith("linux"):
        return 0
    ask = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if ask is None:
        return 0
    ask.restype = _Allocated
    found = ask()
    return int(found.uordblks + found.hblkhd)


def _is_own(thing: object) -> bool:
    module = str(getattr(type(thing), "__module__", ""))
    return module.startswith(OWN) or isinstance(thing, torch.Tensor)


def _held(viewer: Any) -> Held:
    for _ in range(3):
        delete_later()
        process_events(0.02)
        gc.collect()
    groups = (
        viewer.layers.events,
        viewer.layers.selection.events,
        viewer.dims.events,
        viewer.events,
        viewer.layers[0].events,
    )
    emitters = [one for group in groups for one in group.emitters.values()]
    return Held(
        objects=sum(_is_own(thing) for thing in gc.get_objects()),
        listeners=sum(len(emitter.callbacks) for emitter in emitters),
        widgets=len(QApplication.allWidgets()),
        threads=threading.active_count()
        + QThreadPool.globalInstance().activeThreadCount(),
        memory=_memory(),
    )


def _until(condition: Callable[[], bool]) -> None:
    """Wait with a finer step than `wait_until`: there are many waits."""
    while not condition():
        process_events(0.001)


def _run(viewer: Any, widget: InrDenoiseWidget) -> None:
    widget.run()
    _until(lambda: not widget.running)
    viewer.layers.remove("source [denoised]")
    delete_later()
    process_events(0.001)


def test_many_runs(
    viewer: Any,
    bare_widget: InrDenoiseWidget,
    monkeypatch: pytest.MonkeyPatch,
    tiny: DenoiseSettings,
) -> None:
    for name in settings_module.PRESETS:
        short = replace(tiny, max_steps=2, judge_every=1)
        monkeypatch.setitem(settings_module.PRESETS, name, short)
    # Noise in a corner is measured sooner, and the rest is held as well.
    noisy = np.full((SIDE, SIDE), 50, np.float32)
    noisy[:64, :64] = np.random.default_rng(0).poisson(50, (64, 64))
    viewer.add_image(noisy, name="source")
    wait_until(
        lambda: (
            bare_widget.inputs.cost_label.value != "-" and not WorkerBase._worker_set
        )
    )
    held = []
    for runs in (WARM_UP, HALF, HALF):
        for _ in range(runs):
            _run(viewer, bare_widget)
        held.append(_held(viewer))
    first, middle, last = held
    assert last.objects <= first.objects + 5
    assert last.listeners <= first.listeners
    assert last.widgets <= first.widgets
    assert last.threads <= first.threads + 1  # napari's own come and go
    assert not WorkerBase._worker_set
    # Less than an image a run. A leak grows in both halves; a cache, of up to 8 MB
    # with napari 0.5, is filled once.
    growth = min(middle.memory - first.memory, last.memory - middle.memory)
    assert growth < HALF * IMAGE_BYTES * 0.6
