from __future__ import annotations

from dataclasses import replace

import pytest

from napari_inr_denoise.batch.report.outliers import (
    oddities_of,
    unusual_ratios,
    worst_plane,
)
from napari_inr_denoise.core.report.report import PlaneReport
from tests.batch.example_report import FILE, PLANE


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"reason": "non_finite"}, "unstable"),
        ({"reason": "no_noise", "sigma": 0.0}, "No noise"),
        ({"verdict": "structure_removed"}, "more than noise"),
        ({"mean_after": 190.0}, "changed by -5.0%"),
        ({"residual_rms": 15.0}, "1.50 times the noise"),
    ],
)
def test_a_plane_stands_out_by_itself(changes: dict[str, object], words: str) -> None:
    assert oddities_of(PLANE) == []
    plane = PlaneReport.from_dict(PLANE.to_dict() | changes)
    assert any(words in one.words for one in oddities_of(plane))
    assert worst_plane(replace(FILE, planes=(PLANE, PLANE, plane))) == 2
    assert worst_plane(replace(FILE, planes=(PLANE,) * 3)) == 1


def test_a_file_stands_out_among_many() -> None:
    files = [
        replace(FILE, planes=(replace(PLANE, residual_rms=9.5 + k / 100),))
        for k in range(9)
    ]
    assert unusual_ratios(files) == {}
    low = replace(FILE, planes=(replace(PLANE, residual_rms=5.0),))
    found = unusual_ratios([*files, low])
    assert list(found) == [9]
    assert "0.50 x noise, where 0.95 is usual" in found[9].words
    assert unusual_ratios([low]) == {}
