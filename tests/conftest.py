"""What all tests share: a display or a loud skip, a viewer, phantoms, test data."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_inr_denoise.core.settings import DenoiseSettings

# A test must not touch the user's own napari settings: none are read or written.
os.environ["NAPARI_CONFIG"] = ""
# Each core has a process that runs tests: more threads of torch would only be in the
# way of each other. What depends on their number sets it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

REQUIRE_WINDOW = "INR_DENOISE_REQUIRE_WINDOW"
DATA = "INR_DENOISE_DATA"
NO_WINDOW = "no window: "
TINY = DenoiseSettings(
    width=32,
    depth=2,
    batch_size=256,
    learning_rate=1e-3,
    max_steps=40,
    judge_every=10,
    device="cpu",
)
"""Settings with which a fit takes a fraction of a second."""

_PROBE = """
from qtpy.QtWidgets import QApplication, QOpenGLWidget
app = QApplication([])
widget = QOpenGLWidget()
widget.show()
app.processEvents()
"""
_windows: dict[str, str] = {}


def window_problem() -> str:
    """Return why no window can be opened here; empty if one can.

    Tried in a process of its own, for Qt ends the process when a library is missing.
    """
    if "problem" not in _windows:
        if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
            _windows["problem"] = "there is no display and no Xvfb to start one"
        else:
            tried = subprocess.run(
                [sys.executable, "-c", _PROBE],
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            ended = f"Qt cannot open a window: {tried.stderr.strip()[-300:]}"
            _windows["problem"] = ended if tried.returncode else ""
    return _windows["problem"]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return how many processes run the tests: one more than there are cores.

    Many tests wait, for a window or for another process.
    """
    allowed = getattr(os, "sched_getaffinity", None)  # not on every system
    return 1 + (len(allowed(0)) if allowed else os.cpu_count() or 1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the files, and skip window tests where there is no window."""
    _longest_first(items)
    _skip_without_window(items)


def _longest_first(items: list[pytest.Item]) -> None:
    """Begin with files of a long test, then with those of many tests.

    Otherwise one process would work on the last of them while the others have nothing
    to do.
    """
    counts = Counter(item.path for item in items)
    long = {item.path for item in items if item.get_closest_marker("long")}
    items.sort(key=lambda item: (item.path not in long, -counts[item.path]))


def _skip_without_window(items: list[pytest.Item]) -> None:
    """Skip window tests where there is no window, unless that is forbidden."""
    wanting = [item for item in items if item.get_closest_marker("window")]
    if not wanting or not window_problem():
        return
    if os.environ.get(REQUIRE_WINDOW):
        raise pytest.UsageError(f"window tests are required, but {window_problem()}")
    for item in wanting:
        item.add_marker(pytest.mark.skip(reason=f"{NO_WINDOW}{window_problem()}"))


def pytest_collection_finish() -> None:
    """Keep the modules that are loaded by now out of garbage collections."""
    keep_out_of_collections("tests")


_kept_out: set[str] = set()


def keep_out_of_collections(what: str) -> None:
    """Keep all objects so far out of garbage collections, once for each kind.

    napari collects garbage whenever a layer is removed, and would look each time
    through all objects of torch, Qt, its first window and the test session.
    """
    if what not in _kept_out:
        _kept_out.add(what)
        gc.collect()
        gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly that window tests were skipped, also those of parallel workers."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = {str(report.longrepr) for report in skipped}
    problem = next((one for one in reasons if NO_WINDOW in one), None)
    if problem is not None:
        terminalreporter.section("WINDOW TESTS WERE SKIPPED", red=True, bold=True)
        terminalreporter.line(
            f"The napari window was not tested: {problem.partition(NO_WINDOW)[2]}. On "
            "Debian: apt-get install xvfb libxcb-icccm4 libxcb-keysyms1 libegl1 libgl1 "
            "libxcb-cursor0 libxkbcommon-x11-0"
        )


@pytest.fixture
def tiny() -> DenoiseSettings:
    """Settings with which a fit takes a fraction of a second."""
    return TINY


@pytest.fixture(autouse=True)
def _short_measurements(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure the pace of a run for a shorter time than for a user.

    Most tests do not look at how exact an estimate is, and many wait for its end.
    """
    from napari_inr_denoise.core.preflight import timing

    monkeypatch.setattr(timing, "_seconds", partial(timing._seconds, seconds=0.02))
    monkeypatch.setattr(timing, "_TRIAL_SECONDS", 0.05)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def data_folder() -> Path:
    """The folder of real images, or a skip with the reason."""
    folder = os.environ.get(DATA)
    if not folder:
        pytest.skip(f"the environment variable {DATA} names no folder of test images")
    return Path(folder)


def napari_ends_its_thread() -> bool:
    """Return whether napari closes its status thread for good.

    Old ones may start it again, and Qt ends a process that destroys one at work.
    """
    from napari._qt.threads.status_checker import StatusChecker

    return hasattr(StatusChecker, "close_terminate")


@pytest.fixture(scope="module")
def _opened(request: pytest.FixtureRequest) -> Iterator[list[Any]]:
    """The viewer of a file's tests, once one of them has opened it."""
    from napari._qt.threads.status_checker import StatusChecker
    from vispy.gloo.glir import GlirProgram

    with pytest.MonkeyPatch.context() as patch:
        # napari deletes a layer's shaders with the layer, and Mesa 22.3, drawing by
        # software, may end the process in the next drawing.
        if not request.node.get_closest_marker("shaders_deleted"):
            patch.setattr(GlirProgram, "delete", lambda _: None)
        if not napari_ends_its_thread():
            patch.setattr(StatusChecker, "start", lambda *_: None)
        opened: list[Any] = []
        yield opened
        for one in opened:
            one.close()
        process_events()


@contextmanager
def emptied(opened: list[Any], drawn: bool = True) -> Iterator[Any]:
    """Yield the viewer of a file, opened if need be, and empty it at the end.

    A window that is not drawn is laid out and answers as any other. To draw it at each
    change, by software, takes a third of the time of its tests.
    """
    import napari

    if not opened:
        opened.append(napari.Viewer(show=True))
        keep_out_of_collections("window")
    (made,) = opened
    window = made.window._qt_window
    window.setUpdatesEnabled(drawn)
    fresh = made.theme, window.size(), made.dims.axis_labels
    yield made
    if not hasattr(made.window, "_qt_window"):  # the test has closed it
        opened.clear()
        process_events()
        return
    made.window.remove_dock_widget("all")
    made.dims.ndisplay = 2
    made.layers.clear()
    made.keymap.clear()
    made.theme, size, made.dims.axis_labels = fresh
    window.resize(size)
    process_events()
    # Or napari looks through the widgets of all tests before.
    delete_later()


@pytest.fixture
def viewer(_opened: list[Any], request: pytest.FixtureRequest) -> Iterator[object]:
    """An empty napari viewer in a real window.

    The tests of a file use the same one: to open it takes longer than most of them.
    """
    drawn = request.node.get_closest_marker("drawn") is not None
    with emptied(_opened, drawn) as made:
        yield made


def delete_later() -> None:
    """Delete what Qt keeps for later: a loop of processEvents alone never does."""
    from qtpy.QtCore import QCoreApplication, QEvent

    kind = QEvent.Type.DeferredDelete
    QCoreApplication.sendPostedEvents(None, int(getattr(kind, "value", kind)))


def process_events(seconds: float = 0.05) -> None:
    """Let Qt work for a while."""
    from qtpy.QtWidgets import QApplication

    until = time.monotonic() + seconds
    while time.monotonic() < until:
        QApplication.processEvents()
        time.sleep(0.005)


def at_work(widget: Any) -> bool:
    """Return whether a denoising widget's fit has been evaluated for the first time."""
    return "step" in widget.run_bar.phase_label.value


def wait_until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Let Qt work until a condition holds; fail if it never does."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            pytest.fail(f"waited {seconds} s in vain")
        process_events(0.02)
