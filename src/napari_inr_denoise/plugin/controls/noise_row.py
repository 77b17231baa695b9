"""The noise of the plane that is shown, in words and as a curve."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_inr_denoise.plugin.controls.messages import noise_message
from napari_inr_denoise.plugin.elements.form import Form, TextLabel, button, row
from napari_inr_denoise.plugin.elements.plot import Curve, CurvePlot

if TYPE_CHECKING:
    from napari_inr_denoise.core.noise.level.level_function import NoiseLevelFunction
    from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane

UNKNOWN = "-"
_MODEL_POINTS = 60
_LEAST_BINS = 3
"""Bins of a measured curve; a constant has two."""


class NoiseRow(QWidget):
    """The row Noise, with a button that shows the noise curve below it.

    Attributes
    ----------
    label : TextLabel
        The noise in words.
    plot_button : QPushButton
        Shows the curve; hidden if none could be measured.
    plot : CurvePlot
        Noise over intensity: measured points and the model.
    """

    def __init__(self) -> None:
        super().__init__()
        self.label = TextLabel(UNKNOWN, hides=False)
        self.plot_button = button("Plot", "Show the noise over the intensity")
        self.plot_button.setCheckable(True)
        self.plot = CurvePlot(
            "intensity",
            "Circles: noise measured in parts of the plane of equal intensity. Line: "
            "the model. Photon noise makes the variance rise in a straight line.",
        )
        told = row(self.label, self.plot_button, wide=0)
        tip = "Noise of the plane that is shown, measured in the image itself"
        form = Form()
        form.add("Noise", told, tip)
        # Beside the form: it would give the text above some of the plot's height.
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(form)
        layout.addWidget(self.plot)
        self.plot_button.toggled.connect(self._arrange)
        self.show_plane(None)

    def show_plane(self, plane: NoisyPlane | None) -> None:
        """Show the noise of a plane; None while it is not known."""
        self.label.value = UNKNOWN if plane is None else noise_message(plane)
        correlated = plane is not None and plane.noise.correlated
        curves = () if plane is None else noise_curves(plane)
        self.plot.show_curves(curves, "noise sigma" if correlated else "noise variance")
        self._arrange()

    def _arrange(self, _: bool = False) -> None:
        there = bool(self.plot.curves)
        self.plot_button.setVisible(there)
        self.plot.setVisible(there and self.plot_button.isChecked())


def noise_curves(plane: NoisyPlane) -> tuple[Curve, ...]:
    """Return noise over intensity for each sample of a plane, where it was measured.

    White noise is given by its variance, which photon noise makes a straight line;
    correlated noise by its standard deviation.
    """
    measured = [one for one in plane.curves if len(one.intensities) >= _LEAST_BINS]
    return tuple(_curve(one, root=plane.noise.correlated) for one in measured)


def _curve(function: NoiseLevelFunction, *, root: bool) -> Curve:
    bins = np.array(function.intensities), np.array(function.variances)
    across = np.linspace(bins[0].min(), bins[0].max(), _MODEL_POINTS)
    model = across, function.variance(across)
    points, line = (
        tuple(zip(x.tolist(), (np.sqrt(y) if root else y).tolist(), strict=True))
        for x, y in (bins, model)
    )
    return Curve(points, line)
