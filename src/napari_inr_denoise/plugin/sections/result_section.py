"""What a result is worth, and what can be done with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from napari_inr_denoise.plugin.controls import messages
from napari_inr_denoise.plugin.controls.plane_table import PlaneTable
from napari_inr_denoise.plugin.elements.chips import Chips
from napari_inr_denoise.plugin.elements.form import (
    Form,
    TextLabel,
    button,
    line,
    row,
)
from napari_inr_denoise.plugin.elements.section import Foldable
from napari_inr_denoise.plugin.elements.segments import Segments
from napari_inr_denoise.plugin.elements.strength_slider import StrengthSlider
from napari_inr_denoise.plugin.elements.style import set_role
from napari_inr_denoise.plugin.results.finished import Finished
from napari_inr_denoise.plugin.results.views import (
    COMPARED,
    NOISY,
    RESIDUAL,
    RESULT,
    SPLIT,
    STRUCTURED,
    UNCERTAINTY,
    views_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_inr_denoise.plugin.elements.facts import Chip

_VIEWS = (
    ("Noisy", NOISY, "The image before (hold N on the canvas for a look)"),
    ("Result", RESULT, "The denoised image"),
    ("Split", SPLIT, "Noisy left of a line, denoised right of it; drag the line"),
    ("Fast | Auto", COMPARED, "One quality left of a line, the other right of it"),
    (
        "Residual",
        RESIDUAL,
        "Noisy minus denoised, in units of the local noise: pure noise looks equally "
        "grey everywhere",
    ),
    ("Uncertainty", UNCERTAINTY, "Estimated error of each pixel, standard deviation"),
    (
        "Structured",
        STRUCTURED,
        "The noise of whole rows or columns, or of the same pixels in all planes, that "
        "was removed",
    ),
)


class ResultSection:
    """The rows below the button; hidden unless the selected layer has a result.

    Attributes
    ----------
    native : QWidget
        The Qt side.
    """

    def __init__(self) -> None:
        self.title = TextLabel()
        set_role(self.title, "title")
        self.note = TextLabel()
        self.chips = Chips()
        self.strength = StrengthSlider()
        self.keep_button = button(
            "Apply to all planes",
            "Compute all planes of the result at this strength, and keep them",
        )
        self.show = Segments(_VIEWS, per_row=3)
        self.raw = QCheckBox("Residual in image units")
        self.raw.setToolTip(
            "Photon noise is larger where there is signal: structure in the raw "
            "residual is no sign of loss"
        )
        self.save_button = button(
            "Save...", "Save the result with its report, as OME-TIFF or OME-Zarr"
        )
        self.report_button = button(
            "Report...", "Save noise, error and verdict as HTML, CSV or JSON"
        )
        self.open_button = button("Open", "Open the saved file with its program")
        self.folder_button = button("Show folder", "Open the folder of the saved file")
        self.open_button.clicked.connect(lambda: self._open(folder=False))
        self.folder_button.clicked.connect(lambda: self._open(folder=True))
        self._saved: Path | None = None
        self._opening = row(self.open_button, self.folder_button)
        self.whole_button = button(
            "Denoise the whole image", "Run on all that the preview is a part of"
        )
        self.table = PlaneTable()
        self.planes = Foldable("Planes", self.table, "Noise and error of each plane")
        self.form = Form()
        self._lay_out()
        self.show_saved(None)
        self.show_result(None, ())

    def _lay_out(self) -> None:
        tip = "0 is the best estimate, -1 the noisy image, 1 the smoothest"
        self.form.add("Strength", self.strength, tip)
        self.form.add_wide(self.show)
        self.show.setAccessibleName("Show")
        self.native = QWidget()
        layout = QVBoxLayout(self.native)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(5)
        for part in (
            line(),
            self.title,
            self.note,
            self.chips,
            self.whole_button,
            self.form,
            self.keep_button,
            self.raw,
            row(self.save_button, self.report_button),
            self._opening,
            self.planes.native,
        ):
            layout.addWidget(part)

    def show_result(
        self,
        finished: Finished | None,
        channels: Sequence[Finished],
    ) -> None:
        """Show a result, without its facts.

        Parameters
        ----------
        finished : Finished or None
            None hides the section.
        channels : sequence of Finished
            The results of its composite.
        """
        self.native.setVisible(finished is not None)
        planes = () if finished is None else finished.result.report.files[0].planes
        self.table.show_planes(planes)
        self.planes.native.setVisible(len(planes) > 1)
        self.show.show_only(() if finished is None else views_of(finished))
        if finished is None:
            return
        self.show.setVisible(len(self.show.choices) > 1)
        self.title.setToolTip(finished.ending)
        self.show_names(finished, channels)
        several = len(channels) > 1
        saved = f"Save {len(channels)} channels..." if several else "Save..."
        self.save_button.setText(saved)
        self.save_button.setAccessibleName(saved)
        self.whole_button.setVisible(finished.is_preview)
        self.form.show_row(self.strength, finished.source.has_values)
        self.strength.setEnabled(finished.has_strengths)
        if finished.other is not None:
            both = f"{finished.other.quality} | {finished.quality}"
            self.show.add(both, COMPARED, "")

    def show_names(self, finished: Finished, channels: Sequence[Finished]) -> None:
        """Show the name of a result, and those of the channels of its composite."""
        self.title.value = finished.layer.name
        self.note.value = messages.result_note(finished, channels)

    def show_facts(self, finished: Finished, chips: Sequence[Chip]) -> None:
        """Show what is known of a result at the strength that is shown."""
        planes, judged = finished.result.report.files[0].planes, finished.is_judged
        self.planes.title = messages.planes_title(planes, judged=judged)
        self.chips.show_facts(chips)

    def show_saved(self, path: Path | None) -> None:
        """Offer to open a file that was saved, and its folder."""
        self._saved = path
        self._opening.setVisible(path is not None)

    def _open(self, *, folder: bool) -> None:
        if self._saved is not None:
            place = self._saved.absolute()
            place = place.parent if folder else place
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(place)))

    def allow_keeping(self, on: bool) -> None:
        """Offer to apply the strength to all planes."""
        self.keep_button.setVisible(on)

    def offer_raw(self, on: bool) -> None:
        """Offer the residual in the image's own units."""
        self.raw.setVisible(on)
