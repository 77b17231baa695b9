"""Defects: what stands in a plane and is neither light nor random noise.

`fill` finds padding and missing parts, `jpeg` what compression has removed,
`line_noise` the noise of whole rows and columns, `interference` waves over the whole
plane, `hot_pixels` hot and dead pixels. Each takes a plane with its valid pixels and
returns a mask, or what to subtract. `fixed_pattern` finds the offsets that the planes
of a stack share. A new one is a module here, and a line in `structured` if it is to be
subtracted; otherwise a call where planes are measured (`core.noise.measure`) and read
(`core.sampling.stack.even_planes`, `core.pipeline.strategies`).

    measured_yx, share = measured_pixels(values_yxs, valid_yx)
    values_yxs, removed_yxs = without_structured_noise(values_yxs, measured_yx)
"""

from napari_inr_denoise.core.noise.defects.fill import (
    measured_pixels as measured_pixels,
)
from napari_inr_denoise.core.noise.defects.structured import (
    without_structured_noise as without_structured_noise,
)
