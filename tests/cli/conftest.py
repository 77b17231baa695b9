from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile


@pytest.fixture
def image(tmp_path: Path, rng: np.random.Generator) -> Path:
    path = tmp_path / "image.tif"
    tifffile.imwrite(path, rng.poisson(30, (2, 24, 24)).astype(np.uint8))
    return path
