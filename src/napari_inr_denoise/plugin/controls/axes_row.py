"""The axes of a layer, where they come from, and a way to correct them."""

from __future__ import annotations

from napari.layers import Image
from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_inr_denoise.plugin.elements.form import button, order_tabs, row
from napari_inr_denoise.plugin.elements.scrolling import let_scroll_past
from napari_inr_denoise.plugin.elements.style import set_role
from napari_inr_denoise.plugin.layers.axis_labels import OUTER_LETTERS, axes_origin
from napari_inr_denoise.plugin.layers.files.file_notes import axes_notes
from napari_inr_denoise.plugin.layers.metadata_keys import CORRECTED_KEY, GUESSED_KEY

_UNNAMED = "Neither file nor layer names all dimensions."
_MEANINGS = {"T": "time", "Z": "depth", "C": "channel"}


class AxesRow(QWidget):
    """Shows the axes of a layer and lets the user rename those outside of the plane.

    Attributes
    ----------
    edited : Signal
        Emitted when the user has changed the axis labels of the layer.
    """

    edited = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._layer: Image | None = None
        self._letters = ""
        self.letters_label = QLabel()
        self.origin_label = QLabel()
        self.edit_button = button("Edit", "Say what the dimensions of the image are")
        self.edit_button.setCheckable(True)
        self.edit_button.toggled.connect(self._show_editor)
        self._choices: list[QComboBox] = []
        self._editor = QWidget()
        self._editors = QHBoxLayout(self._editor)
        self._editors.setContentsMargins(0, 0, 0, 0)
        self._editor.setVisible(False)
        shown = row(self.letters_label, self.origin_label)
        line = shown.layout()
        if isinstance(line, QHBoxLayout):
            line.addStretch()
            line.addWidget(self.edit_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(shown)
        layout.addWidget(self._editor)

    @property
    def letters(self) -> str:
        """A letter for each dimension of the layer that was shown last."""
        return self._letters

    @property
    def editors(self) -> tuple[QComboBox, ...]:
        """The choices of the letters, while they are corrected."""
        return tuple(self._choices)

    def show_axes(self, layer: Image, letters: str) -> None:
        """Show the axes of a layer.

        Parameters
        ----------
        layer : Image
            The layer.
        letters : str
            A letter for each of its dimensions.
        """
        if layer is not self._layer:
            self.edit_button.setChecked(False)
        self._layer, self._letters = layer, letters
        origin = axes_origin(layer)
        self.letters_label.setText(" ".join(letters))
        self.origin_label.setText(origin)
        guessed = origin == "guessed"
        set_role(self.origin_label, "warning" if guessed else "chip")
        tip = "What the layer says of its dimensions."
        if guessed:
            told = axes_notes(layer) or (_UNNAMED,)
            tip = "\n".join((*told, "Press Edit to correct it."))
        self.origin_label.setToolTip(tip)

    def _show_editor(self, on: bool) -> None:
        for choice in self._choices:
            choice.setParent(None)
            choice.deleteLater()
        self._choices = []
        self._editor.setVisible(on)
        outer = [k for k, letter in enumerate(self._letters) if letter not in "YX"]
        for axis in outer if on else []:
            choice = QComboBox()
            choice.addItems([f"{k} {_MEANINGS[k]}" for k in OUTER_LETTERS])
            choice.setCurrentIndex(OUTER_LETTERS.index(self._letters[axis]))
            size = "" if self._layer is None else f" of {self._size(axis)}"
            choice.setAccessibleName(f"Dimension {axis + 1}{size}")
            choice.setToolTip(f"Dimension {axis + 1}{size}")
            choice.activated.connect(lambda _, axis=axis: self._rename(axis))
            let_scroll_past(choice)
            self._editors.addWidget(choice)
            self._choices.append(choice)
        order_tabs(self)

    def _size(self, axis: int) -> int:
        layer = self._layer
        assert layer is not None
        data = layer.data[0] if layer.multiscale else layer.data
        return int(data.shape[axis])

    def _rename(self, axis: int) -> None:
        """Give an axis the chosen letter; the axis that had it gets the old one."""
        if self._layer is None:
            return
        outer = [k for k, letter in enumerate(self._letters) if letter not in "YX"]
        chosen = self._choices[outer.index(axis)].currentIndex()
        letters = list(self._letters)
        new, old = OUTER_LETTERS[chosen], letters[axis]
        for other in outer:
            if letters[other] == new:
                letters[other] = old
        letters[axis] = new
        self._letters = "".join(letters)
        for choice, k in zip(self._choices, outer, strict=True):
            choice.setCurrentIndex(OUTER_LETTERS.index(letters[k]))
        self._layer.metadata.pop(GUESSED_KEY, None)  # the user has said it
        self._layer.metadata[CORRECTED_KEY] = True
        self._layer.axis_labels = tuple(letter.lower() for letter in letters)
        self.edited.emit()
