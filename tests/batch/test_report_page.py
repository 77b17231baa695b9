from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_inr_denoise import DenoiseSettings
from napari_inr_denoise.batch.one_file import JobReport
from napari_inr_denoise.batch.outliers import oddities_of, unusual_ratios, worst_plane
from napari_inr_denoise.batch.report_page import page
from napari_inr_denoise.batch.report_writer import ReportWriter
from napari_inr_denoise.batch.thumbnails import SIDE, Shown, Thumbnails, thumbnails
from napari_inr_denoise.core.report import DenoiseReport, FileReport, PlaneReport

HOSTILE = "</td><script>alert('1')</script>\"' & ${about} <img src=http://x/y>.tif"
PLANE = PlaneReport(
    index={},
    sigma=10.0,
    correlated=False,
    isolated_pixels=0,
    residual_rms=9.5,
    steps=100,
    reason="trained",
    mean_before=200.0,
    mean_after=200.1,
    held_out_error=3.0,
    verdict="noise_only",
)
FILE = FileReport(
    "in/good.tif",
    "out/good.inr.ome.tif",
    shape=(8, 9),
    axes="YX",
    dtype="uint16",
    seconds=70.0,
    planes=(PLANE,),
)


class _Page(HTMLParser):
    """Collects what a browser would load, run or show."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [v or "" for k, v in attrs if k in {"src", "href", "style"}]

    def handle_data(self, data: str) -> None:
        self.text += data


def _page(*files: FileReport, picture: Thumbnails | None = None) -> str:
    report = DenoiseReport("1.0", DenoiseSettings(), files)
    return page(report, [picture] * len(files))


def test_what_stands_out_comes_first() -> None:
    odd = replace(PLANE, residual_rms=14.0, verdict="structure_removed")
    text = _Page(
        _page(
            replace(FILE, source="in/plain.tif"),
            replace(FILE, source="in/odd.tif", planes=(PLANE, odd)),
            FileReport("in/bad.tif", status="failed", error="in/bad.tif: it is broken"),
        )
    ).text
    places = [text.index(f"{name}.tif") for name in ("bad", "odd", "plain")]
    assert places == sorted(places)
    assert text.index("Look at these first") < places[0]
    assert places[1] < text.index("Nothing stands out") < places[2]
    assert "3 files: 2 denoised, 1 failed, 1 to look at" in text
    assert "What was removed is 1.40 times the noise." in text
    assert "Failed. it is broken" in text


def test_hostile_names_are_text_and_nothing_is_loaded() -> None:
    picture = Thumbnails(b"png", b"png", HOSTILE)
    failed = FileReport(HOSTILE, status="failed", error=HOSTILE)
    found = _Page(_page(replace(FILE, source=HOSTILE), failed, picture=picture))
    assert "script" not in found.tags
    assert found.tags.count("img") == 2
    assert all(a.startswith("data:image/png;base64,") for a in found.addresses)
    assert HOSTILE.rpartition("/")[2] in found.text


def test_a_page_of_a_thousand_files_is_small_enough() -> None:
    noise = np.random.default_rng(0).normal(size=(SIDE, SIDE))
    shown = Shown(noise, "YX")
    picture = thumbnails(shown, shown, FILE)
    assert picture is not None
    assert len(_page(*[FILE] * 1000, picture=picture)) < 30e6
    assert "No files" in _page()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"reason": "non_finite"}, "unstable"),
        ({"reason": "no_noise", "sigma": 0.0}, "No noise"),
        ({"verdict": "structure_removed"}, "more than noise"),
        ({"mean_after": 190.0}, "changed by -5.0%"),
        ({"residual_rms": 15.0}, "1.50 times the noise"),
    ],
)
def test_a_plane_stands_out_by_itself(changes: dict[str, object], words: str) -> None:
    assert oddities_of(PLANE) == []
    plane = replace(PLANE, **changes)  # type: ignore[arg-type]
    assert any(words in one.words for one in oddities_of(plane))
    assert worst_plane(replace(FILE, planes=(PLANE, PLANE, plane))) == 2
    assert worst_plane(replace(FILE, planes=(PLANE,) * 3)) == 1


def test_a_file_stands_out_among_many() -> None:
    files = [
        replace(FILE, planes=(replace(PLANE, residual_rms=9.5 + k / 100),))
        for k in range(9)
    ]
    assert unusual_ratios(files) == {}
    low = replace(FILE, planes=(replace(PLANE, residual_rms=5.0),))
    found = unusual_ratios([*files, low])
    assert list(found) == [9]
    assert "0.50 x noise, where 0.95 is usual" in found[9].words
    assert unusual_ratios([low]) == {}


def test_thumbnails_show_the_same_part_of_the_odd_plane(tmp_path: Path) -> None:
    noisy = np.zeros((2, 3, 200, 300), np.uint16)
    noisy[1, 2, 100:190, 200:280] = 1000
    odd = replace(PLANE, index={"C": 1, "Z": 2}, reason="non_finite")
    file = replace(FILE, planes=(replace(PLANE, index={"C": 0, "Z": 0}), odd))
    moved = Shown(np.moveaxis(noisy, 0, 1).astype(np.float32), "ZCYX")
    found = thumbnails(Shown(noisy, "CZYX"), moved, file)
    assert found is not None
    assert found.place == "C 1, Z 2, from x 192, y 96"
    assert found.before == found.after
    (tmp_path / "x.png").write_bytes(found.before)
    picture = np.asarray(Image.open(tmp_path / "x.png"))
    assert picture.shape == (SIDE, SIDE)
    assert picture[50, 50] > 200
    assert picture[1, 1] < 50


def test_colours_stay_colours_and_small_images_small() -> None:
    rgb = Shown(np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3), "YXS")
    found = thumbnails(rgb, rgb, FILE)
    assert found is not None
    assert b"IHDR\x00\x00\x00\x07\x00\x00\x00\x05\x08\x02" in found.before


def test_reports_are_in_the_order_of_the_files_and_whole_at_the_end(
    tmp_path: Path,
) -> None:
    writer = ReportWriter(tmp_path, DenoiseSettings())
    for number in (2, 0, 1):
        writer.add(number, JobReport(replace(FILE, source=f"{number}.tif")))
    assert writer.close() == ""
    text = (tmp_path / "report.html").read_text("utf-8")
    places = [text.index(f"{number}.tif") for number in range(3)]
    assert places == sorted(places)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"report.csv", "report.html", "report.json"}
