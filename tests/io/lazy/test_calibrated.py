from __future__ import annotations

import tracemalloc

import numpy as np

from napari_inr_denoise.io.lazy.calibrated import CalibratedArray
from napari_inr_denoise.io.record import Calibration


def test_a_plane_costs_little_more_than_its_values() -> None:
    stored = np.broadcast_to(np.arange(2048, dtype=np.uint16), (2048, 2048))
    values = CalibratedArray(stored, Calibration(-32768.0, 1.0, "uint16"))
    tracemalloc.start()
    plane = values[...]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    np.testing.assert_array_equal(plane[7], np.arange(2048) - 32768.0)
    assert peak < plane.nbytes + stored.nbytes + 2**22
