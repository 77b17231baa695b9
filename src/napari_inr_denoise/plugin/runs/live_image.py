"""A run's image on its way, as napari can show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from napari_inr_denoise.plugin.layers.source import LayerSource

if TYPE_CHECKING:  # the module behind it loads torch
    from napari_inr_denoise.core.denoise import DenoiseStep


class LiveImage:
    """Of colours a copy in whole numbers, else the run's own array.

    Only planes that were at work since the last look are converted again.

    Parameters
    ----------
    source : LayerSource
        What is denoised.
    """

    def __init__(self, source: LayerSource) -> None:
        self._source = source
        self._shown: NDArray[Any] | None = None
        self._changed: dict[tuple[int, ...], tuple[int | slice, ...]] = {}

    def note(self, step: DenoiseStep) -> None:
        """Note which plane is at work; for each step."""
        self._changed[tuple(step.plane.index.values())] = step.plane.selection

    def at(self, step: DenoiseStep) -> NDArray[Any]:
        """Return the image as it is now: always the same array.

        Called before the run goes on, in its thread; see `DenoiseStep.so_far`.
        """
        image = step.so_far()
        if not self._source.rounded:
            return image  # type: ignore[no-any-return]
        if self._shown is None:
            self._shown = self._source.displayable(image)
        for plane in self._changed.values():
            self._shown[plane] = self._source.displayable(image[plane])
        self._changed.clear()
        return self._shown
