"""Settings of a denoising run: names, bounds, help and units in one place.

`DenoiseSettings` is everything that decides a run. `fields` declares and checks a
setting, `networks` holds a class for each network, `candidate_names` the names of the
networks, and `presets` the settings to start from.

To add a setting, add a field to `DenoiseSettings` or to the class of its network, with
bounds, help and unit. To add a part, add its class to `networks`, a field to
`DenoiseSettings`, and its name to `_PARTS` beside it.

Example::

    settings = preset_settings("auto", seed=1, window_steps=100)
    settings.neighbourhood.steps  # 100
"""

from napari_inr_denoise.core.settings.candidate_names import ATTENTION as ATTENTION
from napari_inr_denoise.core.settings.candidate_names import CANDIDATES as CANDIDATES
from napari_inr_denoise.core.settings.candidate_names import (
    NEIGHBOURHOOD as NEIGHBOURHOOD,
)
from napari_inr_denoise.core.settings.candidate_names import SIREN as SIREN
from napari_inr_denoise.core.settings.candidate_names import (
    SIREN_BANDWIDTHS as SIREN_BANDWIDTHS,
)
from napari_inr_denoise.core.settings.candidate_names import (
    allow_candidate as allow_candidate,
)
from napari_inr_denoise.core.settings.denoise_settings import MODES as MODES
from napari_inr_denoise.core.settings.denoise_settings import (
    DenoiseSettings as DenoiseSettings,
)
from napari_inr_denoise.core.settings.denoise_settings import (
    known_settings as known_settings,
)
from napari_inr_denoise.core.settings.fields import Choice as Choice
from napari_inr_denoise.core.settings.networks import (
    AttentionSettings as AttentionSettings,
)
from napari_inr_denoise.core.settings.networks import (
    NeighbourhoodSettings as NeighbourhoodSettings,
)
from napari_inr_denoise.core.settings.networks import SirenSettings as SirenSettings
from napari_inr_denoise.core.settings.presets import PRESETS as PRESETS
from napari_inr_denoise.core.settings.presets import preset_settings as preset_settings
