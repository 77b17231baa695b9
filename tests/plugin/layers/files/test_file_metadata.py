"""What a file states, and a layer has no field for, survives the viewer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from napari.components import ViewerModel
from npe2 import PluginManager
from ome_types import OME, from_tiff

from napari_inr_denoise import read_image
from napari_inr_denoise.io.ome_zarr.ngff_reader import ngff_metadata
from napari_inr_denoise.io.record import ImageRecord
from napari_inr_denoise.plugin.layers.files.to_record import (
    channels_record,
    layer_record,
)
from napari_inr_denoise.plugin.open_files import add_files
from napari_inr_denoise.plugin.reader import record_layers

NAME = "napari-inr-denoise"
PLANES = "".join(
    f'<Plane TheZ="{z}" TheC="{c}" TheT="0" DeltaT="{10 * z + c}"/>'
    for c in range(2)
    for z in range(3)
)
XML = f"""<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">
<Instrument ID="Instrument:0"><Objective ID="Objective:0" LensNA="1.4"/></Instrument>
<Image ID="Image:0"><InstrumentRef ID="Instrument:0"/>
<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16"
 SizeX="6" SizeY="5" SizeC="2" SizeZ="3" SizeT="1">
<Channel ID="Channel:0:0" Name="a" EmissionWavelength="461"/>
<Channel ID="Channel:0:1" Name="b" EmissionWavelength="525"/>
<TiffData/>{PLANES}</Pixels></Image></OME>"""


@pytest.fixture
def viewer(tmp_path: Path) -> ViewerModel:
    """A viewer with two channels of a stack that OME-XML describes."""
    PluginManager.instance().discover()
    values = np.arange(180, dtype=np.uint16).reshape(2, 3, 5, 6)
    form = {"metadata": None, "photometric": "minisblack"}
    tifffile.imwrite(tmp_path / "a.ome.tif", values, description=XML, **form)
    viewer = ViewerModel()
    viewer.open(tmp_path / "a.ome.tif", plugin=NAME)
    return viewer


def _saved(path: Path, layers: list[Any]) -> OME:
    chosen = ViewerModel()
    for layer in layers:
        chosen.add_layer(layer)
    chosen.layers.save(str(path), plugin=NAME)
    return from_tiff(path)


def _told(ome: OME) -> tuple[list[float | None], dict[Any, Any]]:
    pixels = ome.images[0].pixels
    times = {(p.the_c, p.the_z): p.delta_t for p in pixels.planes}
    return [channel.emission_wavelength for channel in pixels.channels], times


def test_all_channels_keep_instrument_wavelengths_and_times(
    viewer: ViewerModel, tmp_path: Path
) -> None:
    ome = _saved(tmp_path / "b.ome.tif", list(viewer.layers))
    assert ome.instruments[0].objectives[0].lens_na == 1.4
    wavelengths, times = _told(ome)
    assert wavelengths == [461, 525]
    assert times == {(c, z): 10 * z + c for c in range(2) for z in range(3)}


def test_one_channel_keeps_its_own(viewer: ViewerModel, tmp_path: Path) -> None:
    wavelengths, times = _told(_saved(tmp_path / "b.ome.tif", [viewer.layers[1]]))
    assert wavelengths == [525]
    assert times == {(0, z): 10 * z + 1 for z in range(3)}


def test_channels_in_another_order(viewer: ViewerModel, tmp_path: Path) -> None:
    ome = _saved(tmp_path / "b.ome.tif", list(viewer.layers)[::-1])
    wavelengths, times = _told(ome)
    assert wavelengths == [525, 461]
    assert times[0, 2] == 21
    assert [c.name for c in ome.images[0].pixels.channels] == ["b", "a"]


def test_a_channel_beside_itself_has_nothing_of_another(
    viewer: ViewerModel, tmp_path: Path
) -> None:
    first = viewer.layers[0]
    twin = ViewerModel().add_image(np.array(first.data), metadata=first.metadata)
    wavelengths, times = _told(_saved(tmp_path / "b.ome.tif", [first, twin]))
    assert wavelengths == [None, None]
    assert times == {}


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("numbers", [[1], [1, 0], [1, 1]])
def test_channels_of_a_zarr_keep_their_own(version: str, numbers: list[int]) -> None:
    waves = [{"emissionWavelength": 461}, {"emissionWavelength": 525}]
    omero = {"omero": {"channels": waves}}
    data = np.zeros((2, 5, 6), np.uint16)
    record = ImageRecord(
        data,
        "CYX",
        attributes=omero if version == "0.4" else {"ome": omero},
        ngff_version=version,
    )
    layers = record_layers(record, "a")
    chosen = [(layers[number][0], layers[number][1]) for number in numbers]
    found = channels_record(chosen) if len(chosen) > 1 else layer_record(*chosen[0])
    left = ngff_metadata(found.attributes)["omero"]["channels"]
    assert left == [waves[number] for number in dict.fromkeys(numbers)]
    assert ngff_metadata(record.attributes)["omero"]["channels"] == waves


def test_an_inverted_table_is_no_black_channel() -> None:
    data = np.zeros((5, 6), np.uint8)
    record = layer_record(data, {"name": "a", "colormap": "gray_r"})
    assert record.channel_colours == ("",)
    assert len(record.luts) == 1


@pytest.mark.parametrize("cut", [False, True])
def test_rois_are_kept_where_all_of_a_plane_is(tmp_path: Path, cut: bool) -> None:
    PluginManager.instance().discover()
    path = tmp_path / "a.tif"
    values = np.zeros((3, 5, 6), np.uint16)
    metadata = {"ROI": b"Iout" + bytes(60), "Info": "from the scope", "axes": "ZYX"}
    tifffile.imwrite(path, values, imagej=True, metadata=metadata)
    own = read_image(path).attributes
    assert set(own["ImageJ"]) >= {"ROI", "Info"}
    viewer: Any = ViewerModel()
    add_files(viewer, [str(path)])
    (layer,) = viewer.layers
    if cut:
        layer.data = layer.data[:, 1:]
    viewer.layers.save(str(tmp_path / "b.ome.tif"), plugin=NAME)
    assert read_image(tmp_path / "b.ome.tif").attributes == ({} if cut else own)
