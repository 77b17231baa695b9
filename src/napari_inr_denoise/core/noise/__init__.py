"""Noise models, estimated from an image alone; numpy and scipy, without torch.

`estimate_noise` returns the `NoiseModel` of an image. `NoisyPlane` is a plane with its
noise model and its masks, the input of all fits. `measure.measure_plane` makes one.

Before the measurement, constant fill is marked as invalid and the noise of whole rows
and columns is subtracted; hot pixels are not fitted (`defects`). The spectrum decides
whether neighbouring pixels share noise (`correlated`). Then the noise variance is
measured over intensity: in the spectrum if they do, else in textureless patches
(`level`). `estimate` decides which one holds.
Regions of other noise are measured by themselves (`regions`). `anscombe` stabilizes the
variance; transforms make correlated noise `white`.

A new property of the noise is an attribute of `NoiseModel`, a line in `combine_noise`
for stacks, and is set in `estimate.examine_plane`.

    noise = estimate_noise(image, axes="ZYX")
    print(noise.describe())
"""

from napari_inr_denoise.core.noise.measure import estimate_noise as estimate_noise
from napari_inr_denoise.core.noise.model import NoiseModel as NoiseModel
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane as NoisyPlane
