"""Finished results and their layers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakSet

from napari.components import LayerList
from napari.layers import Image, Layer
from numpy.typing import NDArray

from napari_inr_denoise.core.report.duration import short_duration
from napari_inr_denoise.plugin.layers.channels import are_channels
from napari_inr_denoise.plugin.layers.metadata_keys import REPORT_KEY
from napari_inr_denoise.plugin.layers.source.layer_source import LayerSource
from napari_inr_denoise.plugin.results.at_strength import AtStrength

if TYPE_CHECKING:  # the module behind it loads torch
    from napari_inr_denoise.core.denoise import DenoiseResult
    from napari_inr_denoise.core.report.report import DenoiseReport


_SET_AFTER = "The strength was set to"
"""First words of the note on a strength that was set after the fit."""


@dataclass(eq=False)
class Finished:
    """A result, its source, and the layer that shows it.

    Attributes
    ----------
    source : LayerSource
        The source of the run; without data once its layer was removed.
    result : DenoiseResult
        The result of the fit, at strength 0 unless it was opened from a file that holds
        another.
    layer : Image
        The result layer.
    ending : str
        Why the run ended.
    plane_count : int
        Number of planes that were to be denoised.
    is_preview : bool
        Whether it is a part of an image, for a look.
    strength : float
        The strength of the displayed result. Not 0 from the start for one that was
        saved at another: see `has_strengths`.
    shown : ndarray, AtStrength or None
        Data of the layer at a strength other than 0. `layer.data` may be a proxy that
        napari gives to plugins.
    other : Finished or None
        A result of the same part with another quality, to compare with.
    """

    source: LayerSource
    result: DenoiseResult
    layer: Image
    ending: str
    plane_count: int = 1
    is_preview: bool = False
    strength: float = field(default=0.0, init=False)
    shown: NDArray[Any] | AtStrength | None = field(default=None, init=False)
    other: Finished | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        self.strength = self.result.report.settings.strength

    @property
    def has_strengths(self) -> bool:
        """Whether the strength can be changed.

        It needs the noisy image and the result at strength 0, which a file that was
        saved at another strength does not hold.
        """
        return self.source.has_values and self.result.report.settings.strength == 0

    @property
    def is_judged(self) -> bool:
        """Whether the report tells of what is shown, not of strength 0."""
        notes = self.report.files[0].notes
        return not any(note.startswith(_SET_AFTER) for note in notes)

    @property
    def quality(self) -> str:
        """The quality of the run: "Fast"."""
        return self.result.report.settings.preset.capitalize()

    @property
    def quality_and_time(self) -> str:
        """The quality of the run and what it took: "Fast 4 s"."""
        seconds = self.result.report.files[0].seconds or 0.0
        return f"{self.quality} {short_duration(seconds)}"

    def compare_with(self, other: Finished | None) -> None:
        """Offer to compare with an earlier result, if it is of the same part."""
        if other is not None and other.source.is_same_part(self.source):
            other.source, other.other = other.source.emptied(), None
            self.other = other

    @property
    def in_making(self) -> AtStrength | None:
        """The displayed array if it is lazy, else None."""
        return self.shown if isinstance(self.shown, AtStrength) else None

    @property
    def report(self) -> DenoiseReport:
        """The report of the result with the displayed strength."""
        report = self.result.report
        if self.strength == report.settings.strength:
            return report
        (file,) = report.files
        note = (
            f"{_SET_AFTER} {self.strength:g} after the fit; the values of "
            "the planes are those at strength 0."
        )
        return replace(
            report,
            settings=replace(report.settings, strength=self.strength),
            files=(replace(file, notes=(*file.notes, note)),),
        )

    def set_strength(self, strength: float) -> None:
        """Show the result with less or more denoising; see `has_strengths`."""
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
        """Replace a lazy array by its values; return whether that was done.

        It is not done if the strength was changed in the meantime.
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

    A result is freed with its layer, and the data of its source with the source layer:
    removed layers do not stay in memory.

    Attributes
    ----------
    layers : LayerList or None
        The layers of the viewer; see `kept_with`.
    """

    _kept: ClassVar[WeakSet[FinishedLayers]] = WeakSet()

    def __init__(self, layers: LayerList | None = None) -> None:
        self._all: list[Finished] = []
        self.layers = layers
        self._left = False

    @classmethod
    def kept_with(cls, layers: LayerList) -> FinishedLayers:
        """Return the results that a closed panel of a viewer left, or new ones.

        They belong to the layer list: its event holds them, and they go with it. Two
        open panels have their own.
        """
        # napari gives plugins a proxy of the list, a new one each time.
        own = getattr(layers, "__wrapped__", layers)
        for kept in cls._kept:
            if kept.layers is own and kept._left:
                kept._left = False
                return kept
        made = cls(own)
        own.events.removed.connect(lambda event: made.forget(event.value))
        cls._kept.add(made)
        return made

    def leave(self) -> None:
        """Leave the results to the next panel."""
        self._left = True

    def add(self, finished: Finished) -> None:
        """Add the newest result."""
        self._all.append(finished)

    def __iter__(self) -> Iterator[Finished]:
        return iter(tuple(self._all))

    def of(self, layer: Layer | None) -> Finished | None:
        """Return the result that a layer shows, or the newest result of that layer.

        A preview is not the result of its layer.
        """
        newest_first = self._all[::-1]
        own = [one for one in newest_first if one.layer == layer]
        whole = [one for one in newest_first if not one.is_preview]
        made_of_it = [one for one in whole if one.source.is_of(layer)]
        return next(iter(own + made_of_it), None)

    def channels_of(self, finished: Finished) -> tuple[Finished, ...]:
        """Return a result and those of the other channels of its composite.

        If a channel has several results, the newest one is taken.
        """
        newest: dict[object, Finished] = {}
        for one in (*self._all, finished):
            if one is finished or are_channels(one.layer, finished.layer):
                newest[one.source.layer] = one
        return tuple(newest.values())

    def forget(self, layer: Image) -> None:
        """Free what belongs to a removed layer."""
        self._all = [one for one in self._all if one.layer != layer]
        for one in self._all:
            if one.source.is_of(layer):
                one.source = one.source.emptied()
