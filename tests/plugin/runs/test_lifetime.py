"""Work ends with its widget, also where both are collected at once."""

from __future__ import annotations

import gc
import sys
import weakref
from typing import Any

import pytest
from qtpy.QtWidgets import QWidget

from napari_inr_denoise.plugin.runs.lifetime import Lifetime

pytestmark = pytest.mark.window


class _Widget:
    """Can be taken apart by the garbage collector alone, the Qt side last."""

    def __init__(self) -> None:
        self.native = QWidget()
        self.lifetime = Lifetime(self.native)
        self.last = [self.native, self]


@pytest.mark.usefixtures("viewer")
def test_it_is_whole_until_the_widget_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    raised: list[Any] = []
    monkeypatch.setattr(sys, "excepthook", lambda *error: raised.append(error))
    made = _Widget()
    lifetime = weakref.ref(made.lifetime)
    del made
    gc.collect()
    assert raised == []
    gc.collect()
    assert lifetime() is None
