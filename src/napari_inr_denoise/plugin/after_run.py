"""What can be done with a result: look at what was removed, save how it was made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import napari
from napari.layers import Image
from napari.utils.events import Event

from napari_inr_denoise.plugin.denoise_form import DenoiseForm
from napari_inr_denoise.plugin.lifetime import Lifetime, while_open
from napari_inr_denoise.plugin.plane_table import go_to_plane
from napari_inr_denoise.plugin.settings_file import ask_for_report
from napari_inr_denoise.plugin.source import LayerSource
from napari_inr_denoise.plugin.split_view import SplitView
from napari_inr_denoise.plugin.strength_control import StrengthControl
from napari_inr_denoise.plugin.trust_layers import residual_layer, uncertainty_layer

if TYPE_CHECKING:  # the module behind it loads torch
    from napari_inr_denoise.core.denoise import DenoiseResult


class AfterRun:
    """Answers the buttons and the table that belong to the last result.

    Parameters
    ----------
    form : DenoiseForm
        Which has them.
    viewer : napari.Viewer
        Where layers are added.
    lifetime : Lifetime
        Of the widget.
    """

    def __init__(
        self, form: DenoiseForm, viewer: napari.Viewer, lifetime: Lifetime
    ) -> None:
        self._form, self._viewer, self._lifetime = form, viewer, lifetime
        self._source: LayerSource
        self._layer: Image
        self._result: DenoiseResult | None = None
        self._strength = StrengthControl(form, lifetime)
        self._split = SplitView(form, viewer, lifetime)
        form.removed_button.changed.connect(self._add_removed)
        form.uncertainty_button.changed.connect(self._add_uncertainty)
        form.report_button.changed.connect(self._ask_and_save)
        form.table.chosen.connect(self._go_to)
        viewer.layers.events.removed.connect(self._follow_removal)

    def show(self, source: LayerSource, result: DenoiseResult, layer: Image) -> None:
        """Offer what there is to see of a result."""
        self._source, self._result, self._layer = source, result, layer
        self._split.offer(source, layer)
        self._form.show_result(result)
        self._strength.show(source, result, layer)

    def forget(self) -> None:
        """Let go of the last result."""
        self._result = None
        self._strength.forget()
        self._split.withdraw()
        self._form.show_result(None)

    @while_open
    def _follow_removal(self, event: Event) -> None:
        # Equal, but not the same: napari gives plugins a proxy of a layer.
        if self._result is not None and event.value == self._layer:
            self.forget()

    def _add_removed(self) -> None:
        if self._result is not None:
            data, keywords = residual_layer(self._source, self._result)
            self._viewer.add_image(data, **keywords)

    def _add_uncertainty(self) -> None:
        uncertainty = None if self._result is None else self._result.uncertainty
        if uncertainty is not None:
            data, keywords = uncertainty_layer(self._source, uncertainty)
            self._viewer.add_image(data, **keywords)

    def _ask_and_save(self) -> None:
        report = self._strength.report
        if report is None:
            return
        path = ask_for_report(self._form.native, self._layer.name)
        if path is None:
            return
        from napari_inr_denoise.batch.report_files import write_report_file

        try:
            write_report_file(report, path)
        except OSError as error:
            self._form.say(f"The report could not be saved: {error}")
        else:
            self._form.say(f"The report is in {path}.")

    @while_open
    def _go_to(self, index: dict[str, int]) -> None:
        """Show the plane that was chosen in the table."""
        if self._result is not None:
            go_to_plane(self._viewer.dims, self._layer, self._source.axes, index)
