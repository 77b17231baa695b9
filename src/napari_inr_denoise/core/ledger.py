"""Which planes of an image are finished, and their records."""

from __future__ import annotations

from collections.abc import Iterable

from napari_inr_denoise.core.axes import Plane, planes_of
from napari_inr_denoise.core.report import PlaneReport
from napari_inr_denoise.core.stopping import StopReason

_Key = tuple[tuple[str, int], ...]


class Ledger:
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

    def _place(self, key: _Key) -> int:
        return self._order[key]
