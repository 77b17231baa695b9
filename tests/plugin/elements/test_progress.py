"""The bar of a run is drawn with the rest of the window."""

from __future__ import annotations

import pytest
from qtpy.QtGui import QPaintEvent

from napari_inr_denoise.plugin.elements.progress import ShareBar
from tests.conftest import wait_until

pytestmark = pytest.mark.window


class _Counted(ShareBar):
    times = 0

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        self.times += 1
        super().paintEvent(event)


@pytest.mark.usefixtures("viewer")
def test_a_share_is_not_drawn_at_once() -> None:
    bar = _Counted()
    bar.show()
    wait_until(lambda: bar.times > 0)
    before = bar.times
    for share in (0.2, 0.4, 0.6):
        bar.show_share(share)
    assert bar.times == before
    wait_until(lambda: bar.times > before)
    assert bar.value() == round(0.6 * bar.maximum())
    bar.close()
