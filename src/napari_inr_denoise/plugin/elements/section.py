"""A section that can be folded."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtGui import QIcon
from qtpy.QtWidgets import QFrame, QSizePolicy, QVBoxLayout, QWidget
from superqt import QCollapsible

from napari_inr_denoise.plugin.elements.style import set_role

_FREE = 2**24 - 1
"""Qt's largest height of a widget."""


class Foldable:
    """A section with a title; what is folded cannot be reached by Tab.

    Parameters
    ----------
    title : str
        On the button that unfolds it.
    content : QWidget
        Widget that is shown while the section is open.
    tip : str
        Tooltip of the button.

    Attributes
    ----------
    native : QCollapsible
        The Qt side.
    """

    def __init__(self, title: str, content: QWidget, tip: str) -> None:
        self._title, self._content = title, content
        self.native = QCollapsible(title, None, QIcon(), QIcon())
        self.native.setDuration(0)
        self.native.setFrameShape(
            QFrame.Shape.NoFrame
        )  # its rows are aligned with others
        self.toggle = self.native.toggleButton()
        self.toggle.setStyleSheet("")  # its own hides the focus
        self.toggle.setToolTip(tip)
        set_role(self.toggle, "title")
        # Its own policy and alignment allow no more than the size hint: texts that
        # wrap need more.
        self.native.setSizePolicy(
            QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred
        )
        outer = self.native.layout()
        inner = QVBoxLayout()
        holder = QWidget()
        holder.setLayout(inner)
        holder.setMaximumHeight(0)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addWidget(content)
        old = self.native.content()
        self.native.setContent(holder)
        old.setParent(None)
        old.deleteLater()
        if outer is not None:
            outer.setContentsMargins(0, 0, 0, 0)
            outer.setSpacing(0)
            outer.setAlignment(Qt.AlignmentFlag(0))
        self.native.toggled.connect(self._follow)
        self._follow(False)

    @property
    def title(self) -> str:
        """The text on the button."""
        return self._title

    @title.setter
    def title(self, text: str) -> None:
        self._title = text
        self._follow(self.unfolded)

    @property
    def unfolded(self) -> bool:
        """Whether the content is shown."""
        return bool(self.native.isExpanded())

    @unfolded.setter
    def unfolded(self, on: bool) -> None:
        if on:
            self.native.expand(animate=False)
        else:
            self.native.collapse(animate=False)

    def _follow(self, unfolded: bool) -> None:
        self._content.setVisible(unfolded)
        # Texts wrap: the height of the content is known only when it is laid out.
        self.native.content().setMaximumHeight(_FREE if unfolded else 0)
        self.toggle.setText(("\u25be " if unfolded else "\u25b8 ") + self._title)
        self.toggle.setAccessibleName(self._title)
