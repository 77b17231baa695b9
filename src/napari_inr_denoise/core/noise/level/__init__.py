"""Noise level of a plane: one value, or its variance over intensity.

`chen` measures one value for white noise, the published estimate. `level_function`
measures the variance over intensity in textureless `patches`; `bright_noise` continues
it to intensities that no quiet patch has. `intensity_bins` divides pixels by intensity,
here and wherever else the noise is measured.

A new estimate is a module here, and a call in `core.noise.estimate`.

    curve = measure_level_function(plane_yx, valid_yx)
    variance_yx = curve.variance(smooth_yx)
"""

from napari_inr_denoise.core.noise.level.level_function import (
    NoiseLevelFunction as NoiseLevelFunction,
)
from napari_inr_denoise.core.noise.level.level_function import (
    measure_level_function as measure_level_function,
)
