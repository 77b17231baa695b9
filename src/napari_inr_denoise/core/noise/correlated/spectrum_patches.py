"""Patches of a plane for the noise spectrum, and which of them are quiet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import dct
from scipy.special import chdtr, gammaincinv

from napari_inr_denoise.core.noise.level.level_function import Line

SIDE = 8
"""Side of a patch, in pixels."""
_MAX_PATCHES = 25_000
_KEPT = 0.9
"""Share of the squared coefficients, from the smallest, whose mean is the power. The
rest may be structure."""
_KEPT_MEAN = float(chdtr(3, 2 * gammaincinv(0.5, _KEPT))) / _KEPT
"""Mean of that share for Gaussian noise of variance 1."""
_QUIET = (0.05, 1.3)
"""Quantile of the energies around, and its multiple up to which a patch is quiet."""
_LEAST_QUIET = (40, 0.1)
"""Smallest number and share of patches that are used at each intensity."""
_OUTLIER = 5.5
"""Median absolute deviations, as standard deviations, at which a pixel of a patch is no
noise. Small bright spots would otherwise count as noise that is correlated."""
_LARGEST_ENERGY = 30.0
"""Limit of a squared coefficient over the power of the noise; see `energies`."""
_BIN_PIXELS = 1920
"""Smallest number of pixels that the patches of a bin start at."""
_EMPHASIS = 0.5
"""Power of the noise power by which frequencies count in the energy of a patch: between
all alike (0), when texture hides where most of the noise is, and as they are (1)."""
_LEAST_SHARE = 0.03
"""Smallest power at a frequency by which an energy is divided. Where almost no noise
is, the slightest structure would count."""
_DEGREE, _LEAST_KEPT = 3, 0.05
"""Largest degree of the curves of `_smooth` along an axis, and the least share of power
that is corrected for; smaller ones are of low frequencies, which count little."""
_QUIETEST = 0.25
"""Share of the patches whose halves are compared: with the least energy around."""
_MIDDLE = (0.12, 0.4)
"""Frequencies that are compared, in cycles per pixel: texture is strong there, slopes
are not."""
_SINGLE_ERROR = 0.4
"""Standard error of their correlation, times the root of the number of patches that do
not overlap: 0.25 to 0.5 on noise of 64 to 512 pixels."""
_TINY = 1e-30

_ky, _kx = np.mgrid[:SIDE, :SIDE]
_radius = np.hypot(_ky, _kx) / (2 * SIDE)
_COMPARED = (_radius > _MIDDLE[0]) & (_radius < _MIDDLE[1])
VARYING = (_ky + _kx) > 0
_EVEN = (_ky + _kx) % 2 == 0
"""Half of the frequencies. Noise whose correlation is the same to both sides has
independent coefficients in the two halves of a patch."""
_BASIS = dct(np.eye(SIDE), axis=0, norm="ortho")


@dataclass(frozen=True)
class SpectrumPatches:
    """Overlapping patches of a plane.

    Attributes
    ----------
    squares, rough : ndarray of float32, shape (N, 8, 8)
        Squared coefficients of the cosine transform; of all, and of what no smooth
        curve explains.
    means, surroundings : ndarray, shape (N,)
        Mean intensity of a patch and of the eight patches around it.
    outlier : ndarray of bool, shape (N,)
        Whether a pixel stands out of its patch.
    whole_yx : ndarray of bool, shape (rows, columns)
        Grid of all patches: whether all pixels are valid, and not of one value. N of
        them are.
    apart : int
        Distance in the grid at which patches do not overlap.
    least : int
        Smallest number of patches of an intensity bin.
    """

    squares: NDArray[np.float32]
    rough: NDArray[np.float32]
    means: NDArray[np.float64]
    surroundings: NDArray[np.float64]
    outlier: NDArray[np.bool_]
    whole_yx: NDArray[np.bool_]
    apart: int
    least: int

    @classmethod
    def of(
        cls,
        plane_yx: NDArray[np.floating],
        valid_yx: NDArray[np.bool_],
        structure_yx: NDArray[np.floating] | None = None,
    ) -> SpectrumPatches:
        """Cut and transform the patches, less the structure; their means hold it."""
        if structure_yx is not None:
            plane_yx = plane_yx - structure_yx
        # Odd, because the noise of enlarged and demosaicked planes has a period of two.
        stride = math.ceil(math.sqrt(plane_yx.size / _MAX_PATCHES)) // 2 * 2 + 1
        grid, apart = (slice(None, None, stride),) * 2, math.ceil(SIDE / stride)
        windows = sliding_window_view(plane_yx.astype(np.float32), (SIDE,) * 2)
        inside = sliding_window_view(valid_yx, (SIDE,) * 2)[grid]
        # A patch of one value, as where no photon arrived, has no noise to measure.
        varies = windows[grid].max(axis=(-1, -2)) > windows[grid].min(axis=(-1, -2))
        whole = np.asarray(inside.all(axis=(-1, -2)) & varies)
        patches = windows[grid][whole]
        basis = _BASIS.astype(np.float32)
        coefficients = basis @ patches @ basis.T
        means = coefficients[:, 0, 0].astype(np.float64) / SIDE
        if structure_yx is not None:
            known = sliding_window_view(structure_yx, (SIDE,) * 2)[grid][whole]
            means += known.mean(axis=(-1, -2))
        smooth, kept = _smooth()
        rough = coefficients - smooth @ coefficients @ smooth
        return cls(
            np.square(coefficients),
            np.square(rough) / kept,
            means,
            _around(means, whole, apart),
            _stands_out(patches.reshape(len(patches), SIDE**2)),
            whole,
            apart,
            max(_BIN_PIXELS // (4 * stride**2), 60),
        )

    def energies(
        self, power: NDArray[np.float64], line: Line
    ) -> tuple[NDArray[np.float64], ...]:
        """Return energies over those of noise; 1 without structure.

        A large energy is limited, so that a single bright edge does not spread.

        Returns
        -------
        tuple of three ndarray, each of shape (N,)
            The first has the mean energy of the patches around each patch. The second
            is averaged with the energy of the patch itself at odd frequencies, the
            third with that at even ones (`_EVEN`).
        """
        scale = np.maximum(power, _LEAST_SHARE)[VARYING].astype(np.float32)
        relative = self._relative(power, line, VARYING)
        weights = scale**_EMPHASIS / (scale**_EMPHASIS).sum()
        even = _EVEN[VARYING]
        sums = [relative[:, which] @ weights[which] for which in (~even, even)]
        around = _around(np.sum(sums, axis=0, dtype=float), self.whole_yx, self.apart)
        odd, own = sums[0] / weights[~even].sum(), sums[1] / weights[even].sum()
        found = around, (around + odd) / 2, (around + own) / 2
        return tuple(np.where(self.outlier, 100 * one, one) for one in found)

    def unevenness(self, power: NDArray[np.float64], line: Line) -> float:
        """Return how far the noise may be from one level everywhere.

        The correlation, without its sign, of the energies, as logarithms, that a patch
        has in the two halves of its frequencies, among the quietest patches, plus two
        standard errors. Noise is independent in both, and the same at equal intensity:
        0. A patch of texture has more in both, one of stripes more in one.
        """
        odd, even = (
            self._relative(power, line, _COMPARED & which).mean(axis=1, dtype=float)
            for which in (~_EVEN, _EVEN)
        )
        around = _around(odd + even, self.whole_yx, self.apart)
        chosen = around <= np.quantile(around, _QUIETEST)
        logs = [np.log(np.maximum(one[chosen], _TINY)) for one in (odd, even)]
        first, second = (one - one.mean() for one in logs)
        product = math.sqrt(float((first**2).mean() * (second**2).mean()))
        correlation = float((first * second).mean()) / max(product, _TINY)
        independent = max(chosen.sum() / self.apart**2, 1.0)
        return abs(correlation) + 2 * _SINGLE_ERROR / math.sqrt(independent)

    def _relative(
        self, power: NDArray[np.float64], line: Line, which: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        """Return some squared coefficients over those of noise; limited."""
        scale = np.maximum(power, _LEAST_SHARE)[which].astype(np.float32)
        middle = (self.surroundings + self.means) / 2
        expected = line(middle).astype(np.float32)[:, None]
        relative = self.squares[:, which] / scale
        relative /= np.maximum(expected, _TINY)
        np.minimum(relative, _LARGEST_ENERGY, out=relative)
        return relative

    def usual(self, energies: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the energies of patches in which no pixel stands out."""
        return energies if self.outlier.all() else energies[~self.outlier]

    def quiet(
        self, energies: NDArray[np.float64], bins: Sequence[NDArray[np.intp]]
    ) -> list[NDArray[np.intp]]:
        """Return the quiet patches of each bin."""
        limit = _QUIET[1] * float(np.quantile(self.usual(energies), _QUIET[0]))
        return [_quiet(energies, members, limit) for members in bins]

    def power(
        self,
        for_even: NDArray[np.intp],
        for_odd: NDArray[np.intp],
        *,
        rough: bool = False,
    ) -> NDArray[np.float64]:
        """Return the power at each frequency, from other patches for each half."""
        squares = self.rough if rough else self.squares
        of_each = [_power(squares[which]) for which in (for_even, for_odd)]
        return np.where(_EVEN, *of_each)


@cache
def _smooth() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the projection on smooth curves, and the share of noise beside them.

    The cosine transform spreads a slope over all frequencies, of which those of a
    smooth image fall as those of correlated noise do. What is left after a polynomial
    of the patch does not hold it.

    Returns
    -------
    smooth : ndarray of float32, shape (8, 8)
        Projection of the coefficients along one axis, on polynomials.
    kept : ndarray of float32, shape (8, 8)
        Share of the power of white noise at each frequency that is not in polynomials
        along both axes.
    """
    powers = np.vander(np.linspace(-1, 1, SIDE), _DEGREE + 1)
    curves, _ = np.linalg.qr(_BASIS @ powers)
    smooth = curves @ curves.T
    own = smooth.diagonal()
    kept = np.maximum(1 - np.outer(own, own), _LEAST_KEPT)
    return smooth.astype(np.float32), kept.astype(np.float32)


def _around(
    values: NDArray[np.float64], whole_yx: NDArray[np.bool_], apart: int
) -> NDArray[np.float64]:
    """Return the mean of the eight patches around each, mirrored at the edges."""
    grid, count = np.zeros(whole_yx.shape), whole_yx.astype(np.float64)
    grid[whole_yx] = values
    rows, columns = whole_yx.shape[0], whole_yx.shape[1]

    def sums(plane: NDArray[np.float64]) -> NDArray[np.float64]:
        padded = np.pad(plane, apart, mode="symmetric")
        places = [(top, left) for top in range(3) for left in range(3)]
        parts = [
            padded[top * apart :, left * apart :][:rows, :columns]
            for top, left in places
            if (top, left) != (1, 1)
        ]
        return np.asarray(np.sum(parts, axis=0)[whole_yx])

    number = sums(count)
    return np.where(number > 0, sums(grid) / np.maximum(number, 1), values)


def _stands_out(patches: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which patches hold a pixel far outside of the others."""
    if not len(patches):
        return np.zeros(0, dtype=np.bool_)
    middle = np.median(patches, axis=1, keepdims=True)
    away = np.abs(patches - middle)
    usual = 1.4826 * np.median(away, axis=1)
    return np.asarray((away.max(axis=1) > _OUTLIER * usual) & (usual > 0))


def _quiet(
    energies: NDArray[np.float64], members: NDArray[np.intp], limit: float
) -> NDArray[np.intp]:
    """Return the quiet patches of a bin: at least a few."""
    own = energies[members]
    least = max(_LEAST_QUIET[0], int(_LEAST_QUIET[1] * len(members)))
    count = max(int((own <= limit).sum()), least)
    if count >= len(members):
        return members
    return members[np.argpartition(own, count - 1)[:count]]


def _power(squares: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the mean square of each coefficient, without the largest ones."""
    kept = max(int(_KEPT * len(squares)), 1)
    smallest = np.partition(squares, kept - 1, axis=0)[:kept]
    return np.asarray(smallest.mean(axis=0, dtype=np.float64) / _KEPT_MEAN)
