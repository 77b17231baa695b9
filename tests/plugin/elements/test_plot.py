"""The curve of the residual, and the mark where the fit ended."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QRect

from napari_inr_denoise.core.denoise import denoise_steps
from napari_inr_denoise.core.pipeline.plan import Plan
from napari_inr_denoise.core.settings import preset_settings
from napari_inr_denoise.plugin.elements.plot import FitPlot
from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from tests.conftest import wait_until

pytestmark = pytest.mark.window


@pytest.mark.usefixtures("viewer")
def test_a_new_fit_begins_anew_and_planes_with_one_point_do_not() -> None:
    plot = FitPlot("ratio", "tip", reference=1.0)
    plot.add(0.5, 3.0)
    plot.add(1.0, math.nan)
    plot.add(1.5, 1.0, ended=True)
    plot.add(2.0, 0.9, ended=True)
    assert plot.points == ((0.5, 3.0), (1.5, 1.0), (2.0, 0.9))
    assert plot.ended
    plot.add(3.0, 4.0)
    assert plot.points == ((3.0, 4.0),)
    assert not plot.ended
    plot.clear()
    assert plot.points == ()


@pytest.mark.usefixtures("viewer")
def test_a_long_fit_keeps_its_ends() -> None:
    plot = FitPlot("ratio", "tip", reference=1.0)
    for second in range(5000):
        plot.add(float(second), 1.0 + 1 / (1 + second))
    assert len(plot.points) <= 500
    assert plot.points[0] == (0.0, 2.0)
    assert plot.points[-1][0] == 4999.0


@pytest.mark.usefixtures("viewer")
@pytest.mark.parametrize("ratios", [(), (1.0,), (1e-6, 1e6), (2.0, 1.0)])
def test_it_can_be_drawn(ratios: tuple[float, ...]) -> None:
    plot = FitPlot("ratio", "tip", reference=1.0)
    plot.resize(220, 110)
    empty = plot.grab().toImage()
    for second, ratio in enumerate(ratios):
        plot.add(float(second), ratio, ended=second == len(ratios) - 1)
    assert (plot.grab().toImage() == empty) == (not ratios)


def test_a_run_is_drawn_up_to_its_end(viewer: Any, widget: InrDenoiseWidget) -> None:
    widget.run()
    wait_until(lambda: not widget.running)
    report = viewer.layers[1].metadata["inr_denoise"]["files"][0]["planes"][0]
    assert widget.run_bar.plot.ended
    last = widget.run_bar.plot.points[-1][1]
    assert last == pytest.approx(report["residual_rms"] / report["sigma"])
    assert len(widget.run_bar.plot.points) > 1


def test_the_curve_is_that_of_one_plane_while_another_is_fitted_beside_it(
    widget: InrDenoiseWidget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Plan, "concurrent_fits", lambda *_: 1)
    random = np.random.default_rng(0)
    settings = preset_settings("fast", window_steps=30, window_width=16, device="cpu")
    steps = list(denoise_steps(random.normal(9, 1, (2, 40, 40)), "CYX", settings))
    first, second = (
        [one for one in steps if one.plane.index["C"] == c] for c in (0, 1)
    )
    assert [one[-1].fit for one in (first, second)] == [None, None]
    counts = []
    for step in (*first[:-1], second[-1], first[-2], first[-1], *second[1:-1]):
        widget.run_bar.show_step(step, "")
        counts.append((len(widget.run_bar.plot.points), widget.run_bar.plot.ended))
    at_work = len(first) - 1
    assert counts[at_work - 1] == counts[at_work] == (at_work, False)
    assert counts[at_work + 1] == (at_work + 1, False)
    assert counts[at_work + 2] == (at_work + 2, True)
    assert counts[-1] == (len(second) - 2, False)


@pytest.mark.usefixtures("viewer")
def test_a_fit_late_in_a_stack_has_the_whole_width() -> None:
    early, late = (
        FitPlot("ratio", "tip", reference=1.0),
        FitPlot("ratio", "tip", reference=1.0),
    )
    for plot, start in ((early, 0.0), (late, 700.0)):
        plot.resize(220, 110)
        for second in range(6):
            plot.add(start + 5 * second, 2.0 - second / 5, ended=second == 5)
    words_begin = 110 - plot.fontMetrics().height() - 4
    curves = [
        plot.grab(QRect(0, 0, 220, words_begin)).toImage() for plot in (early, late)
    ]
    assert curves[0] == curves[1]
