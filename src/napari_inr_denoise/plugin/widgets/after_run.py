"""After a run: the buttons and the table of a result."""

from __future__ import annotations

import napari
from napari.layers import Image, Layer
from napari.utils.events import Event
from psygnal import Signal

from napari_inr_denoise.plugin.controls.file_dialogs import ask_for_report
from napari_inr_denoise.plugin.controls.plane_table import go_to_plane
from napari_inr_denoise.plugin.layers.metadata_keys import SHOWS_KEY
from napari_inr_denoise.plugin.results.diagnostic_layers import (
    residual_layer,
    structured_layer,
    uncertainty_layer,
)
from napari_inr_denoise.plugin.results.finished import Finished, FinishedLayers
from napari_inr_denoise.plugin.runs.lifetime import Lifetime, while_open
from napari_inr_denoise.plugin.widgets.denoise_form import DenoiseForm
from napari_inr_denoise.plugin.widgets.saved_result import saved_result
from napari_inr_denoise.plugin.widgets.split_view import SplitView
from napari_inr_denoise.plugin.widgets.strength_control import StrengthControl


class AfterRun:
    """Connects the result controls of the form with the result of the selected layer.

    The selected layer may be the noisy one or the result layer.

    Parameters
    ----------
    form : DenoiseForm
        With the buttons and the table.
    viewer : napari.Viewer
        Diagnostic layers are added to it.
    lifetime : Lifetime
        Of the widget.

    Attributes
    ----------
    chosen : Signal
        Emitted with the result (Finished) of the layer that the user selects.
    """

    chosen = Signal(object)

    def __init__(
        self, form: DenoiseForm, viewer: napari.Viewer, lifetime: Lifetime
    ) -> None:
        self._form, self._viewer, self._lifetime = form, viewer, lifetime
        self._layers = FinishedLayers()
        self._offered: Finished | None = None
        self._strength = StrengthControl(form, lifetime)
        self._split = SplitView(form, viewer, lifetime)
        form.removed_button.changed.connect(self._add_removed)
        form.uncertainty_button.changed.connect(self._add_uncertainty)
        form.structured_button.changed.connect(self._add_structured)
        form.report_button.changed.connect(self._ask_and_save)
        form.table.chosen.connect(self._go_to)
        viewer.layers.selection.events.active.connect(self.follow_selection)
        viewer.layers.events.removed.connect(self._follow_removal)

    @property
    def offered(self) -> Finished | None:
        """The result that the controls act on; None if there is none."""
        return self._offered

    def add(self, finished: Finished, strength: float) -> None:
        """Add a new result, show it at a strength, and offer it.

        Another result that the user has selected during the run stays offered.
        """
        self._layers.add(finished)
        finished.set_strength(strength)
        if not any(finished.source.is_of(layer) for layer in self._viewer.layers):
            finished.source = finished.source.emptied()
        if self.selected is None or self.selected is not self._offered:
            self.offer(self.selected or finished)

    @property
    def selected(self) -> Finished | None:
        """The result of the selected layer; None if it has none."""
        return self._result_of(self._viewer.layers.selection.active)

    def _result_of(self, layer: Layer | None) -> Finished | None:
        """Return the result that a layer shows, also one of an earlier run."""
        found = self._layers.of(layer)
        if found is None and isinstance(layer, Image):
            found = saved_result(layer, self._viewer.dims)
            if found is not None:
                self._layers.add(found)
        return found

    def offer(self, finished: Finished | None) -> None:
        """Connect the controls with a result; None disables them."""
        self._offered = finished
        self._split.offer(finished)
        self._strength.offer(finished)
        noisy = finished is not None and finished.source.has_values
        self._form.show_result(None if finished is None else finished.result, noisy)

    @while_open
    def follow_selection(self, *_: object) -> None:
        """Offer the result of the layer that is selected now, if that is an image."""
        layer = self._viewer.layers.selection.active
        if not isinstance(layer, Image) or SHOWS_KEY in layer.metadata:
            return
        found = self._result_of(layer)
        if found is not self._offered:
            self.offer(found)
            if found is not None:
                self.chosen.emit(found)

    @while_open
    def _follow_removal(self, event: Event) -> None:
        self._layers.forget(event.value)
        offered = self._offered
        if offered is None:
            return
        # Equal, but not the same: napari gives plugins a proxy of a layer.
        if event.value == offered.layer:
            self.offer(self.selected)
        elif offered.source.is_of(event.value):
            self.offer(offered)

    def _add_removed(self) -> None:
        if self._offered is not None:
            data, keywords = residual_layer(self._offered)
            self._viewer.add_image(data, **keywords)

    def _add_uncertainty(self) -> None:
        offered = self._offered
        uncertainty = None if offered is None else offered.result.uncertainty
        if offered is not None and uncertainty is not None:
            data, keywords = uncertainty_layer(offered.source, uncertainty)
            self._viewer.add_image(data, **keywords)

    def _add_structured(self) -> None:
        offered = self._offered
        structured = None if offered is None else offered.result.maps.get("structured")
        if offered is not None and structured is not None:
            data, keywords = structured_layer(offered.source, structured)
            self._viewer.add_image(data, **keywords)

    def _ask_and_save(self) -> None:
        if self._offered is None:
            return
        report = self._offered.report
        path = ask_for_report(self._form.native, self._offered.layer.name)
        if path is None:
            return
        from napari_inr_denoise.batch.report.files import write_report_file

        try:
            write_report_file(report, path)
        except OSError as error:
            self._form.say(f"The report could not be saved: {error}")
        else:
            self._form.say(f"The report is in {path}.")

    @while_open
    def _go_to(self, index: dict[str, int]) -> None:
        """Show the plane that was selected in the table."""
        offered = self._offered
        if offered is not None:
            dims = self._viewer.dims
            go_to_plane(dims, offered.layer, offered.source.axes, index)
