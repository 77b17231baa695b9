"""Before a run: follows what is chosen, and shows the noise and what a run takes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import napari
from napari.layers import Image, Layer
from napari.utils.events import Event
from psygnal import Signal

from napari_inr_denoise.core.preflight.experience import EXPERIENCE
from napari_inr_denoise.core.settings import DenoiseSettings
from napari_inr_denoise.plugin.controls import messages
from napari_inr_denoise.plugin.layers.channels import composite_of
from napari_inr_denoise.plugin.layers.metadata_keys import is_result
from napari_inr_denoise.plugin.layers.source.layer_source import (
    LayerSource,
    take_source,
    volume_problem,
)
from napari_inr_denoise.plugin.layers.source.region import Region
from napari_inr_denoise.plugin.layers.source.scope import SLICE
from napari_inr_denoise.plugin.runs.build_queue import build_queue
from napari_inr_denoise.plugin.runs.estimate_worker import EstimateRequest, Needs
from napari_inr_denoise.plugin.runs.estimator import Estimator
from napari_inr_denoise.plugin.runs.lifetime import Lifetime, while_open
from napari_inr_denoise.plugin.runs.time_left import Expected
from napari_inr_denoise.plugin.sections.input_section import InputSection

if TYPE_CHECKING:  # the module behind it loads torch
    from napari_inr_denoise.core.preflight.estimate import Preflight

NO_IMAGE = "Open a noisy image, or try File > Open Sample > INR Denoise."


@dataclass(frozen=True)
class Choices:
    """What is chosen at one moment; equal to an earlier one if nothing changed."""

    layer: Image | None
    layers: tuple[Image, ...]  # those that the button denoises
    scope: str
    region: Region | None
    device: str
    method: str
    context: int
    order: tuple[int, ...]  # of the viewer's dimensions
    step: tuple[int, ...]
    edits: int  # how often the data of the layer or the region changed


class BeforeRun:
    """Shows the noise and what a run will take whenever the choices change.

    Parameters
    ----------
    inputs : InputSection
        With the choices.
    viewer : napari.Viewer
        With the layers.
    lifetime : Lifetime
        Lifetime of the panel.
    source_of : callable
        Returns the noisy layer that the result of a layer was made of, or None.

    Attributes
    ----------
    estimator : Estimator
        Makes the estimates.
    counted : Signal
        Emitted with the number of layers that a run would denoise.
    problem : Signal
        Emitted with why the choices cannot be denoised; with an empty text when they
        change.
    """

    counted = Signal(int)
    problem = Signal(str)

    def __init__(
        self,
        inputs: InputSection,
        viewer: napari.Viewer,
        lifetime: Lifetime,
        source_of: Callable[[Layer | None], Image | None],
    ) -> None:
        self._inputs, self._viewer, self._lifetime = inputs, viewer, lifetime
        self._source_of = source_of
        self._last: Choices | None = None
        self._needs: dict[str, Needs] = {}
        self._edits = 0
        self._held = self._refused = False
        self.estimator = Estimator(self._request, lifetime)
        self._connect()
        self.choose_active()
        self._follow()

    def _connect(self) -> None:
        inputs, layers, dims = self._inputs, self._viewer.layers, self._viewer.dims
        self.estimator.noise.connect(inputs.noise.show_plane)
        self.estimator.needs.connect(self._take_needs)
        self.estimator.failed.connect(self._show_failure)
        for choice in (inputs.layer, inputs.scope, inputs.region, inputs.device):
            choice.changed.connect(self._follow)
        inputs.method.changed.connect(self._follow)
        inputs.context.changed.connect(self._follow)
        inputs.preset.changed.connect(self._follow_preset)
        inputs.channels.toggled.connect(self._follow)
        inputs.region.edited.connect(self._follow_edit)
        region = inputs.region
        for one, choose in (
            (inputs.view_button, region.use_view),
            (inputs.draw_button, region.draw),
        ):
            one.clicked.connect(lambda _, choose=choose: self._choose_region(choose))
        layers.selection.events.active.connect(self.choose_active)
        layers.selection.events.changed.connect(self._follow)
        # Connected after the list of choices: see `InrDenoiseWidget`.
        layers.events.inserted.connect(self._follow_layers)
        layers.events.removed.connect(self._follow_layers)
        layers.events.reordered.connect(self._follow_layers)
        layers.events.connect(self._follow_name)
        dims.events.current_step.connect(self._follow)
        dims.events.order.connect(self._follow)

    @property
    def layers(self) -> tuple[Image, ...]:
        """The layers that a run denoises: the chosen one and those that go with it.

        These are the other selected noisy layers, or the channels of its composite.
        """
        chosen, selection = self.layer, self._viewer.layers.selection
        if chosen is None:
            return ()
        selected = tuple(one for one in self._inputs.layer.choices if one in selection)
        if chosen in selected and len(selected) > 1:
            return selected
        channels = composite_of(chosen, self._viewer)
        return channels if channels and self._inputs.channels.isChecked() else (chosen,)

    @property
    def layer(self) -> Image | None:
        """The chosen layer; None once it was removed."""
        return self._inputs.layer.chosen

    def expected(
        self, source: LayerSource, settings: DenoiseSettings
    ) -> Expected | None:
        """Return what a run is expected to take; None if it was not estimated.

        A preview is trained as its plane is, and has fewer pixels to predict.
        """
        needs = self._needs.get(settings.preset)
        if needs is None:
            return None
        measured = needs.sources[0]
        one = EXPERIENCE.corrected(measured)
        pixels = one.planes * math.prod(one.shape_yx)
        share = source.pixel_count / pixels
        if share == 1:
            return Expected(one.seconds, one.finishing_s, measured)
        if not source.is_preview or one.planes > 1 or one.tiling.count > 1:
            return None
        training = one.seconds - one.finishing_s
        return Expected(training + share * one.finishing_s, share * one.finishing_s)

    def hold(self) -> None:
        """Estimate nothing during a run: both would measure each other."""
        self._held = True
        self.estimator.hold()

    def resume(self) -> None:
        """Catch up with what changed during the run."""
        self._held = False
        self._inputs.layer.reset_choices()  # the result is none of them
        self.choose_active()
        self._follow()
        for needs in self._needs.values():  # the run has shown how true they are
            self._tell(needs)
        self.estimator.resume()

    @while_open
    def _follow_layers(self, *_: object) -> None:
        self._inputs.layer.reset_choices()
        self._inputs.region.reset_choices()
        self._follow()

    @while_open
    def _follow_name(self, event: Event) -> None:
        if event.type == "name":  # the list repeats all events of its layers
            self._follow_layers()

    @while_open
    def _follow(self, *_: object) -> None:
        """Ask for the estimates that the last change made invalid."""
        now, last = self._choices(), self._last
        if self._held and last is not None:
            # The layer of a result is selected as it comes.
            now = replace(now, layers=last.layers)
        if now == last:
            return
        self._last = now
        if last is None or replace(now, layers=last.layers, step=last.step) != last:
            self._take(now, None if last is None else last.layer)
        elif now.layers != last.layers:
            self._forget_needs()
            self.estimator.ask(needs=True)
        self._show_counts(now)
        if last is not None and now.step != last.step:
            self.estimator.ask(noise=True)

    def _choices(self) -> Choices:
        inputs, dims = self._inputs, self._viewer.dims
        return Choices(
            layer=self.layer,
            layers=self.layers,
            scope=inputs.scope.value,
            region=inputs.region.value,
            device=inputs.device.value,
            method=inputs.method.value,
            context=inputs.context.value,
            order=tuple(dims.order),
            step=tuple(dims.current_step),
            edits=self._edits,
        )

    def _show_counts(self, now: Choices) -> None:
        layer = now.layer
        channels = () if layer is None else composite_of(layer, self._viewer)
        self._inputs.show_channels(len(channels))
        self.counted.emit(len(now.layers))

    def _take(self, now: Choices, last_layer: Image | None) -> None:
        """Take in another image or other settings."""
        if now.layer is not last_layer:
            self._watch(last_layer, now.layer)
        layer, dims = now.layer, self._viewer.dims
        letters, planes = "", 0
        if layer is not None:
            self._inputs.allow_volume(volume_problem(layer, dims))
            try:
                source = take_source(layer, dims, SLICE)
            except ValueError:
                pass  # it is told where the estimate is
            else:
                letters, planes = source.axes.removesuffix("S"), _plane_count(source)
        self._inputs.show_image(layer, letters, planes)
        self._inputs.clear_estimates()
        self._needs = {}
        self._refuse("" if layer is not None else NO_IMAGE)
        self.estimator.ask(noise=True, needs=True)

    def _watch(self, last: Image | None, layer: Image | None) -> None:
        """Follow what the user does to the chosen layer."""
        for one, change in ((last, "disconnect"), (layer, "connect")):
            if one is not None:
                getattr(one.events.data, change)(self._follow_edit)
                getattr(one.events.axis_labels, change)(self._follow_edit)
                getattr(one.events.blending, change)(self._follow)

    def _follow_edit(self, *_: object) -> None:
        self._edits += 1
        self._follow()

    @while_open
    def _follow_preset(self, *_: object) -> None:
        """Show what the chosen quality takes; measure it if it is not known yet."""
        self._show_cost()
        if self._inputs.preset.value not in self._needs:
            self.estimator.ask(needs=True)

    @while_open
    def choose_active(self, *_: object) -> None:
        """Choose the layer that the user selects, or the source of its result."""
        active, choice = self._viewer.layers.selection.active, self._inputs.layer
        noisy = self._source_of(active) or active
        if noisy in choice.choices and not is_result(noisy):
            choice.value = noisy

    def _choose_region(self, choose: Callable[[Image], None]) -> None:
        """Choose a region of the image, or say why there is none in this view."""
        if self.layer is None:
            return
        try:
            choose(self.layer)
        except ValueError as error:
            self._refuse(str(error))

    def _request(self, needs: bool) -> EstimateRequest | None:
        """Return what to estimate; None if nothing is there or can be denoised."""
        inputs, viewer, layer = self._inputs, self._viewer, self.layer
        if layer is None:
            return None
        scope, region = inputs.scope.value, inputs.region.value
        try:
            shown = take_source(layer, viewer.dims, SLICE, region)
        except ValueError as error:
            self._refuse(str(error))
            return None
        queue = build_queue(viewer, self.layers, scope, region, (inputs.settings,))
        if not queue.sources:
            self._refuse(queue.summary())
            return None
        if self._refused:  # the plane in view can be denoised again
            self._refuse("")
        names = self._names() if needs else ()
        return EstimateRequest(
            shown,
            queue.sources,
            {name: inputs.settings_of(name) for name in names},
        )

    def _refuse(self, problem: str) -> None:
        self._refused = bool(problem)
        self.problem.emit(problem)

    def _names(self) -> tuple[str, ...]:
        """Return the qualities whose time is not known, the chosen one first."""
        preset = self._inputs.preset
        names = dict.fromkeys((preset.value, *preset.choices))
        return tuple(name for name in names if name not in self._needs)

    def _take_needs(self, needs: Needs) -> None:
        self._needs[needs.name] = needs
        self._tell(needs)

    def _tell(self, needs: Needs) -> None:
        """Show the time of a quality, corrected by the runs so far."""
        preset = self._inputs.preset
        told = messages.time_message(_corrected(needs))
        preset.annotate(needs.name, told)
        self._show_cost()

    def _forget_needs(self) -> None:
        self._needs = {}
        for name in self._inputs.preset.choices:
            self._inputs.preset.annotate(name, "")
        self._show_cost()

    def _show_cost(self) -> None:
        known = self._needs.get(self._inputs.preset.value)
        text = "" if known is None else messages.cost_message(_corrected(known))
        self._inputs.show_cost(text)

    @while_open
    def _show_failure(self, error: Exception) -> None:
        self.problem.emit(messages.error_message(error))


def _corrected(needs: Needs) -> list[Preflight]:
    return [EXPERIENCE.corrected(one) for one in needs.sources]


def _plane_count(source: LayerSource) -> int:
    """Return the number of planes of the layer of a source."""
    pairs = zip(source.axes, source.data.shape, strict=True)
    return math.prod(size for letter, size in pairs if letter not in "YXS")
