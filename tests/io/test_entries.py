"""Several images in one file or set: names, the main one, the choice."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from unicodedata import normalize

import numpy as np
import pytest
import tifffile

from napari_inr_denoise import list_images, read_image, read_images
from napari_inr_denoise.io.entries import unique_names
from napari_inr_denoise.io.image_set import images_by_file
from tests.file_sets import write_positions, write_set


def _mean(path: Path, series: str | int | None = None) -> int:
    return round(float(read_image(path, series=series).data.mean()), -2)


@pytest.fixture
def several(tmp_path: Path) -> Path:
    """Images of 1, 2 and 3, and a label of 9."""
    path = tmp_path / "a.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as writer:
        for value, name in ((9, "label image"), (1, "A"), (2, "B"), (3, "B")):
            plane = np.full((16, 10 + value), value, np.uint16)
            writer.write(plane, metadata={"Name": name})
    return path


def test_a_renamed_file_holds_its_own_position(tmp_path: Path) -> None:
    for number, path in enumerate(write_positions(tmp_path, 2)):
        renamed = path.rename(tmp_path / f"renamed{number}.ome.tif")
        assert _mean(renamed) == 100 * (number + 1)


def test_a_file_whose_name_another_one_got_holds_its_own_position(
    tmp_path: Path,
) -> None:
    """With a UUID in the file, and without."""
    first, second = write_positions(tmp_path, 2)
    first.rename(tmp_path / "x")
    second.rename(first)
    (tmp_path / "x").rename(second)
    assert (_mean(first), _mean(second)) == (200, 100)
    assert read_image(first).name == "Pos1"
    with pytest.raises(ValueError, match="under another name"):
        read_image(first, series="Pos0")
    (plain,) = write_positions(tmp_path, 1)
    plain.write_bytes(plain.read_bytes().replace(b' UUID="urn:uuid:0"', b" " * 18))
    renamed = plain.rename(tmp_path / "renamed.ome.tif")
    tifffile.imwrite(plain, np.full((16, 16), 900, np.uint16))
    assert _mean(renamed) == 100


@pytest.mark.parametrize("name", ["C:\\data\\p0.ome.tif", "./p0.ome.tif"])
def test_a_path_of_the_file_itself_is_not_followed(tmp_path: Path, name: str) -> None:
    (path,) = write_positions(tmp_path, 1, named=[name])
    assert _mean(path) == 100


@pytest.mark.parametrize("described_in_first", [False, True])
def test_a_position_is_read_from_its_own_file(
    tmp_path: Path, described_in_first: bool
) -> None:
    paths = write_positions(tmp_path, 3, described_in_first=described_in_first)
    for number, path in enumerate(paths):
        record = read_image(path)
        assert _mean(path) == 100 * (number + 1)
        assert record.name == f"Pos{number}"
        assert record.series == ("Pos0", "Pos1", "Pos2")
        assert record.spacing_um == {"X": (number + 1) / 10}
        assert record.notes == ()
        assert _mean(paths[0], number) == _mean(path, f"Pos{number}")


def test_the_main_image_is_read_and_the_others_are_named(several: Path) -> None:
    record = read_image(several)
    assert (record.name, int(record.data[0, 0])) == ("A", 1)
    (note,) = record.notes
    assert "holds 4 images; only number 1 was read (A)" in note
    assert (
        'number 0, "label image" (label); number 2, "B (2)"; number 3, "B (3)"' in note
    )
    assert "--series" in note
    assert [entry.name for entry in list_images(several)] == ["A", "B (2)", "B (3)"]


def test_any_image_can_be_chosen(several: Path) -> None:
    for series, value in (("A", 1), ("B (3)", 3), (2, 2), ("0", 9), ("label image", 9)):
        record = read_image(several, series=series)
        assert int(record.data[0, 0]) == value
        assert record.notes == ()
    assert [int(r.data[0, 0]) for r in read_images(several)] == [1, 2, 3]
    assert [int(r.data[0, 0]) for r in read_images(several, series="A")] == [1]
    with pytest.raises(ValueError, match=r'wanted the name or number .* number 1, "A"'):
        read_image(several, series="C")


def test_a_lazy_image_is_the_chosen_one_in_another_process(several: Path) -> None:
    import pickle

    lazy = read_image(several, series="B (2)", lazy=True).data
    assert int(pickle.loads(pickle.dumps(lazy))[0, 0]) == 2


def test_a_reduced_page_is_no_main_image(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as writer:
        writer.write(np.zeros((4, 4), np.uint8), subfiletype=1, metadata=None)
        writer.write(np.ones((8, 8), np.uint8), metadata=None)
    assert read_image(path).data.tolist() == np.ones((8, 8)).tolist()
    assert [entry.number for entry in list_images(path)] == [1]


def test_wells_name_images_without_a_name(tmp_path: Path) -> None:
    pixels = (
        '<Pixels ID="Pixels:{0}" DimensionOrder="XYCZT" Type="uint8" SizeX="4" '
        'SizeY="4" SizeZ="1" SizeC="1" SizeT="1"><TiffData IFD="{0}" PlaneCount="1"/>'
        "</Pixels>"
    )
    images = "".join(
        f'<Image ID="Image:{k}">{pixels.format(k)}</Image>' for k in range(2)
    )
    samples = "".join(
        f'<WellSample ID="S:{k}" Index="{k}"><ImageRef ID="Image:{k}"/></WellSample>'
        for k in range(2)
    )
    plate = f'<Plate ID="P"><Well ID="W" Row="27" Column="2">{samples}</Well></Plate>'
    xml = f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">{plate}'
    path = tmp_path / "a.ome.tif"
    with tifffile.TiffWriter(path) as writer:
        for k in range(2):
            text = f"{xml}{images}</OME>" if k == 0 else None
            plane = np.full((4, 4), k, np.uint8)
            writer.write(plane, description=text, metadata=None, contiguous=False)
    names = [entry.name for entry in list_images(path)]
    assert names == ["AB03 field 0", "AB03 field 1"]
    assert read_image(path, series="AB03 field 1").data.max() == 1


def test_names_are_unique() -> None:
    assert unique_names(["a", "", "b", "b"]) == ["a", "image 1", "b (2)", "b (3)"]
    assert unique_names(["b", "b"], ["A01", "A02"]) == ["A01", "A02"]


def test_an_image_of_which_no_page_is_left_is_not_another_one(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.tif"
    image = (
        '<Image ID="Image:{0}"><Pixels ID="Pixels:{0}" DimensionOrder="XYCZT" '
        'Type="uint8" SizeX="4" SizeY="4" SizeZ="1" SizeC="1" SizeT="1">'
        '<TiffData IFD="{0}" PlaneCount="1"/></Pixels></Image>'
    )
    xml = '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
    xml += image.format(0) + image.format(1) + "</OME>"
    plane = np.ones((4, 4), np.uint8)
    tifffile.imwrite(path, plane, description=xml, metadata=None)
    assert read_image(path).data.max() == 1
    for incomplete in (False, True):
        with pytest.raises(ValueError, match="found no plane of the image image 1"):
            read_image(path, series=1, incomplete=incomplete)


@pytest.mark.parametrize(("stated", "here"), [("NFC", "NFD"), ("NFD", "NFC")])
@pytest.mark.parametrize("described_in", [None, 0, "d\u00e9.companion.ome"])
def test_names_in_another_unicode_form_are_the_same(
    tmp_path: Path,
    stated: Literal["NFC", "NFD"],
    here: Literal["NFC", "NFD"],
    described_in: str | int | None,
) -> None:
    names = [normalize(stated, f"pr\u00e9p {k}.ome.tif") for k in range(3)]
    describes = names[0] if described_in == 0 else described_in
    write_set(tmp_path, names, None if describes is None else str(describes))
    for path in list(tmp_path.iterdir()):
        path.rename(path.with_name(normalize(here, path.name)))
    found = images_by_file(sorted(tmp_path.iterdir()))
    assert sum(len(images.entries) for images in found.values()) == 1
    for path in found:
        record = read_image(path, series=0)
        assert record.data[:, 0, 0].tolist() == [0, 1, 2]
        assert record.notes == ()
