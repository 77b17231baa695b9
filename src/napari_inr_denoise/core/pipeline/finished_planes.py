"""Which planes of an image are finished, and their records."""

from __future__ import annotations

from collections.abc import Iterable

from napari_inr_denoise.core.report.report import PlaneReport
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.image.axes import Plane, planes_of, series_of

_MOST_NAMED = 20
"""Planes that a note names."""
_Key = tuple[tuple[str, int], ...]


class FinishedPlanes:
    """Records by the place of their plane; a volume has one for all of its planes.

    Parameters
    ----------
    axes : str
        One letter per dimension.
    shape : tuple of int
        Of the image.
    volumes : bool
        Whether planes along Z have one record.
    """

    def __init__(self, axes: str, shape: tuple[int, ...], volumes: bool) -> None:
        self._left_out = "Z" if volumes else ""
        self._records: dict[_Key, PlaneReport] = {}
        self._order: dict[_Key, int] = {}
        self._series = series_of(axes, shape)
        for plane in planes_of(axes, shape):
            self._order.setdefault(self._key(plane.index), len(self._order))

    def _key(self, index: dict[str, int]) -> _Key:
        return tuple(item for item in index.items() if item[0] != self._left_out)

    def __len__(self) -> int:
        """How many are finished."""
        return len(self._records)

    def __contains__(self, plane: Plane) -> bool:
        """Whether a plane is finished."""
        return self._key(plane.index) in self._records

    @property
    def count(self) -> int:
        """How many there will be."""
        return len(self._order)

    def add(self, record: PlaneReport) -> None:
        """Note that a plane or volume is finished."""
        self._records[self._key(record.index)] = record

    def take_over(self, records: Iterable[PlaneReport]) -> None:
        """Note what an earlier run has finished."""
        for record in records:
            if record.reason != StopReason.CALLER.value:
                self.add(record)

    def in_order(self, *others: PlaneReport) -> tuple[PlaneReport, ...]:
        """Return the records, and others that are not finished, by their place."""
        everything = self._records | {self._key(one.index): one for one in others}
        return tuple(everything[key] for key in sorted(everything, key=self._place))

    def notes(self) -> tuple[str, ...]:
        """Say which planes shared nothing with a stack whose other planes did."""
        apart: list[str] = []
        for series in self._series:
            found = [self._records.get(self._key(plane.index)) for plane in series]
            known = [record for record in found if record is not None]
            if any(record.shared for record in known):
                apart += [_named(one.index) for one in known if not one.shared]
        if not apart:
            return ()
        more = len(apart) - _MOST_NAMED
        others = f" and {more} more" if more > 0 else ""
        return (
            "Denoised by themselves, for their noise is another or the planes beside "
            f"them show something else: {', '.join(apart[:_MOST_NAMED])}{others}.",
        )

    def _place(self, key: _Key) -> int:
        return self._order[key]


def _named(index: dict[str, int]) -> str:
    return " ".join(f"{letter}={at}" for letter, at in index.items())
