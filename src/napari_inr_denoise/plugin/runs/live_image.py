"""The current image of a run, in a form that napari can show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from napari_inr_denoise.plugin.layers.source.layer_source import LayerSource

if TYPE_CHECKING:  # the module behind it loads torch
    from napari_inr_denoise.core.denoise import DenoiseStep


class LiveImage:
    """The output array of the run itself, or an integer copy of it for RGB.

    Only planes that changed since the last call are converted again.

    Parameters
    ----------
    source : LayerSource
        The source of the run.
    """

    def __init__(self, source: LayerSource) -> None:
        self._source = source
        self._shown: NDArray[Any] | None = None
        self._changed: dict[tuple[int, ...], tuple[int | slice, ...]] = {}
        self._viewed: dict[str, int] | None = None

    def look_at(self, index: dict[str, int]) -> None:
        """Choose the plane, by axis letter, that a volume shows; from any thread."""
        self._viewed = index

    def note(self, step: DenoiseStep) -> None:
        """Note the plane of a step; call it for each step."""
        self._changed[tuple(step.plane.index.values())] = step.plane.selection

    def at(self, step: DenoiseStep) -> NDArray[Any]:
        """Return the current image: always the same array.

        Call it in the thread of the run, before the next step; see
        `DenoiseStep.so_far`.
        """
        viewed = self._viewed
        image = step.so_far(viewed)
        if not self._source.rounded:
            return image  # type: ignore[no-any-return]
        if self._shown is None:
            self._shown = self._source.displayable(image)
        if viewed is not None and self._is_inside(viewed):
            axes = self._source.axes
            at = tuple(viewed.get(letter, slice(None)) for letter in axes)
            self._changed[tuple(viewed.values())] = at
        for plane in self._changed.values():
            self._shown[plane] = self._source.displayable(image[plane])
        self._changed.clear()
        return self._shown

    def _is_inside(self, index: dict[str, int]) -> bool:
        """Return whether the viewer, which may show more planes, is at one of these."""
        sizes = dict(zip(self._source.axes, self._source.sizes, strict=False))
        return all(0 <= at < sizes[letter] for letter, at in index.items())
