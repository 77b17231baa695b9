"""Short facts on a result, without Qt."""

from __future__ import annotations

from dataclasses import dataclass

_SIGNS = {"good": "\u2713 ", "warning": "\u26a0 ", "chip": ""}


@dataclass(frozen=True)
class Chip:
    """A fact: its words, a sentence as tooltip, and "good", "warning" or "chip"."""

    text: str
    tip: str = ""
    kind: str = "chip"

    @property
    def shown(self) -> str:
        """The words with a sign: a colour alone does not tell."""
        return _SIGNS[self.kind] + self.text
