from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from napari_inr_denoise.io.read import read_image
from napari_inr_denoise.io.tiff.lazy import TiffArray

LAYOUTS: dict[str, dict[str, Any]] = {
    "contiguous": {},
    "big-endian": {"byteorder": ">"},
    "strips": {"compression": "zlib", "rowsperstrip": 7},
    "one strip": {"compression": "zlib", "rowsperstrip": 10**6},
    "tiles": {"tile": (32, 48), "compression": "lzw"},
    "predictor": {"tile": (64, 64), "compression": "zlib", "predictor": True},
    "big-endian strips": {"byteorder": ">", "compression": "zlib"},
}


def _colours(rng: np.random.Generator) -> NDArray[np.uint8]:
    return rng.integers(0, 255, (2, 50, 60, 3), dtype=np.uint8)


def _parts(shape: tuple[int, ...], rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Return random selections of integers, and slices with any step."""
    found = []
    for _ in range(20):
        ends = [sorted(rng.integers(0, size + 1, 2)) for size in shape]
        slices = [slice(*end, int(rng.choice([1, 1, 2]))) for end in ends]
        numbers = [int(rng.integers(-size, size)) for size in shape]
        taken = rng.random(len(shape)) < 0.3
        triples = zip(numbers, slices, taken, strict=True)
        found.append(tuple(n if whole else s for n, s, whole in triples))
    return found


def _check(path: Path, rng: np.random.Generator) -> TiffArray:
    whole = tifffile.TiffFile(path).series[0].asarray()
    lazy = TiffArray(path)
    assert (lazy.shape, lazy.ndim, lazy.size) == (whole.shape, whole.ndim, whole.size)
    assert lazy.dtype == whole.dtype.newbyteorder("=")
    assert np.array_equal(np.asarray(lazy), whole)
    for part in _parts(whole.shape, rng):
        assert np.array_equal(lazy[part], whole[part])
    assert np.array_equal(lazy[..., ::-1], whole[..., ::-1])
    assert np.array_equal(pickle.loads(pickle.dumps(lazy))[-1], whole[-1])
    return lazy


@pytest.mark.parametrize("layout", LAYOUTS)
def test_parts_are_those_of_the_whole(
    tmp_path: Path, rng: np.random.Generator, layout: str
) -> None:
    values = rng.integers(0, 60000, (2, 3, 70, 90), dtype=np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", values, **LAYOUTS[layout])
    lazy = _check(tmp_path / "a.tif", rng)
    assert lazy._pages is not None or lazy._offset is not None


def test_colours_and_others(tmp_path: Path, rng: np.random.Generator) -> None:
    rgb = _colours(rng)
    planar = {"photometric": "rgb", "planarconfig": "separate"}
    kinds: list[tuple[NDArray[Any], dict[str, Any]]] = [
        (rgb, {"photometric": "rgb", "compression": "zlib"}),
        (rgb, {"photometric": "rgb"}),
        (rgb.transpose(0, 3, 1, 2), {**planar, "compression": "zlib"}),
        (rgb.transpose(0, 3, 1, 2), {**planar, "tile": (32, 32)}),
        (rgb[..., 0] > 100, {}),
        (rgb.astype(np.float16), {"photometric": "rgb"}),
        (rgb[..., 0], {"imagej": True, "metadata": {"axes": "TYX"}}),
        (rgb[..., 0], {"ome": True, "tile": (16, 16), "metadata": {"axes": "ZYX"}}),
    ]
    for number, (values, keywords) in enumerate(kinds):
        tifffile.imwrite(tmp_path / f"{number}.tif", values, **keywords)
        _check(tmp_path / f"{number}.tif", rng)


def test_only_what_is_asked_for_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    values = rng.integers(0, 60000, (4, 128, 128), dtype=np.uint16)
    tifffile.imwrite(
        tmp_path / "a.tif",
        values,
        tile=(32, 32),
        compression="zlib",
        photometric="minisblack",
    )
    lazy = TiffArray(tmp_path / "a.tif")
    assert lazy._pages is not None
    seen: list[tuple[int, int]] = []
    real = lazy._pages._decode
    monkeypatch.setattr(
        lazy._pages, "_decode", lambda *key: (seen.append(key), real(*key))[1]
    )
    for _ in range(2):
        assert np.array_equal(lazy[2, 30:40, 5:9], values[2, 30:40, 5:9])
    assert seen == [(2, 0), (2, 4)]  # once each: they are cached


def test_a_file_that_is_cut_short_gives_a_sentence(tmp_path: Path) -> None:
    for name, keywords in (("a", {}), ("b", {"compression": "zlib"})):
        path = tmp_path / f"{name}.tif"
        values = np.random.default_rng(0).integers(0, 9999, (3, 64, 64), np.uint16)
        tifffile.imwrite(path, values, **keywords)
        path.write_bytes(path.read_bytes()[:-3000])
        with pytest.raises(ValueError, match="could not be read"):
            read_image(path, lazy=True)


def test_wrong_indices_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((4, 5), np.uint8))
    lazy = TiffArray(tmp_path / "a.tif")
    assert lazy[0:0].shape == (0, 5)
    for wrong in ((0, 0, 0), 4, ("a", 0)):
        with pytest.raises(IndexError):
            lazy[wrong]


def test_real_files_are_the_same_lazily(
    data_folder: Path, rng: np.random.Generator
) -> None:
    found = [*data_folder.glob("tiff_odd/*.tif*"), *data_folder.glob("stacks/*.tif*")]
    assert found
    for path in found:
        eager, lazy = read_image(path), read_image(path, lazy=True)
        assert np.array_equal(eager.data, np.asarray(lazy.data))
        assert lazy == eager
        for part in _parts(eager.data.shape, rng):
            assert np.array_equal(lazy.data[part], eager.data[part])
