from __future__ import annotations

import sys
from pathlib import Path

import npe2
import pytest
from npe2 import PluginManifest

import napari_inr_denoise

NAME = "napari-inr-denoise"


@pytest.fixture(scope="module")
def manifest() -> PluginManifest:
    return PluginManifest.from_distribution(NAME)


def test_it_is_found_valid_and_every_command_can_be_loaded(
    manifest: PluginManifest,
) -> None:
    manifest.validate_imports()
    assert manifest.name == NAME


def test_it_contributes_the_promised(manifest: PluginManifest) -> None:
    contributions = manifest.contributions
    widgets = [w.display_name for w in contributions.widgets or []]
    assert widgets == ["INR Denoise"]
    assert len(contributions.sample_data or []) == 3
    menus = contributions.menus
    assert menus["napari/layers/filter"][0].submenu == f"{NAME}.filter"
    assert menus[f"{NAME}.filter"][0].command == f"{NAME}.open_widget"
    assert menus["napari/file/io_utilities"][0].command == f"{NAME}.open_tiff"


def test_the_reader_claims_what_is_written_here_and_what_napari_does_not_read(
    manifest: PluginManifest,
) -> None:
    (reader,) = manifest.contributions.readers or []
    own, vendors = ["*.inr.tif", "*.ome.tif", "*.ome.tiff"], ["*.czi", "*.lif", "*.nd2"]
    assert reader.filename_patterns == own + vendors
    assert reader.accepts_directories


def test_the_link_at_the_top_names_the_manifest_in_the_package() -> None:
    top = Path(__file__).parents[2] / "napari.yaml"
    inside = Path(napari_inr_denoise.__file__).parent / "napari.yaml"
    # A checkout without symbolic links holds the target's name instead.
    text = top.read_text()
    assert text in (inside.read_text(), "src/napari_inr_denoise/napari.yaml")


@pytest.mark.parametrize("name", ["a.czi", "b.LIF", "c.nd2"])
def test_napari_is_told_which_extra_reads_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for library in ("czifile", "liffile", "nd2"):
        monkeypatch.setitem(sys.modules, library, None)
    (tmp_path / name).touch()
    npe2.PluginManager.instance().discover()
    with pytest.raises(ImportError, match=r"pip install .*\[formats\]"):
        npe2.read([str(tmp_path / name)], stack=False)


def test_napari_reads_results_with_it(tmp_path: Path) -> None:
    import numpy as np

    from napari_inr_denoise import write_image
    from napari_inr_denoise.io.record import ImageRecord

    path = tmp_path / "a.inr.ome.tif"
    record = ImageRecord(np.zeros((4, 5), np.float32), "YX", {"Y": 0.2, "X": 0.1})
    write_image(path, record)
    npe2.PluginManager.instance().discover()
    ((_, keywords, kind),) = npe2.read([str(path)], stack=False, plugin_name=NAME)
    assert kind == "image"
    assert keywords["scale"] == (0.2, 0.1)
