"""The function of each strategy."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from napari_inr_denoise.core.pipeline.plan import Strategy
from napari_inr_denoise.core.pipeline.strategies.plane_strategies import (
    independent_planes,
    series_of_planes,
)
from napari_inr_denoise.core.pipeline.strategies.run_context import RunContext, Steps
from napari_inr_denoise.core.pipeline.strategies.volume_strategies import (
    function_of_planes,
    volume_of_planes,
)
from napari_inr_denoise.image.axes import Plane

STRATEGIES: dict[Strategy, Callable[[RunContext, Sequence[Plane]], Steps]] = {
    Strategy.INDEPENDENT: independent_planes,
    Strategy.SERIES: series_of_planes,
    Strategy.FUNCTION: function_of_planes,
    Strategy.VOLUME: volume_of_planes,
}
