"""The candidate networks by name.

A new network is its `nn.Module` in `core.networks`, its `CandidateModel` in a file of
this package, and one line here. A caller outside of the package registers its own:

    register_candidate(MyModel())
    denoise(image, settings=preset_settings("auto", candidates="my-model"))
"""

from __future__ import annotations

from napari_inr_denoise.core.candidates.attention import AttentionModel
from napari_inr_denoise.core.candidates.base import BlindSpotModel, CandidateModel
from napari_inr_denoise.core.candidates.neighbourhood import NeighbourhoodModel
from napari_inr_denoise.core.candidates.siren import SirenModel
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.settings import (
    NEIGHBOURHOOD,
    SIREN_BANDWIDTHS,
    DenoiseSettings,
    allow_candidate,
)

_MODELS: dict[str, CandidateModel] = {}


def register_candidate(model: CandidateModel) -> None:
    """Add a network, or replace the one of the same name."""
    allow_candidate(model.name)
    _MODELS[model.name] = model


register_candidate(NeighbourhoodModel())
register_candidate(AttentionModel())
for _name, _factor in SIREN_BANDWIDTHS.items():
    register_candidate(SirenModel(_name, _factor))


def candidate_model(name: str) -> CandidateModel:
    """Return the network of a name; KeyError if none is registered."""
    return _MODELS[name]


def candidate_models(settings: DenoiseSettings) -> tuple[CandidateModel, ...]:
    """Return the networks that the settings name, in their order."""
    return tuple(_MODELS[name] for name in settings.candidate_names)


def suitable_models(
    settings: DenoiseSettings, problem: NoisyPlane
) -> tuple[CandidateModel, ...]:
    """Return the networks that can be fitted to a plane.

    Where neighbouring pixels share noise, they reveal the noise of a held-out pixel.
    Only networks that handle this take part then, and the neighbourhood network if the
    settings name none of them.
    """
    models = candidate_models(settings)
    if not problem.noise.correlated:
        return models
    robust = tuple(one for one in models if one.handles_correlated_noise)
    return robust or (_MODELS[NEIGHBOURHOOD],)


def shareable_models(settings: DenoiseSettings) -> tuple[BlindSpotModel, ...]:
    """Return the networks that planes or tiles can share."""
    return tuple(
        one
        for one in candidate_models(settings)
        if one.shareable and isinstance(one, BlindSpotModel)
    )
