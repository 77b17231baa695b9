"""The window of the demonstration."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.qt.threading import WorkerBase

from napari_inr_denoise import DenoiseSettings, denoise
from napari_inr_denoise.cli.demo import finish_demo
from napari_inr_denoise.plugin import demo_window, sample_data
from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from napari_inr_denoise.samples import field_of_cells
from tests.conftest import wait_until

pytestmark = pytest.mark.window


def test_the_demo_shows_noisy_denoised_and_truth(
    tmp_path: Any, tiny: DenoiseSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = field_of_cells(side=64)
    for module in (demo_window, sample_data):
        monkeypatch.setattr(module, "field_of_cells", lambda: sample)
    finish_demo(sample, denoise(sample.noisy, settings=tiny), tmp_path)
    viewer = demo_window.open_demo(str(tmp_path / "denoised.ome.tif"))
    panel = InrDenoiseWidget.docked_in(viewer)
    assert panel is not None
    try:
        wait_until(lambda: panel.results.show.value == "split")
        names = [layer.name for layer in viewer.layers]
        result = "noisy cells [denoised]"
        assert names == ["noisy cells", "truth", result, "noisy cells [split]"]
        assert panel.results.title.value == result
        assert panel.after_run.show.line.handle is not None
        for layer in viewer.layers[1:]:
            np.testing.assert_allclose(layer.scale, viewer.layers[0].scale)
            assert layer.contrast_limits == viewer.layers[0].contrast_limits
        screen = panel.screen().availableGeometry()
        assert screen.contains(panel.window().geometry())
    finally:
        wait_until(lambda: not WorkerBase._worker_set)
        viewer.close()
