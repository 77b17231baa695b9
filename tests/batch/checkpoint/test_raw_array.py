from __future__ import annotations

from pathlib import Path

import numpy as np

from napari_inr_denoise.batch.checkpoint.raw_array import RawArray


def test_parts_of_a_raw_image_are_those_of_an_array(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    shape = (3, 2, 7, 9)
    raw = RawArray(tmp_path / "x", shape, create=True)
    array = np.zeros(shape, dtype=np.float32)
    for _ in range(30):
        at = tuple(
            int(a)
            if rng.random() < 0.3
            else slice(*sorted((int(a), int(rng.integers(0, size + 1)))))
            for size, a in zip(shape, rng.integers(0, shape), strict=True)
        )
        values = rng.normal(size=array[at].shape).astype(np.float32)
        array[at] = values
        raw[at] = values
        assert np.array_equal(raw[at], array[at])
    raw.flush()
    assert np.array_equal(np.asarray(raw), array)
    raw.close()
    assert np.array_equal(np.fromfile(tmp_path / "x", "<f4").reshape(shape), array)
