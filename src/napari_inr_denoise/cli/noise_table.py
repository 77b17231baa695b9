"""The noise of an image as a table."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from napari_inr_denoise.core.noise.model import NoiseModel
from napari_inr_denoise.core.report.numbers import in_digits

_COLUMNS = ("sigma", "gain", "read noise", "offset", "saturated", "correlated")


def noise_table(planes: Sequence[tuple[dict[str, int], NoiseModel]]) -> Iterator[str]:
    """Yield the lines of a table with a row for each plane, at most 80 letters wide.

    Parameters
    ----------
    planes : sequence of (index, NoiseModel)
        Position of each plane, and its noise in units of the image.
    """
    named = [(_name(index), _cells(model)) for index, model in planes]
    width = max(5, *(len(name) for name, _ in named))
    yield _row("plane", _COLUMNS, width)
    for name, cells in named:
        yield _row(name, cells, width)


def _name(index: dict[str, int]) -> str:
    return " ".join(f"{axis}{number}" for axis, number in index.items()) or "-"


def _cells(model: NoiseModel) -> tuple[str, ...]:
    values = (model.sigma, model.gain, model.read_noise, model.offset)
    numbers = [
        in_digits(value, 4) if not math.isnan(value) else "-" for value in values
    ]
    saturated = f"{100 * model.clipped_high:.2g} %" if model.clipped_high else "-"
    return (*numbers, saturated, "yes" if model.correlated else "no")


def _row(name: str, cells: Sequence[str], width: int) -> str:
    return f"{name:<{width}}" + "".join(f"{cell:>11}" for cell in cells)
