"""The planes of a series as they are read, with the noise that they share."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.core.noise.defects.fill import measured_pixels
from napari_inr_denoise.core.noise.defects.hot_pixels import isolated_pixels
from napari_inr_denoise.core.noise.defects.jpeg import without_jpeg_rounding
from napari_inr_denoise.core.noise.defects.structured import without_structured_noise
from napari_inr_denoise.core.noise.level.quiet_patches import divided
from napari_inr_denoise.core.noise.noisy_plane import (
    NO_OFFSETS,
    NoisyPlane,
    SmoothLevel,
)
from napari_inr_denoise.core.noise.uneven import SLOPE, with_level
from napari_inr_denoise.core.sampling.stack.own_spectrum import (
    OwnSpectrum,
    levels_differ,
)
from napari_inr_denoise.core.sampling.stack.parts import (
    ReadPart,
    Values,
    centre,
    spread,
)
from napari_inr_denoise.core.sampling.stack.plane_factors import PlaneFactors
from napari_inr_denoise.core.sampling.stack.shared_noise import SharedNoise
from napari_inr_denoise.core.sampling.stack.stack_noise import StackNoise
from napari_inr_denoise.image.tiling import Tile, Tiling

_MAX_MEASURED = 8
"""Largest number of crops on which the noise is measured."""
_MAX_LEVEL_PIXELS = 3 * 2**20, 2**22
"""Number of pixels of the planes that are read for the map of the noise level, if more
than one, and largest number of pixels of a plane that can have a map."""
_MAX_TESTED_TILES = 4
"""Number of tiles of a large plane that are tested against the shared noise."""


@dataclass(frozen=True)
class _Part:
    """A part of a plane, in the image's units; attributes are those of `NoisyPlane`."""

    values_yxs: NDArray[np.float64]
    valid_yx: NDArray[np.bool_]
    structured_yxs: NDArray[np.float64] | None
    compressed_yxs: NDArray[np.float64] | None
    fill_share: float


class EvenPlanes:
    """The planes of a series, divided by what makes their noise the same.

    Parameters
    ----------
    read_part : ReadPart
        Reads a part of a plane.
    count : int
        Number of planes. The tiles of a single plane share its noise model.
    tiling : Tiling
        Tiles of each plane.
    spacing_yx : tuple of float
        Height and width of a pixel, both in the same unit.
    common : StackNoise
        What the noise of the planes has in common. The fixed pattern is subtracted.

    Attributes
    ----------
    noise : SharedNoise
        Noise model of all planes; see also `even_out`.
    """

    def __init__(
        self,
        read_part: ReadPart,
        count: int,
        tiling: Tiling,
        spacing_yx: tuple[float, float],
        common: StackNoise,
    ) -> None:
        self._read, self._count, self._tiling = read_part, count, tiling
        self._spacing_yx = spacing_yx
        pattern, self._shares_noise = common.pattern, common.distance > 1
        self._pattern_yxs = None if pattern is None else pattern.offsets_yxs
        # For a network that sees one plane only, offsets of pixels are noise.
        self._pixel_offsets, self._stand_out = NO_OFFSETS, common.pixels_stand_out
        if pattern is not None and count > 1:
            self._pixel_offsets = pattern.pixel_stds
        self._last_tested: tuple[int, list[Values]] | None = None
        self._last_part: tuple[int, tuple[slice, slice], _Part] | None = None
        self._level: SmoothLevel | None = None
        self._factors: PlaneFactors | None = None
        self._factor_of: dict[int, float] = {}
        self._own_spectra: dict[int, OwnSpectrum | None] = {}
        self._spectra_differ = False
        self._belongs: dict[int, bool] = {}
        self._blank: dict[int, bool] = {}
        self._crops = self._noise_crops()
        self.noise = self._undivided = SharedNoise.of(_all(self._crops))

    def even_out(self, *, factors: bool) -> None:
        """Divide planes by what makes their noise the same.

        A plane with another level than the others is divided by a factor, for example
        after bleaching was corrected. All planes are divided by the map of the level
        if it changes smoothly, for example after a correction of the illumination.
        Where correlated noise differs, each plane keeps its own.
        `noise` is then that of the divided planes, and `read` returns them.

        Parameters
        ----------
        factors : bool
            Whether planes may have factors of their own.
        """
        crops, self._crops = self._crops, {}
        if factors and self.noise.model.correlated:
            spectra = [self._own_spectrum(number) for number in crops]
            self._spectra_differ = levels_differ(spectra)
        if factors and not self.noise.model.correlated:
            self._factors = PlaneFactors.of(self.noise, [*crops.values()])
            if not self._factors.alike:
                self.noise = self._undivided = self._factors.noise
                crops = self._noise_crops()
        self._find_map(_all(crops))

    def _factor(self, number: int) -> float:
        """Return the factor of a plane; NaN if it is not known."""
        if self._factors is None:
            return 1.0
        if number not in self._factor_of:
            self._factor_of[number] = self._factors.factor(self._test_parts(number))
        return self._factor_of[number]

    def _divisor(self, number: int) -> float:
        """Return what a plane is divided by."""
        factor = self._factor(number)
        return factor if factor > 0 else 1.0

    def _own_spectrum(self, number: int) -> OwnSpectrum | None:
        """Return the correlated noise of a plane alone; None if it is not known."""
        if number not in self._own_spectra:
            parts = self._test_parts(number)
            self._own_spectra[number] = OwnSpectrum.of(self.noise, parts)
        return self._own_spectra[number]

    def _find_map(self, crops: list[Values]) -> None:
        """Find the map of a level of white noise that changes smoothly, if it does."""
        if math.prod(self._tiling.shape_yx) > _MAX_LEVEL_PIXELS[1]:
            return
        if self.noise.model.correlated:
            return
        if self._tiling.count > 1:
            crops = self._test_crops(self._count // 2)
            if self.noise.is_even(crops, SLOPE):
                return  # the map of a whole large plane takes long
        self._level = self.noise.smooth_level(self._whole_planes(crops))
        if self._level is None:
            return
        self.noise = SharedNoise.of(_all(self._noise_crops()))
        if self.noise.model.correlated:
            self._level, self.noise = None, self._undivided

    def _whole_planes(self, crops: list[Values]) -> list[Values]:
        """Return some planes that are not blank; the crops, if they are planes."""
        shape_yx = self._tiling.shape_yx
        if all(valid.shape == shape_yx for _, valid in crops):
            return crops
        most = max(_MAX_LEVEL_PIXELS[0] // math.prod(shape_yx), 1)
        most = min(most, _MAX_MEASURED, self._count)
        # Not the first and the last ones: they are often empty.
        chosen = [(2 * k + 1) * self._count // (2 * most) for k in range(most)]
        whole = slice(0, shape_yx[0]), slice(0, shape_yx[1])
        planes = [self._crop(number, whole) for number in chosen]
        return [one for one in planes if _varies(*one)] or planes

    def _noise_crops(self) -> dict[int, list[Values]]:
        """Read the crops on which the noise is measured, by number of the plane."""
        chosen = self._measured_numbers()
        tiles = self._some_tiles(max(_MAX_MEASURED // len(chosen), 1))
        crops = {
            number: [self._crop(number, centre(tile.window)) for tile in tiles]
            for number in chosen
        }
        # A blank plane has no noise, which would lower that of the others.
        measured = {
            number: [
                (values, valid) for values, valid in parts if _varies(values, valid)
            ]
            for number, parts in crops.items()
        }
        return {k: parts for k, parts in measured.items() if parts} or crops

    def _measured_numbers(self) -> list[int]:
        """Return the planes that are measured, of every second plane and the others.

        Because exposures may alternate.
        """
        chosen = spread(self._count, _MAX_MEASURED)
        if self._count > 1 and len({number % 2 for number in chosen}) == 1:
            last = self._count - 1
            chosen[1::2] = [min(number + 1, last) for number in chosen[1::2]]
        return sorted(set(chosen))

    def _some_tiles(self, most: int) -> list[Tile]:
        tiles = self._tiling.tiles
        return [tiles[k] for k in spread(len(tiles), most)]

    def belongs(self, number: int) -> bool:
        """Return whether a plane has the noise of the series."""
        if number not in self._belongs:
            factor, parts = self._factor(number), self._test_crops(number)
            own = self._own_spectrum(number) if self._spectra_differ else None
            if own is not None:
                fits = own.is_near
            elif self._factors is None or not factor > 0:
                fits = self.noise.fits(parts)
            else:
                fits = self._factors.is_near(factor) and self.noise.is_even(parts)
            self._belongs[number] = fits
        return self._belongs[number]

    def is_even(self, number: int) -> bool:
        """Return whether the noise of a plane does not differ from place to place."""
        return self.noise.is_even(self._test_crops(number))

    def is_blank(self, number: int) -> bool:
        """Return whether a plane has one value only."""
        if number not in self._blank:
            self._blank[number] = not self.belongs(number) and not any(
                _varies(values, valid) for values, valid in self._test_crops(number)
            )
        return self._blank[number]

    def _test_crops(self, number: int) -> list[Values]:
        """Return the parts of a plane that are tested against the shared noise.

        They are divided by what makes the noise even.
        """
        windows, parts = self._tested(), self._test_parts(number)
        return [
            self._divided(number, window, part)
            for window, part in zip(windows, parts, strict=True)
        ]

    def _test_parts(self, number: int) -> list[Values]:
        """Return these parts as they were read. Those of one plane are kept."""
        if self._last_tested is None or self._last_tested[0] != number:
            read = [self._part(number, window) for window in self._tested()]
            parts = [(part.values_yxs, part.valid_yx) for part in read]
            self._last_tested = number, parts
        return self._last_tested[1]

    def _tested(self) -> list[tuple[slice, slice]]:
        if self._tiling.count == 1:
            return [self._tiling.tiles[0].window]
        return [centre(one.window) for one in self._some_tiles(_MAX_TESTED_TILES)]

    def _crop(self, number: int, window: tuple[slice, slice]) -> Values:
        """Return a part of a plane without structured noise and constant fill.

        It is divided by what makes the noise even.
        """
        part = self._part(number, window)
        return self._divided(number, window, (part.values_yxs, part.valid_yx))

    def _divided(
        self, number: int, window: tuple[slice, slice], part: Values
    ) -> Values:
        values, valid = part
        level = self._level_of(number, window)
        if level is not None and _varies(values, valid):
            values = level.even(values)
        return values, valid

    def _level_of(self, number: int, window: tuple[slice, slice]) -> SmoothLevel | None:
        """Return by what a part of a plane is divided; None if it is not."""
        factor = self._divisor(number)
        level = self._level and self._level.cropped(window)
        if factor == 1 or self._factors is None:
            return level
        base = self._factors.fixed * (1 - factor)
        if level is None:
            shape_yx = [one.stop - one.start for one in window]
            scale = np.full(shape_yx, factor)
            return SmoothLevel(scale, base, self.noise.model, self.noise.curves)
        scale = level.scale_yx * factor
        return replace(level, scale_yx=scale, base=base + level.base * factor)

    def _part(self, number: int, window: tuple[slice, slice]) -> _Part:
        """Return a part of a plane. The last one is kept: it is tested, then used."""
        last = self._last_part
        if last is None or last[:2] != (number, window):
            self._last_part = last = (number, window, self._read_part(number, window))
        return last[2]

    def _read_part(self, number: int, window: tuple[slice, slice]) -> _Part:
        raw, valid = self._read(number, window)
        # First of all: dark blocks that were rounded to one value are no fill.
        values, compressed = without_jpeg_rounding(raw, valid)
        valid, fill_share = measured_pixels(values, valid)
        pattern = None if self._pattern_yxs is None else self._pattern_yxs[window]
        values, removed = without_structured_noise(values, valid, pattern)
        return _Part(values, valid, removed, compressed, fill_share)

    def read(self, number: int, tile: Tile) -> NoisyPlane:
        """Return a tile of a plane with its noise, divided by what makes it even."""
        part = self._part(number, tile.window)
        values, valid = part.values_yxs, part.valid_yx
        own, factor = self._undivided, self._divisor(number)
        spectrum = self._own_spectrum(number) if self._spectra_differ else None
        if spectrum is not None:
            own = spectrum.noise
        if factor != 1 and self._factors is not None:
            fixed = self._factors.fixed
            even = divided(values, factor, fixed)
            own = own.down_to(even, valid).stretched(factor, fixed)
        problem = NoisyPlane(
            values,
            valid,
            valid,
            own.on(values, valid),
            self._spacing_yx,
            own.curves,
            part.structured_yxs,
            part.compressed_yxs,
            fill_share=part.fill_share,
            pixel_offsets=self._pixel_offsets,
            shares_noise=self._shares_noise,
            hidden_in_context=self._stand_out and not own.model.correlated,
        )
        level = self._level_of(number, tile.window)
        if level is None:
            return replace(problem, fitted_yx=valid & ~isolated_pixels(problem))
        even = level.even(values)
        noise = self.noise if factor == 1 else self.noise.down_to(even, valid)
        level = replace(level, noise=noise.on(even, valid), curves=noise.curves)
        return with_level(problem, level).evened()


def _all(crops: dict[int, list[Values]]) -> list[Values]:
    return [one for parts in crops.values() for one in parts]


def _varies(values: NDArray[np.float64], valid: NDArray[np.bool_]) -> bool:
    """Return whether the valid pixels have more than one value."""
    inside = values[valid]
    return bool((inside != inside[:1]).any())
