"""A slider from less to more, with its middle marked and a way back to it."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QHBoxLayout, QLabel, QSlider, QWidget

from napari_inr_denoise.plugin.elements.form import button

_STEPS, _KEY_STEP = 100, 5
"""Steps from 0 to 1, and those of a press of an arrow key."""


class StrengthSlider(QWidget):
    """A number from -1 to 1 that words at its ends explain.

    Attributes
    ----------
    changed : Signal
        Emitted with the new value, whoever changed it.
    """

    changed = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(-_STEPS, _STEPS)
        self.slider.setSingleStep(_KEY_STEP)
        self.slider.setPageStep(4 * _KEY_STEP)
        self.slider.setMinimumWidth(40)
        self.slider.setAccessibleName("Strength")
        self.number = QLabel("0")
        self.number.setMinimumWidth(
            self.number.fontMetrics().horizontalAdvance("-0.55")
        )
        self.number.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.reset = button("\u21ba", "Reset to 0, the best estimate")
        self.reset.setAccessibleName("Reset")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(QLabel("less"))
        layout.addWidget(self.slider, stretch=1)
        layout.addWidget(QLabel("more"))
        layout.addWidget(self.number)
        layout.addWidget(self.reset)
        self.slider.valueChanged.connect(self._tell)
        self.reset.clicked.connect(lambda: self.slider.setValue(0))
        self._tell(0)

    @property
    def value(self) -> float:
        """The strength."""
        return self.slider.value() / _STEPS

    @value.setter
    def value(self, value: float) -> None:
        self.slider.setValue(round(value * _STEPS))

    def _tell(self, step: int) -> None:
        value = step / _STEPS
        self.number.setText(f"{value:+g}" if value else "0")
        self.reset.setEnabled(step != 0)
        self.changed.emit(value)
