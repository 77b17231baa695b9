"""NDTiff: datasets of Micro-Manager whose planes are listed in an index file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tifffile import read_ndtiff_index

from napari_inr_denoise.io.untrusted.size_limits import check_count

_INDEX = "NDTiff.index"
_MAX_BYTES = 2**28


def ndtiff_files(path: Path) -> frozenset[str]:
    """Return the names of the files of a dataset, after a check of its size.

    Parameters
    ----------
    path : Path
        A file of the dataset.

    Returns
    -------
    frozenset of str
        Empty if the file is in no dataset.

    Raises
    ------
    ValueError
        If the index is damaged or declares too many planes.
    """
    index = path.parent / _INDEX
    if not index.is_file():
        return frozenset()
    if index.stat().st_size > _MAX_BYTES:
        raise ValueError(f"got {_INDEX} of more than {_MAX_BYTES} bytes")
    names: set[str] = set()
    places = []
    labels: dict[str, int] = {}
    for axes, name, *_ in read_ndtiff_index(index):
        names.add(name)
        # Positions along an axis are numbers, or names such as those of channels.
        place = [
            labels.setdefault(str(at), len(labels)) if isinstance(at, str) else int(at)
            for at in axes.values()
        ]
        places.append(place)
    if path.name not in names:
        return frozenset()
    if len({len(place) for place in places}) != 1:
        raise ValueError(f"got planes with different axes in {_INDEX}")
    extent = np.ptp(np.array(places, np.float64), axis=0) + 1
    check_count(int(np.prod(extent)), f"planes declared by {_INDEX}")
    return frozenset(names)
