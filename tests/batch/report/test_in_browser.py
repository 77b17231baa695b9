"""report.html in a real browser: it sorts by its numbers, and a phone can show it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from napari_inr_denoise import DenoiseSettings
from napari_inr_denoise.batch.report.page import page
from napari_inr_denoise.core.report.report import DenoiseReport, FileReport
from tests.batch.example_report import FILE, PLANE

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --window-size=1400,1000 --dump-dom"
)
WIDE, PHONE = 1300, 390
# The page allows no script but its own, so that a page around it looks into it.
AROUND = """<!doctype html><meta charset="utf-8">
<iframe width="{width}" height="900" style="border: 0" srcdoc="{page}"></iframe>
<pre></pre>
<script>
addEventListener("load", () => {{
  const shown = document.querySelector("iframe").contentDocument;
  const names = () => [...shown.querySelectorAll("tbody:last-of-type th strong")]
    .map((one) => one.textContent);
  const heads = [...shown.querySelectorAll("table:last-of-type th button")];
  const error = heads.find((one) => one.textContent === "Estimated RMSE");
  const orders = [names()];
  for (let k = 0; k < 2; k++) {{ error.click(); orders.push(names()); }}
  const row = shown.querySelector("tbody tr");
  document.querySelector("pre").textContent = JSON.stringify({{
    orders, width: shown.documentElement.scrollWidth,
    row: shown.defaultView.getComputedStyle(row).display,
  }});
}});
</script>
"""


class _Found(HTMLParser):
    """Reads what the page around the report has found."""

    text = ""

    def handle_data(self, data: str) -> None:
        if self.lasttag == "pre":
            self.text += data


def _seen(folder: Path, width: int) -> dict[str, Any]:
    """Show a report of three files in a window of some width."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        assert not os.environ.get("INR_DENOISE_REQUIRE_WINDOW"), "no browser was found"
        pytest.skip(f"none of {', '.join(BROWSERS)} is installed")
    files = [_file(error) for error in (9.5, 10.25, 3.0)]
    files.append(FileReport("in/bad.tif", status="failed", error="in/bad.tif: broken"))
    text = page(DenoiseReport("1.0", DenoiseSettings(), tuple(files)), [None] * 4)
    place = folder / "around.html"
    place.write_text(AROUND.format(width=width, page=escape(text)), encoding="utf-8")
    command = [browser, *FLAGS.split(), f"--user-data-dir={folder / 'user'}"]
    command.append(place.as_uri())
    ended = subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=120
    )
    parser = _Found()
    parser.feed(ended.stdout)
    assert parser.text.strip(), ended.stderr[-2000:]
    found: dict[str, Any] = json.loads(parser.text)
    return found


def _file(error: float) -> FileReport:
    quality = replace(PLANE.quality, held_out_error=error)
    name = f"in/a picture with a long name, of an error of {error}.tif"
    return replace(FILE, source=name, planes=(replace(PLANE, quality=quality),))


def test_a_click_sorts_by_the_numbers(tmp_path: Path) -> None:
    found = _seen(tmp_path, WIDE)
    before, once, twice = (_errors(names) for names in found["orders"])
    assert sorted(before) == [3.0, 9.5, 10.25]
    assert once in ([3.0, 9.5, 10.25], [10.25, 9.5, 3.0])
    assert twice == once[::-1]
    assert found["row"] == "table-row"
    assert found["width"] <= WIDE


def test_a_phone_shows_the_numbers_as_cards(tmp_path: Path) -> None:
    found = _seen(tmp_path, PHONE)
    assert found["row"] == "grid"
    assert found["width"] <= PHONE


def _errors(names: list[str]) -> list[float]:
    """Return the errors of the files that did not fail, in their order."""
    found = (re.search(r"an error of ([0-9.]+)\.tif|$", name) for name in names)
    return [float(one[1]) for one in found if one and one[1]]
