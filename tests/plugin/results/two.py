"""Two results in one window."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_inr_denoise.plugin.layers.source.scope import STACK
from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from tests.conftest import wait_until


def noisy_planes(planes: int, level: float) -> Any:
    return np.random.default_rng(0).normal(level, 9, (planes, 28, 28))


def two_results(viewer: Any, widget: InrDenoiseWidget) -> tuple[Any, Any]:
    """Return stacks of two and of three planes, denoised by one press of Run."""
    viewer.layers.clear()
    layers = [
        viewer.add_image(noisy_planes(planes, 50 * planes), name=name)
        for planes, name in ((2, "a"), (3, "b"))
    ]
    widget.layer.value = layers[0]
    widget.scope.value = STACK
    viewer.layers.selection = set(layers)
    widget.run()
    wait_until(lambda: not widget.running)
    return layers[0], layers[1]
