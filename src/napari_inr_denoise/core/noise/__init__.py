"""Noise models, estimated from an image alone; numpy and scipy, without torch.

`estimate_noise` returns the `NoiseModel` of an image. `NoisyPlane` is a plane with its
noise model and its masks, the input of all fits. `measure.measure_plane` makes one.

The measurement takes three steps: the white noise level from patch eigenvalues
(`chen`), on sub-lattices if neighbouring pixels share noise; the noise level function,
variance over intensity (`level_function`); and the hot pixels, which are not fitted
(`hot_pixels`). `anscombe` stabilizes the variance.

A new property of the noise is an attribute of `NoiseModel`, a line in `combine_noise`
for stacks, and is set in `estimate.examine_plane`.

    noise = estimate_noise(image, axes="ZYX")
    print(noise.describe())
"""

from napari_inr_denoise.core.noise.estimate import estimate_noise as estimate_noise
from napari_inr_denoise.core.noise.model import NoiseModel as NoiseModel
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane as NoisyPlane
