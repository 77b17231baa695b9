"""The finished planes of an image and their records."""

from __future__ import annotations

from collections.abc import Iterable

from napari_inr_denoise.core.report.report import PlaneReport
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.image.axes import Plane, planes_of, series_of

_MOST_NAMED = 20
"""Largest number of planes that a note lists."""
_Key = tuple[tuple[str, int], ...]


class FinishedPlanes:
    """Records of the finished planes, by index; a volume has one for all its planes.

    Parameters
    ----------
    axes : str
        One letter per dimension.
    shape : tuple of int
        Shape of the image.
    volumes : bool
        Whether all planes along Z share one record.
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
        """Return the number of finished planes or volumes."""
        return len(self._records)

    def __contains__(self, plane: Plane) -> bool:
        """Return whether a plane is finished."""
        return self._key(plane.index) in self._records

    @property
    def count(self) -> int:
        """Number of planes or volumes of the image."""
        return len(self._order)

    def add(self, record: PlaneReport) -> None:
        """Add the record of a finished plane or volume."""
        self._records[self._key(record.index)] = record

    def take_over(self, records: Iterable[PlaneReport]) -> None:
        """Add records of an earlier run, except of planes that were interrupted."""
        for record in records:
            if record.reason != StopReason.CALLER.value:
                self.add(record)

    def in_order(self, *others: PlaneReport) -> tuple[PlaneReport, ...]:
        """Return all records, and those of unfinished planes, in the image's order."""
        everything = self._records | {self._key(one.index): one for one in others}
        return tuple(everything[key] for key in sorted(everything, key=self._position))

    def notes(self) -> tuple[str, ...]:
        """Return a note that lists the planes denoised apart from their stack."""
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
            "Denoised without the other planes, because their noise or their content "
            f"differs: {', '.join(apart[:_MOST_NAMED])}{others}.",
        )

    def _position(self, key: _Key) -> int:
        return self._order[key]


def _named(index: dict[str, int]) -> str:
    return " ".join(f"{letter}={at}" for letter, at in index.items())
