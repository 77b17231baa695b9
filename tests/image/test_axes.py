from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_inr_denoise.image.axes import count_planes, planes_of, resolve_axes


@st.composite
def axes_and_shapes(draw: st.DrawFn) -> tuple[str, tuple[int, ...]]:
    outer = draw(st.lists(st.sampled_from("TCZ"), unique=True))
    samples = draw(st.sampled_from(["", "S"]))
    axes = "".join(draw(st.permutations([*outer, "Y", "X", *samples])))
    return axes, tuple(draw(st.integers(1, 4)) for _ in axes)


@given(case=axes_and_shapes())
def test_the_planes_cover_every_value_once(case: tuple[str, tuple[int, ...]]) -> None:
    axes, shape = case
    seen = np.zeros(shape, int)
    planes = list(planes_of(axes, shape))
    for plane in planes:
        view = plane.samples_yxs(seen[plane.selection])
        assert view.ndim == 3
        assert view.shape[0] == shape[axes.index("Y")]
        assert view.shape[1] == shape[axes.index("X")]
        view += 1  # a view: it writes into the stack
    alpha = "S" in axes and shape[axes.index("S")] in (2, 4)
    colours = np.moveaxis(seen, axes.index("S"), -1)[..., :-1] if alpha else seen
    assert (colours == 1).all()
    assert len(planes) == count_planes(axes, shape)
    assert len({tuple(plane.index.items()) for plane in planes}) == len(planes)


@pytest.mark.parametrize(
    ("ndim", "axes"), [(2, "YX"), (3, "ZYX"), (4, "CZYX"), (5, "TCZYX")]
)
def test_the_default_is_the_last_of_tczyx(ndim: int, axes: str) -> None:
    assert resolve_axes(ndim, None) == axes


def test_small_letters_are_taken() -> None:
    assert resolve_axes(3, "tyx") == "TYX"
