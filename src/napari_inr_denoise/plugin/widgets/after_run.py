"""After a run: what is shown of the selected layer's result, and done with it."""

from __future__ import annotations

from collections.abc import Callable

import napari
from napari.layers import Image, Layer
from napari.utils.events import Event
from psygnal import Signal

from napari_inr_denoise.core.settings import DenoiseSettings
from napari_inr_denoise.plugin.controls import messages
from napari_inr_denoise.plugin.controls.plane_table import go_to_plane, plane_at
from napari_inr_denoise.plugin.elements.facts import Chip
from napari_inr_denoise.plugin.layers.metadata_keys import LIVE, SHOWS_KEY
from napari_inr_denoise.plugin.layers.source.layer_source import LayerSource
from napari_inr_denoise.plugin.results.finished import Finished, FinishedLayers
from napari_inr_denoise.plugin.results.names import repeats, result_name
from napari_inr_denoise.plugin.results.views import COMPARED
from napari_inr_denoise.plugin.runs.lifetime import Lifetime, while_open
from napari_inr_denoise.plugin.sections.result_section import ResultSection
from napari_inr_denoise.plugin.widgets.save_control import SaveControl
from napari_inr_denoise.plugin.widgets.saved_result import find_noisy, saved_result
from napari_inr_denoise.plugin.widgets.show_control import ShowControl
from napari_inr_denoise.plugin.widgets.strength_control import StrengthControl


class AfterRun:
    """Connects the result section with the result of the selected layer.

    The selected layer may be the noisy one or the result layer.

    Parameters
    ----------
    section : ResultSection
        With the controls.
    viewer : napari.Viewer
        With the layers.
    lifetime : Lifetime
        Lifetime of the panel.
    say : callable
        Takes a message for the user.

    Attributes
    ----------
    turned : Signal
        Emitted with the result (Finished or None) of the layer that is selected now,
        when it is another one than before.
    """

    turned = Signal(object)

    def __init__(
        self,
        section: ResultSection,
        viewer: napari.Viewer,
        lifetime: Lifetime,
        say: Callable[[str], None],
    ) -> None:
        self._section, self._viewer, self._lifetime = section, viewer, lifetime
        self._layers = FinishedLayers.kept_with(viewer.layers)
        lifetime.undocking.connect(self._layers.leave)
        self._offered: Finished | None = None
        self._strength = StrengthControl(section, lifetime, say)
        self._save = SaveControl(section, lifetime, say)
        self.show = ShowControl(section, viewer, lifetime, say)
        self._strength.changed.connect(self._show_strength)
        self._strength.changed.connect(self.show.renew)
        section.table.chosen.connect(self._go_to)
        viewer.layers.selection.events.active.connect(self.follow_selection)
        viewer.layers.events.inserted.connect(self._follow_insertion)
        viewer.layers.events.removed.connect(self._follow_removal)
        viewer.layers.events.connect(self._follow_name)
        viewer.dims.events.current_step.connect(self._follow_slider)

    @property
    def offered(self) -> Finished | None:
        """The result that the controls act on; None if there is none."""
        return self._offered

    def add(self, finished: Finished, strength: float) -> None:
        """Add a new result, show it at a strength, and offer it.

        Another result that the user has selected during the run stays offered.
        """
        self._layers.add(finished)
        if finished in self._complete():
            self._replace(finished)
        finished.set_strength(strength)
        if not any(finished.source.is_of(layer) for layer in self._viewer.layers):
            finished.source = finished.source.emptied()
        selected = self._result_of(self._viewer.layers.selection.active)
        if selected is None or selected is not self._offered:
            self.offer(selected)
        if selected is not None and selected is finished and finished.other is not None:
            self._section.show.value = COMPARED

    def name_of(self, source: LayerSource, settings: DenoiseSettings) -> str:
        """Return the name for the layer of a run; see `result_name`."""
        return result_name(source, settings, self._complete())

    def _complete(self) -> list[Finished]:
        """Return the complete results of images that are in the viewer too."""
        return [
            one
            for one in self._layers
            if one.source.has_values
            and not one.is_preview
            and not messages.is_partial(one.result.report, one.plane_count)
        ]

    def _replace(self, finished: Finished) -> None:
        """Remove the results that a complete one repeats, and give it their name."""
        name = str(finished.source.keywords["name"])
        settings, layers = finished.result.report.settings, self._viewer.layers
        for one in self._complete():
            if (
                one is not finished
                and one.layer.name == name
                and repeats(one, finished.source, settings)
            ):
                was_active = layers.selection.active == one.layer
                layers.remove(one.layer)
                if was_active:
                    layers.selection.active = finished.layer
                finished.layer.name = name

    def source_of(self, layer: Layer | None) -> Image | None:
        """Return the noisy layer that the result of a layer was made of, if known."""
        found = self._layers.of(layer)
        return None if found is None else found.source.layer_in(self._viewer.layers)

    def _result_of(self, layer: Layer | None) -> Finished | None:
        """Return the result that a layer shows, also one of an earlier run."""
        found = self._layers.of(layer)
        if found is None and isinstance(layer, Image):
            found = saved_result(layer, self._viewer)
            if found is not None:
                self._layers.add(found)
        return found

    def offer(self, finished: Finished | None) -> None:
        """Connect the controls with a result; None hides them."""
        self._offered = finished
        channels = () if finished is None else self._layers.channels_of(finished)
        self.show.offer(finished, channels)
        self._strength.offer(finished)
        self._save.offer(finished, channels)
        self._section.show_result(finished, channels)
        self._show_strength()
        self._follow_slider()

    def _show_strength(self) -> None:
        """Show what is known of the result at the strength that is shown."""
        offered = self._offered
        if offered is not None:
            self._section.show_facts(offered, _chips(offered))

    @while_open
    def follow_selection(self, *_: object) -> None:
        """Offer the result of the layer that is selected now."""
        layer = self._viewer.layers.selection.active
        if layer is None:
            return
        view = layer.metadata.get(SHOWS_KEY)
        if view is not None and view != LIVE:
            return  # it shows the result that is offered
        found = self._result_of(layer)
        if found is not self._offered:
            self.offer(found)
            self.turned.emit(found)

    @while_open
    def _follow_insertion(self, _: Event) -> None:
        """Compare saved results with a noisy image that is opened after them."""
        offered = self._offered
        found = [one for one in self._layers if find_noisy(one, self._viewer)]
        if offered is not None and offered in found:
            self.offer(offered)

    @while_open
    def _follow_removal(self, event: Event) -> None:
        gone, offered = event.value, self._offered
        channels = () if offered is None else self._layers.channels_of(offered)
        self._layers.forget(gone)  # the list of layers tells of it later
        if offered is None:
            return
        # Equal, but not the same: napari gives plugins a proxy of a layer.
        if gone == offered.layer:
            self._show_source(offered)
            self.offer(self._result_of(self._viewer.layers.selection.active))
        elif any(one.layer == gone or one.source.is_of(gone) for one in channels):
            self.offer(offered)

    @while_open
    def _follow_name(self, event: Event) -> None:
        """Show the new name of a layer."""
        offered = self._offered
        # The list repeats all events of its layers.
        if event.type == "name" and offered is not None:
            channels = self._layers.channels_of(offered)
            self._section.show_names(offered, channels)

    def _show_source(self, finished: Finished) -> None:
        """Show the channel again that was hidden for a result that is gone."""
        source = finished.source.layer_in(self._viewer.layers)
        if source is not None and source.blending == "additive":
            source.visible = True

    @while_open
    def _go_to(self, index: dict[str, int]) -> None:
        """Show the plane that was selected in the table."""
        offered = self._offered
        if offered is not None:
            dims = self._viewer.dims
            go_to_plane(dims, offered.layer, offered.source.axes, index)

    @while_open
    def _follow_slider(self, *_: object) -> None:
        """Select the row of the plane that is shown."""
        offered = self._offered
        if offered is not None and offered.layer in self._viewer.layers:
            dims = self._viewer.dims
            self._section.table.mark(plane_at(dims, offered.layer, offered.source.axes))


def _chips(finished: Finished) -> list[Chip]:
    chips = messages.result_chips(
        finished.report, finished.plane_count, judged=finished.is_judged
    )
    if finished.is_preview:
        tip = f"A part of the plane, denoised with the quality {finished.quality}."
        chips.insert(0, Chip("Preview", tip))
    return chips
