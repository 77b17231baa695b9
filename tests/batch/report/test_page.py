from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import numpy as np

from napari_inr_denoise import DenoiseSettings
from napari_inr_denoise.batch.report.page import page
from napari_inr_denoise.batch.report.thumbnails import (
    SIDE,
    AxesImage,
    Thumbnails,
    thumbnails,
)
from napari_inr_denoise.core.report.report import DenoiseReport, FileReport
from tests.batch.example_report import FILE, PLANE

HOSTILE = "</td><script>alert('1')</script>\"' & ${about} {{ about }} <img src=http://x/y>.tif"


class _Page(HTMLParser):
    """Collects what a browser would load, run or show."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.text = self.script = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [v or "" for k, v in attrs if k in {"src", "href", "style"}]

    def handle_data(self, data: str) -> None:
        if self.lasttag == "script":
            self.script += data
        else:
            self.text += data


def _page(*files: FileReport, picture: Thumbnails | None = None) -> str:
    report = DenoiseReport("1.0", DenoiseSettings(), files)
    return page(report, [picture] * len(files))


def test_what_stands_out_comes_first() -> None:
    quality = replace(PLANE.quality, verdict="structure_removed")
    odd = replace(PLANE, residual_rms=14.0, quality=quality)
    text = _Page(
        _page(
            replace(FILE, source="in/plain.tif"),
            replace(FILE, source="in/odd.tif", planes=(PLANE, odd)),
            FileReport("in/bad.tif", status="failed", error="in/bad.tif: it is broken"),
        )
    ).text
    places = [text.index(f"{name}.tif") for name in ("bad", "odd", "plain")]
    assert places == sorted(places)
    assert text.index("To review") < places[0]
    assert places[1] < text.index("No issues found") < places[2]
    assert "3 files: 2 denoised, 1 failed, 1 to review" in text
    assert "Residual 1.40 times the noise." in text
    assert "Failed. it is broken" in text


def test_a_result_of_a_layer_with_another_strength() -> None:
    note = "The strength was set to 0.5 after the fit."
    settings = DenoiseSettings(strength=0.5)
    plane = replace(PLANE, mean_before=100.0, mean_after=99.9999)
    file = replace(FILE, source="cells", notes=(note,), planes=(plane,))
    found = _Page(page(DenoiseReport("1.0", settings, (file,)), [None]))
    assert "1 file: 1 denoised" in found.text
    assert "strength +0.5" in found.text
    assert note in found.text
    assert "+0.00%" in found.text
    assert "cells." not in found.text


def test_hostile_names_are_text_and_nothing_is_loaded() -> None:
    picture = Thumbnails(b"png", b"png", HOSTILE)
    failed = FileReport(HOSTILE, status="failed", error=HOSTILE)
    found = _Page(_page(replace(FILE, source=HOSTILE), failed, picture=picture))
    assert found.tags.count("script") == 1  # the page's own
    assert "alert" not in found.script
    assert found.tags.count("img") == 2
    assert all(a.startswith("data:image/png;base64,") for a in found.addresses)
    assert HOSTILE.rpartition("/")[2] in found.text


def test_a_page_of_a_thousand_files_is_small_enough() -> None:
    noise = np.random.default_rng(0).normal(size=(SIDE, SIDE))
    shown = AxesImage(noise, "YX")
    picture = thumbnails(shown, shown, FILE)
    assert picture is not None
    assert len(_page(*[FILE] * 1000, picture=picture)) < 30e6
    assert "No files" in _page()


def test_results_are_linked_from_the_page(tmp_path: Path) -> None:
    out = tmp_path / "out" / "be low" / "good.inr.ome.tif"
    report = DenoiseReport("1.0", DenoiseSettings(), (replace(FILE, output=str(out)),))
    found = _Page(page(report, [None], tmp_path / "out"))
    assert found.addresses == ["be%20low/good.inr.ome.tif"]
    assert _Page(page(report, [None])).addresses == []


def test_the_only_script_that_may_run_is_the_page_s_own() -> None:
    text = _page(FILE)
    script = text.partition("<script>")[2].partition("</script>")[0]
    digest = b64encode(sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text


def test_numbers_can_be_sorted_and_are_labelled_on_narrow_screens() -> None:
    text = _page(FILE)
    assert 'data-label="Estimated RMSE" data-key="3.0"' in text
    assert 'data-label="Time" data-key="70.0"' in text
    assert text.count("<button") == 6


def test_the_page_says_where_the_published_stop_rule_differs() -> None:
    agreeing = replace(PLANE, steps=200, noise_level_step=190, stop_rules="agree")
    assert "published stop" not in _page(replace(FILE, planes=(agreeing,)))
    earlier = replace(agreeing, noise_level_step=35, stop_rules="published_earlier")
    text = _page(replace(FILE, planes=(earlier,)))
    assert "published stop: " not in text
    assert "after 35 of 200 steps" in text
    later = replace(agreeing, noise_level_step=None, stop_rules="published_later")
    assert "would have gone on" in _page(replace(FILE, planes=(later,)))
