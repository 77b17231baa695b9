from __future__ import annotations

from dataclasses import replace

from napari_inr_denoise.core.pipeline.output.finished_planes import FinishedPlanes
from napari_inr_denoise.core.report.report import (
    NoiseRecord,
    PlaneReport,
    QualityRecord,
)
from napari_inr_denoise.image.axes import planes_of

AXES, SHAPE = "CZYX", (2, 3, 4, 4)


def _record(reason: str = "trained", **index: int) -> PlaneReport:
    return PlaneReport(
        index, NoiseRecord(sigma=1.0), QualityRecord(), 0, 1.0, 1, reason, 0.0, 0.0
    )


def test_planes_are_counted_and_found() -> None:
    finished = FinishedPlanes(AXES, SHAPE, volumes=False)
    assert finished.count == 6
    finished.add(_record(C=1, Z=2))
    assert len(finished) == 1
    inside = [plane.index for plane in planes_of(AXES, SHAPE) if plane in finished]
    assert inside == [{"C": 1, "Z": 2}]


def test_a_volume_stands_for_its_planes() -> None:
    finished = FinishedPlanes(AXES, SHAPE, volumes=True)
    assert finished.count == 2
    finished.add(_record(C=1))
    inside = [plane.index for plane in planes_of(AXES, SHAPE) if plane in finished]
    assert inside == [{"C": 1, "Z": z} for z in range(3)]


def test_records_come_in_the_order_of_the_image() -> None:
    finished = FinishedPlanes(AXES, SHAPE, volumes=False)
    for c, z in ((1, 0), (0, 2), (0, 1)):
        finished.add(_record(C=c, Z=z))
    places = [record.index for record in finished.in_order(_record(C=0, Z=0))]
    assert places == [{"C": 0, "Z": z} for z in range(3)] + [{"C": 1, "Z": 0}]
    assert len(finished) == 3


def test_what_was_stopped_is_not_taken_over() -> None:
    finished = FinishedPlanes(AXES, SHAPE, volumes=False)
    finished.take_over([_record(C=0, Z=0), _record("stopped", C=0, Z=1)])
    assert len(finished) == 1


def test_planes_apart_from_their_stack_are_named() -> None:
    finished = FinishedPlanes(AXES, SHAPE, volumes=False)
    for z in range(3):
        finished.add(_record(C=0, Z=z))  # an unrelated stack: nothing to say
        finished.add(replace(_record(C=1, Z=z), shared=z != 1))
    (note,) = finished.notes()
    assert note.endswith("content differs: C=1 Z=1.")


def test_of_many_planes_apart_a_few_are_named() -> None:
    finished = FinishedPlanes("ZYX", (40, 4, 4), volumes=False)
    for z in range(40):
        finished.add(replace(_record(Z=z), shared=z == 0))
    (note,) = finished.notes()
    assert note.endswith("Z=20 and 19 more.")
