"""Load a page in a browser and print what it finds as JSON: ``browser.py PAGE WIDTH``.

A process of its own, because Qt's browser must be imported before the application is
made.
"""

from __future__ import annotations

import json
import os
import sys

os.environ.setdefault("QTWEBENGINE_CHROMIUM_FLAGS", "--no-sandbox --disable-gpu")

from PyQt6.QtCore import QTimer, QUrl
from PyQt6.QtWebEngineWidgets import QWebEngineView
from PyQt6.QtWidgets import QApplication

_LOOK = """
(() => {
  const names = () => [...document.querySelectorAll("tbody:last-of-type th strong")]
    .map((one) => one.textContent);
  const before = names();
  const heads = [...document.querySelectorAll("table:last-of-type th button")];
  const error = heads.find((one) => one.textContent === "Estimated RMSE");
  error.click();
  const ascending = names();
  error.click();
  return JSON.stringify({
    wide: document.documentElement.scrollWidth, before, ascending,
    descending: names(),
    cards: getComputedStyle(document.querySelector("tbody tr")).display,
    background: getComputedStyle(document.body).backgroundColor,
  });
})()
"""


def main(page: str, width: int, picture: str = "") -> None:
    """Load the page at a width, look at it, and perhaps save a picture."""
    app = QApplication(sys.argv)
    view = QWebEngineView()
    view.resize(width, 900)
    view.show()

    def say(found: str) -> None:
        print(json.dumps(json.loads(found)))  # noqa: T201
        if picture:
            view.grab().save(picture)
        app.quit()

    def look() -> None:
        view.page().runJavaScript(_LOOK, say)

    view.loadFinished.connect(lambda _: QTimer.singleShot(800, look))
    view.load(QUrl.fromLocalFile(page))
    QTimer.singleShot(60_000, app.quit)
    app.exec()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
