"""Before a run: follows what is chosen, and shows the noise and what a run takes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import napari
from napari.layers import Image
from napari.utils.events import Event

from napari_inr_denoise.plugin.controls import messages
from napari_inr_denoise.plugin.controls.rows import show_text
from napari_inr_denoise.plugin.layers.metadata_keys import REPORT_KEY, is_result
from napari_inr_denoise.plugin.layers.region import Region
from napari_inr_denoise.plugin.layers.scope import SLICE
from napari_inr_denoise.plugin.layers.source import take_source, volume_problem
from napari_inr_denoise.plugin.runs.build_queue import build_queue
from napari_inr_denoise.plugin.runs.estimate_worker import EstimateRequest
from napari_inr_denoise.plugin.runs.estimator import Estimator
from napari_inr_denoise.plugin.runs.lifetime import Lifetime, while_open
from napari_inr_denoise.plugin.widgets.denoise_form import DenoiseForm

if TYPE_CHECKING:
    from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
    from napari_inr_denoise.core.preflight.estimate import Preflight


@dataclass(frozen=True)
class Choices:
    """What is chosen at one moment; equal to an earlier one if nothing changed."""

    layer: Image | None
    layers: tuple[Image, ...]  # those that Run denoises
    scope: str
    region: Region | None
    preset: str
    device: str
    order: tuple[int, ...]  # of the viewer's dimensions
    step: tuple[int, ...]
    edits: int  # how often the data of the layer or the region changed


class BeforeRun:
    """Shows the noise and what a run will take whenever the choices change.

    Parameters
    ----------
    form : DenoiseForm
        With the choices.
    viewer : napari.Viewer
        With the layers.
    lifetime : Lifetime
        Of the widget.

    Attributes
    ----------
    estimator : Estimator
        Makes the estimates.
    """

    def __init__(
        self, form: DenoiseForm, viewer: napari.Viewer, lifetime: Lifetime
    ) -> None:
        self._form, self._viewer, self._lifetime = form, viewer, lifetime
        self._last: Choices | None = None
        self._edits = 0
        self._held = False
        self.estimator = Estimator(self._request, lifetime)
        self._connect()
        self._follow()

    def _connect(self) -> None:
        form, layers, dims = self._form, self._viewer.layers, self._viewer.dims
        self.estimator.noise.connect(self._show_noise)
        self.estimator.needs.connect(self._show_needs)
        self.estimator.failed.connect(self._show_failure)
        for choice in (form.layer, form.scope, form.region, form.preset, form.device):
            choice.changed.connect(self._follow)
        form.region.edited.connect(self._follow_edit)
        layers.selection.events.active.connect(self._choose_active)
        layers.selection.events.changed.connect(self._follow)
        layers.events.removed.connect(self._follow)
        dims.events.current_step.connect(self._follow)
        dims.events.order.connect(self._follow)

    @property
    def layers(self) -> tuple[Image, ...]:
        """The noisy layers that are selected with the chosen one, or that one alone."""
        chosen, selection = self.layer, self._viewer.layers.selection
        selected = tuple(
            one
            for one in self._form.layer.choices
            if one in selection and not is_result(one)
        )
        if chosen in selected:
            return selected
        return () if chosen is None else (chosen,)

    @property
    def layer(self) -> Image | None:
        """The chosen layer; None once it was removed."""
        # The list of choices does not tell that the last layer was removed.
        chosen: Image | None = self._form.layer.value
        return chosen if chosen in self._viewer.layers else None

    def hold(self) -> None:
        """Follow and estimate nothing during a run: both would measure each other."""
        self._held = True
        self.estimator.hold()

    def resume(self) -> None:
        """Catch up with what changed during the run."""
        self._held = False
        self._follow()
        self.estimator.resume()

    @while_open
    def _follow(self, *_: object) -> None:
        """Ask for the estimates that the last change made invalid."""
        if self._held:
            return
        now, last = self._choices(), self._last
        if now == last:
            return
        self._last = now
        self._form.show_layer_count(len(now.layers))
        if last is None or replace(now, layers=last.layers, step=last.step) != last:
            self._take(now, None if last is None else last.layer)
        elif now.layers != last.layers:
            show_text(self._form.needs_label, "-")
            self.estimator.ask(needs=True)
        if last is not None and now.step != last.step:
            self.estimator.ask(noise=True)

    def _choices(self) -> Choices:
        form, dims = self._form, self._viewer.dims
        return Choices(
            layer=self.layer,
            layers=self.layers,
            scope=form.scope.value,
            region=form.region.value,
            preset=form.preset.value,
            device=form.device.value,
            order=tuple(dims.order),
            step=tuple(dims.current_step),
            edits=self._edits,
        )

    def _take(self, now: Choices, last_layer: Image | None) -> None:
        """Take in another image or other settings."""
        if now.layer is not last_layer:
            self._watch(last_layer, now.layer)
        layer, dims = now.layer, self._viewer.dims
        self._form.allow_volume("" if layer is None else volume_problem(layer, dims))
        self._form.clear_estimates()
        self.estimator.ask(noise=True, needs=True)

    def _watch(self, last: Image | None, layer: Image | None) -> None:
        """Follow what the user does to the chosen layer."""
        for one, change in ((last, "disconnect"), (layer, "connect")):
            if one is not None:
                getattr(one.events.data, change)(self._follow_edit)
                getattr(one.events.axis_labels, change)(self._follow_edit)

    def _follow_edit(self, *_: object) -> None:
        self._edits += 1
        self._follow()

    @while_open
    def _choose_active(self, _: Event) -> None:
        """Choose the layer that the user selects, unless it is a result."""
        active, choice = self._viewer.layers.selection.active, self._form.layer
        if not self._held and active in choice.choices and not is_result(active):
            choice.value = active

    def _request(self, needs: bool) -> EstimateRequest | None:
        """Return what to estimate; None if nothing is there or can be denoised."""
        form, viewer, layer = self._form, self._viewer, self.layer
        if layer is None:
            return None
        scope, region = form.scope.value, form.region.value
        try:
            shown = take_source(layer, viewer.dims, SLICE, region)
            chosen = take_source(layer, viewer.dims, scope, region) if needs else None
        except ValueError as error:
            show_text(form.needs_label, str(error))
            return None
        if chosen is None:
            return EstimateRequest(shown, (), form.settings)
        queue = build_queue(viewer, self.layers, scope, region)
        return EstimateRequest(shown, queue.sources or (chosen,), form.settings)

    @while_open
    def _show_noise(self, plane: NoisyPlane) -> None:
        denoised = self.layer is not None and REPORT_KEY in self.layer.metadata
        text = messages.noise_message(plane, denoised=denoised)
        show_text(self._form.noise_label, text)

    @while_open
    def _show_needs(self, needs: list[Preflight]) -> None:
        show_text(self._form.needs_label, messages.needs_message(needs))

    @while_open
    def _show_failure(self, error: Exception) -> None:
        show_text(self._form.needs_label, messages.error_message(error))
