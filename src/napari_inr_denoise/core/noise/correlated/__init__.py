"""Noise that neighbouring pixels share: found, and measured at all frequencies.

`spectrum` measures the power of the noise in quiet patches (`spectrum_patches`), white
or not; `fine_spectrum` takes the leakage of the patches out of it. Two modules keep it
from taking structure for noise: `highest_frequencies` looks where light has next to
nothing, `regular` predicts pixels from far ones. `autocorrelation` measures the
correlation that a residual has left.

What follows from it is decided in `core.noise.estimate`; transforms that make the noise
white are in `core.noise.white`.

    spectrum = measure_spectrum(plane_yx, valid_yx)
    spectrum.correlated, spectrum.distance, spectrum.level_function
"""

from napari_inr_denoise.core.noise.correlated.autocorrelation import (
    residual_correlation as residual_correlation,
)
from napari_inr_denoise.core.noise.correlated.spectrum import (
    NoiseSpectrum as NoiseSpectrum,
)
from napari_inr_denoise.core.noise.correlated.spectrum import (
    measure_spectrum as measure_spectrum,
)
