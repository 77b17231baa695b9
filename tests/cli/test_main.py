from __future__ import annotations

import csv
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from click.testing import CliRunner

from napari_inr_denoise import DenoiseSettings, read_image
from napari_inr_denoise.cli.main import main
from napari_inr_denoise.core import settings as settings_module
from napari_inr_denoise.core.ensemble.maps import MAPS
from napari_inr_denoise.io.provenance import read_provenance


@pytest.fixture(autouse=True)
def _tiny_presets(monkeypatch: pytest.MonkeyPatch, tiny: DenoiseSettings) -> None:
    """Make every preset quick: these tests are about the commands."""
    for name in settings_module.PRESETS:
        monkeypatch.setitem(settings_module.PRESETS, name, tiny)


def _call(*arguments: object) -> tuple[int, str]:
    outcome = CliRunner().invoke(main, [str(text) for text in arguments])
    return outcome.exit_code, outcome.output


def test_run_writes_result_and_reports(image: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, text = _call("run", image, "--out", out, "--axes", "TYX")
    assert code == 0
    assert "2 planes" in text
    assert read_image(out / "image.inr.ome.tif").axes == "TYX"
    report = json.loads((out / "report.json").read_text())
    assert report["files"][0]["status"] == "done"
    rows = list(csv.DictReader((out / "report.csv").open()))
    assert [row["T"] for row in rows] == ["0", "1"]
    assert float(rows[0]["sigma"]) == report["files"][0]["planes"][0]["sigma"]
    assert "skipped" in _call("run", image, "--out", out, "--axes", "TYX")[1]


def test_run_fits_a_volume_as_one(image: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, _ = _call("run", image, "--out", out, "--axes", "ZYX", "--mode", "volume")
    assert code == 0
    (file,) = json.loads((out / "report.json").read_text())["files"]
    assert [plane["index"] for plane in file["planes"]] == [{}]
    code, text = _call("run", image, "--out", out, "--axes", "TYX", "--mode", "volume")
    assert code == 1
    assert "wanted a Z axis" in text


def test_a_volume_may_be_evaluated_between_its_planes(
    image: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    volume = ("run", image, "--out", out, "--axes", "ZYX", "--mode", "volume")
    code, text = _call(*volume, "--zoom", 2)
    assert code == 0
    assert "was not measured" in text
    finer = read_image(out / "image.inr.interpolated.ome.tif")
    assert finer.data.shape == (2, 48, 48)
    made = read_provenance(out / "image.inr.interpolated.ome.tif")
    assert made is not None
    assert "was not measured" in made["interpolated"]
    assert read_image(out / "image.inr.ome.tif").data.shape == (2, 24, 24)
    assert "skipped" in _call(*volume, "--zoom", 2)[1]
    code, text = _call("run", image, "--out", out, "--isotropic")
    assert code == 2
    assert "wanted 'volume'" in text


def test_run_writes_maps_whose_names_the_help_tells(
    image: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    code, _ = _call("run", image, "--out", out, "--maps", "residual, uncertainty,")
    assert code == 0
    names = {path.name for path in out.glob("*.tif")}
    assert names == {
        "image.inr.ome.tif",
        "image.inr.residual.ome.tif",
        "image.inr.uncertainty.ome.tif",
    }
    assert all(name in _call("run", "--help")[1] for name in MAPS)


def test_a_dry_run_tells_what_it_would_take(image: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.tif").write_bytes(b"nothing")
    out = tmp_path / "out"
    code, text = _call("run", tmp_path, "--out", out, "--axes", "TYX", "--dry-run")
    assert code == 0
    assert "2 planes of 24x24: at most" in text
    assert "bad.tif: would fail: the file could not be read" in text
    assert "All 2 files, one after the other:" in text
    assert not out.exists()
    assert image.exists()


@pytest.mark.usefixtures("image")
def test_run_names_what_failed_and_exits_with_one(tmp_path: Path) -> None:
    (tmp_path / "bad.tif").write_bytes(b"nothing")
    code, text = _call("run", tmp_path, "--out", tmp_path / "out", "--dtype", "same")
    assert code == 1
    assert "bad.tif: FAILED:" in text
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert sorted(file["status"] for file in report["files"]) == ["done", "failed"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "x.tif"], "--out"),
        (["run", "none.tif", "--out", "o"], "no such file"),
        (["run", "none.tif", "--out", "o", "--preset", "finest"], "finest"),
        (["run", "none.tif", "--out", "o", "--device", "tpu"], "device: got 'tpu'"),
        (["run", "none.tif", "--out", "o", "--seed", "-1"], "seed: got -1"),
        (["run", "none.tif", "--out", "o", "--memory", "0.1"], "memory_gb: got 0.1"),
        (["run", "none.tif", "--out", "o", "--maps", "x"], "got 'x', wanted one"),
        (["noise", "none.tif"], "no such file"),
        (["demo", "--device", "cuda:77"], "cuda:77"),
    ],
)
def test_wrong_usage_exits_with_two_and_a_sentence(
    arguments: list[str], words: str
) -> None:
    code, text = _call(*arguments)
    assert code == 2
    assert words in text


def test_noise_prints_json(image: Path) -> None:
    code, text = _call("noise", image, "--axes", "ZYX", "--json")
    assert code == 0
    answer = json.loads(text)
    assert answer["axes"] == "ZYX"
    assert answer["sigma"] == pytest.approx(np.sqrt(30), rel=0.3)
    assert answer["correlated"] is False
    assert [plane["index"] for plane in answer["planes"]] == [{"Z": 0}, {"Z": 1}]


def test_noise_prints_a_table(image: Path) -> None:
    code, text = _call("noise", image, "--axes", "ZYX")
    assert code == 0
    head, words, _, columns, first, second, *_ = text.splitlines()
    assert head.startswith(f"{image}: ZYX, 2 x ")
    assert words.startswith("Noise: sigma ")
    assert columns.split()[:3] == ["plane", "sigma", "gain"]
    assert [line.split()[0] for line in (first, second)] == ["Z0", "Z1"]
    assert max(map(len, (columns, first, second))) <= 80


def test_noise_prints_the_notes_of_the_file(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, rng.poisson(30, (2, 24, 24)).astype(np.uint16))
    _, text = _call("noise", path)
    note = "The file does not say what its axis 0 is; it was taken for Z."
    assert text.splitlines()[1].startswith(f"  {note}")
    (said,) = json.loads(_call("noise", path, "--json")[1])["notes"]
    assert said.startswith(note)
    assert json.loads(_call("noise", path, "--axes", "tyx", "--json")[1])["notes"] == []


def test_noise_offers_one_image() -> None:
    (line,) = [one for one in _call("noise", "-h")[1].splitlines() if "--series" in one]
    assert "all" not in line


def test_info_names_versions_and_the_device() -> None:
    code, text = _call("info")
    assert code == 0
    for word in ("napari-inr-denoise", "torch", "torch will run on", "cpu"):
        assert word in text


def test_demo_writes_its_files(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    code, text = _call("demo", "--out", out)
    assert code == 0
    assert "Noise level" in text
    assert "dB before" in text
    assert "seconds" in text
    names = {"denoised.ome.tif", "comparison.png", "report.json", "report.csv"}
    names.add("noisy.ome.tif")
    assert {file.name for file in out.iterdir()} == names
    assert read_image(out / "denoised.ome.tif").spacing_um == {"Y": 0.1, "X": 0.1}


def test_demo_opens_its_result_in_a_window(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = list[list[str]]()

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        called.append(command)
        return subprocess.CompletedProcess(command, 3)

    monkeypatch.setattr(subprocess, "run", run)
    code, _ = _call("demo", "--gui", "--out", tmp_path)
    assert code == 3  # that of the window
    ((_, option, module, path),) = called
    assert option == "-m"
    assert importlib.util.find_spec(module) is not None
    assert Path(path).is_file()


def test_a_report_that_cannot_be_written_is_said(image: Path, tmp_path: Path) -> None:
    (tmp_path / "out" / "report.json").mkdir(parents=True)
    code, text = _call("run", image, "--out", tmp_path / "out")
    assert code == 1
    assert "The report could not be written" in text
    assert (tmp_path / "out" / "image.inr.ome.tif").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="names are of Unicode elsewhere")
def test_a_name_that_is_no_unicode_is_as_any_other(image: Path, tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for name in (b"caf\xe9", b"tea"):
        shutil.copy(image, folder / os.fsdecode(name + b".tif"))
    for words in ("Noise level", "skipped"):
        code, text = _call("run", folder, "--out", out)
        assert (code, text.count(words)) == (0, 2)
    assert (out / os.fsdecode(b"caf\xe9.inr.ome.tif")).is_file()
    page = (out / "report.html").read_text("utf-8")
    assert 'href="caf%E9.inr.ome.tif"' in page
    assert len((out / "report.csv").read_text("utf-8").splitlines()) == 5


def test_saved_settings_run_unchanged(image: Path, tmp_path: Path) -> None:
    saved = DenoiseSettings(width=16, depth=2, max_steps=20, device="cpu", seed=3)
    file = tmp_path / "settings.json"
    file.write_text(json.dumps(saved.to_dict()))
    command = ["run", image, "--out", tmp_path / "out", "--settings", file]
    assert _call(*command)[0] == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["settings"] == saved.to_dict()
    code, _ = _call(*command, "--seed", 4, "--memory", 2, "--strength", -0.5)
    assert code == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    wanted = {**saved.to_dict(), "seed": 4, "memory_gb": 2.0, "strength": -0.5}
    assert report["settings"] == wanted


@pytest.mark.parametrize(
    ("text", "more", "words"),
    [
        ("{}", ["--preset", "auto"], "replaces --preset"),
        ("[1]", [], "wanted an object with the settings"),
        ("{", [], "settings.json"),
        ('{"width": -1}', [], "width: got -1"),
        ('{"widht": 8}', [], "unknown setting widht"),
        ('{"device": "tpu"}', [], "device: got 'tpu'"),
        ('{"preset": "Auto"}', [], "preset: got 'Auto', wanted one of"),
        ("{}", ["--seed", "-1"], "seed: got -1"),
    ],
)
def test_settings_that_are_wrong_are_wrong_usage(
    image: Path, tmp_path: Path, text: str, more: list[str], words: str
) -> None:
    file = tmp_path / "settings.json"
    file.write_text(text)
    code, said = _call("run", image, "--out", tmp_path, "--settings", file, *more)
    assert code == 2
    assert words in " ".join(said.split())


def test_workers_without_dask_are_told_what_to_install(
    image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(
        sys.modules, "napari_inr_denoise.batch.dask_cluster", raising=False
    )
    monkeypatch.delattr("napari_inr_denoise.batch.dask_cluster", raising=False)
    monkeypatch.setitem(sys.modules, "dask", None)
    code, text = _call("run", image, "--out", tmp_path, "--workers", 2)
    assert code == 2
    assert 'pip install "napari-inr-denoise[distributed]"' in text


def test_a_run_in_this_process_loads_no_cluster(image: Path, tmp_path: Path) -> None:
    program = (
        "import sys; from napari_inr_denoise.cli.main import main\n"
        f"try: main(['run', {str(image)!r}, '--out', {str(tmp_path / 'o')!r},"
        " '--axes', 'XX'])\n"
        "except SystemExit: pass\n"
        "assert 'distributed' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def test_images_are_chosen_and_incomplete_ones_accepted(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    out = tmp_path / "out"
    path = tmp_path / "a.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as writer:
        for side, name in ((24, "left"), (25, "right")):
            plane = rng.poisson(50, (side, side)).astype(np.uint16)
            writer.write(plane, metadata={"Name": name})
    code, text = _call("run", path, "--out", out)
    assert code == 0
    assert "only the first was read (left)" in text
    code, text = _call("run", path, "--out", out, "--series", "right")
    assert code == 0
    assert f"{path} [right] -> " in text
    assert read_image(out / "a.right.inr.ome.tif").data.shape == (25, 25)
    assert json.loads(_call("noise", path, "--series", 1, "--json")[1])["shape"] == [
        25,
        25,
    ]
    assert _call("noise", path, "--series", "up")[0] == 2
    stack = rng.poisson(50, (3, 24, 24)).astype(np.uint16)
    cut = tmp_path / "cut.tif"
    tifffile.imwrite(cut, stack, imagej=True, metadata={"axes": "ZYX"})
    cut.write_bytes(cut.read_bytes()[:-900])
    code, text = _call("run", cut, "--out", out)
    assert code == 1
    assert "planes missing or cut short: 1 of 3" in text
    for mode in ("plane", "volume"):
        given = ("--incomplete", "--mode", mode, "--overwrite")
        code, text = _call("run", cut, "--out", out, *given)
        assert code == 0
        assert "The image is incomplete" in text
        values = read_image(out / "cut.inr.ome.tif").data
        assert np.isnan(values).all(axis=(1, 2)).tolist() == [False, False, True]
    (_, file) = _call("noise", cut, "--incomplete", "--json")
    assert len(json.loads(file)["planes"]) == 3
