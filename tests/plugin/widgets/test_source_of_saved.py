"""Which open layer, and which part of it, a saved result is compared with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_inr_denoise import DenoiseSettings, denoise
from napari_inr_denoise.plugin.controls.messages import result_note
from napari_inr_denoise.plugin.layers.metadata_keys import FILE_KEY, REPORT_KEY
from napari_inr_denoise.plugin.results.finished import Finished
from napari_inr_denoise.plugin.widgets.saved_result import saved_result

SHAPE = (3, 24, 24)
NOISY = np.random.default_rng(0).poisson(40, SHAPE).astype(np.float32)


@pytest.fixture
def viewer() -> Any:
    return ViewerModel()


def _opened(
    viewer: Any,
    settings: DenoiseSettings,
    made_of: Path | str,
    part: tuple[slice, ...] = (slice(None),) * 3,
    **keywords: Any,
) -> Finished:
    """Return the result of a part of the noisy image, as opened from a file."""
    result = denoise(NOISY[part], axes="ZYX", settings=settings)
    (file,) = result.report.files
    report = replace(result.report, files=(replace(file, source=str(made_of)),))
    metadata = {REPORT_KEY: report.to_dict(), FILE_KEY: "a.inr.ome.tif"}
    keywords = {"name": "a [denoised]", "metadata": metadata} | keywords
    found = saved_result(viewer.add_image(result.image, **keywords), viewer)
    assert found is not None
    return found


def test_the_file_that_the_report_names_comes_first(
    viewer: Any, tmp_path: Path, tiny: DenoiseSettings
) -> None:
    paths = [tmp_path / folder / "a.tif" for folder in ("one", "two")]
    layers = [
        viewer.add_image(NOISY, name=name, metadata={FILE_KEY: str(path)})
        for name, path in zip(("a", "a [1]"), paths, strict=True)
    ]
    for made_of in (paths[1], "two/a.tif"):
        assert _opened(viewer, tiny, made_of).source.is_of(layers[1])
    viewer.layers.remove(layers[1])
    lonely = _opened(viewer, tiny, paths[1])
    assert not lonely.source.has_values
    assert result_note(lonely, ()).startswith("Open the noisy image too, two/a.tif, to")
    layers[0].metadata.clear()  # the same name, and nothing says that it is another
    assert _opened(viewer, tiny, paths[1]).source.is_of(layers[0])


def test_one_plane_or_a_region_finds_its_part(
    viewer: Any, tiny: DenoiseSettings
) -> None:
    scale = (0.5, 0.1, 0.1)
    viewer.add_image(NOISY, name="a", scale=scale, translate=(0, 1, 0))
    part = slice(1, 2), slice(2, 22), slice(None)
    place = {"scale": scale, "translate": (0.5, 1.2, 0)}
    found = _opened(viewer, tiny, "a", part, **place)
    assert found.source.selection == part
    np.testing.assert_array_equal(found.source.image(), NOISY[part])
    np.testing.assert_allclose(found.source.keywords["translate"], (0.5, 1.2, 0))
    found.set_strength(-1)
    np.testing.assert_allclose(np.asarray(found.layer.data), NOISY[part], atol=1e-3)
    for elsewhere in ((0.5, 1.25, 0), (0.5, 1.6, 0)):  # between pixels, and outside
        lonely = _opened(viewer, tiny, "a", part, scale=scale, translate=elsewhere)
        assert not lonely.source.has_values
