"""A result whose layer is there, and all that can be told of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from napari.layers import Image
from numpy.typing import NDArray

from napari_inr_denoise.plugin.layers.metadata_keys import REPORT_KEY
from napari_inr_denoise.plugin.layers.source import LayerSource
from napari_inr_denoise.plugin.results.at_strength import AtStrength

if TYPE_CHECKING:  # the module behind it loads torch
    from napari_inr_denoise.core.denoise import DenoiseResult
    from napari_inr_denoise.core.report.report import DenoiseReport


@dataclass(eq=False)
class Finished:
    """A result, what it was made of, and the layer that shows it.

    Attributes
    ----------
    source : LayerSource
        What was denoised; without its values once its layer is gone.
    result : DenoiseResult
        As it was fitted, at strength 0.
    layer : Image
        Which shows it.
    ending : str
        Why its run ended.
    strength : float
        At which it is shown.
    shown : ndarray, AtStrength or None
        What the layer has at another strength than 0. Not to be asked of the layer:
        napari gives plugins proxies of what it holds.
    """

    source: LayerSource
    result: DenoiseResult
    layer: Image
    ending: str
    strength: float = field(default=0.0, init=False)
    shown: NDArray[Any] | AtStrength | None = field(default=None, init=False)

    @property
    def in_making(self) -> AtStrength | None:
        """What is shown, if its planes are made as they are looked at."""
        return self.shown if isinstance(self.shown, AtStrength) else None

    @property
    def report(self) -> DenoiseReport:
        """The result's report, with the strength at which it is shown."""
        report = self.result.report
        if self.strength == 0:
            return report
        (file,) = report.files
        note = (
            f"The strength was set to {self.strength:g} after the fit: what is said of "
            "the planes is said of the fit, at strength 0."
        )
        return replace(
            report,
            settings=replace(report.settings, strength=self.strength),
            files=(replace(file, notes=(*file.notes, note)),),
        )

    def set_strength(self, strength: float) -> None:
        """Show it with more or less of the denoising; its source must have values."""
        if strength == self.strength:
            return
        self.strength = strength
        if strength == 0:
            self.shown = None
            self._put(self.source.displayable(self.result.image))
        else:
            self.shown = AtStrength(self.source, self.result, strength)
            self._put(self.shown)
        self.layer.metadata[REPORT_KEY] = self.report.to_dict()

    def keep(self, made: AtStrength, values: NDArray[Any]) -> bool:
        """Show values instead of what they were made by; return whether it is so.

        It is not where the strength was changed meanwhile.
        """
        kept = self.shown is made
        if kept:
            self.shown = values
            self._put(values)
        return kept

    def _put(self, data: NDArray[Any] | AtStrength) -> None:
        limits = self.layer.contrast_limits
        self.layer.data = data
        self.layer.contrast_limits = limits


class FinishedLayers:
    """The results whose layers are in the viewer.

    Each lasts as long as its layer, and has its source's values as long as that has
    a layer: what a user removes is not kept in memory.
    """

    def __init__(self) -> None:
        self._all: list[Finished] = []

    def add(self, finished: Finished) -> None:
        """Take in the last one."""
        self._all.append(finished)

    def of(self, layer: Image | None) -> Finished | None:
        """Return the result that a layer shows, or else the last one made of it."""
        newest_first = self._all[::-1]
        own = [one for one in newest_first if one.layer == layer]
        made_of_it = [one for one in newest_first if one.source.is_of(layer)]
        return next(iter(own + made_of_it), None)

    def forget(self, layer: Image) -> None:
        """Let go of what a layer had that was removed."""
        self._all = [one for one in self._all if one.layer != layer]
        for one in self._all:
            if one.source.is_of(layer):
                one.source = one.source.emptied()
