"""All settings of a run, nested by the part that they configure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from napari_inr_denoise.core.settings.candidate_names import CANDIDATES, SIREN
from napari_inr_denoise.core.settings.fields import CheckedSettings, setting
from napari_inr_denoise.core.settings.networks import (
    AttentionSettings,
    NeighbourhoodSettings,
    SirenSettings,
)

MODES = ("plane", "volume")
_PARTS: dict[str, Any] = {
    "siren": SirenSettings,
    "neighbourhood": NeighbourhoodSettings,
    "attention": AttentionSettings,
}
_FLAT_NAMES: dict[str, tuple[str, ...]] = {
    **{name: ("siren", name) for name in SirenSettings.__dataclass_fields__},
    "judge_every": ("siren", "eval_every"),
    "window_radius": ("neighbourhood", "radius"),
    "window_width": ("neighbourhood", "width"),
    "window_depth": ("neighbourhood", "depth"),
    "window_steps": ("neighbourhood", "steps"),
    "window_batch": ("neighbourhood", "batch_size"),
    "window_rate": ("neighbourhood", "learning_rate"),
    "context_radius": ("neighbourhood", "context_radius"),
    "attention_width": ("attention", "width"),
    "attention_steps": ("attention", "steps"),
    "attention_batch": ("attention", "batch_size"),
    "attention_rate": ("attention", "learning_rate"),
    "turns": ("n_augmentations",),
}
"""Short names of nested settings, and the flat names in older files."""


@dataclass(frozen=True, init=False)
class DenoiseSettings(CheckedSettings):
    """Everything that decides a run; frozen, checked, the same on every machine.

    A nested setting is given by its part, as an object or a mapping of changes
    (`siren={"omega": 30.0}`), or by its short name (`omega=30.0`, `window_steps=100`,
    `attention_steps=50`). `dataclasses.replace` takes the same keywords.

    Attributes
    ----------
    preset : str
        Name of the preset that these settings started from.
    seed : int
        Seed of the run's own random generator; the same seed on the same device
        gives the same bytes.
    device : str
        "auto", "cpu", "cuda", "cuda:0", "mps", ...
    candidates : str
        Networks that are fitted, joined by "+": "neighbourhood", "attention",
        "siren", and "siren-coarse" and "siren-fine" of half and twice its bandwidth.
        "siren" alone is the published method; several are weighted by their error on
        held-out pixels.
    context : int
        Context slices on each side, along Z or else T, that a network also sees where
        they show the same structure. 0: every plane by itself, with a network of its
        own.
    n_augmentations : int
        Flips and rotations of the surroundings that a prediction averages.
    ridge_rounds : int
        How often similar patches are averaged. Each round after the first searches in
        the result of the one before, for larger groups.
    patience : float
        How long the networks with a blind spot are trained for small gains. With 2
        they go on until half the usual gain is expected. SIREN stops at the noise
        level.
    mode : str
        "plane": planes one by one, with what they share; "volume": planes along Z as
        one, with a coordinate network in (z, y, x) beside the others, and filters in
        3D. With SIREN alone, as in `paper`, the published method with a third
        coordinate.
    strength : float
        More or less denoising than the fit has found: -1 gives the input back, 0 is
        the best estimate, up to 1 contrast that is small beside the error is smoothed.
    memory_gb : float
        Most memory to take, in gigabytes (10^9 bytes), beside an image or result
        that the caller holds: planes that would need more are cut into tiles.
    siren : SirenSettings
        Settings of the coordinate networks.
    neighbourhood : NeighbourhoodSettings
        Settings of the neighbourhood network.
    attention : AttentionSettings
        Settings of the attention network.
    """

    preset: str = setting("paper", "Preset the settings started from.")
    seed: int = setting(0, "Seed of the random numbers.", minimum=0, maximum=2**63 - 1)
    device: str = setting("auto", "Where to compute: auto, cpu, cuda, cuda:1, mps.")
    candidates: str = setting(SIREN, "Networks to fit, joined by +.")
    context: int = setting(
        1, "Context slices on each side of a plane.", minimum=0, maximum=4
    )
    n_augmentations: int = setting(
        8, "Flips and rotations that are averaged.", minimum=1, maximum=8
    )
    ridge_rounds: int = setting(
        1, "Rounds of averaging similar patches.", minimum=1, maximum=8
    )
    patience: float = setting(
        1.0, "How long to train for small gains.", minimum=0.1, maximum=100.0
    )
    mode: str = setting("plane", "What is fitted as one: plane or volume.")
    strength: float = setting(
        0.0, "More (up to 1) or less (to -1) denoising.", minimum=-1.0, maximum=1.0
    )
    memory_gb: float = setting(
        2.0, "Most memory to take.", minimum=0.5, maximum=1e4, unit="GB"
    )
    siren: SirenSettings = field(default_factory=SirenSettings)
    neighbourhood: NeighbourhoodSettings = field(default_factory=NeighbourhoodSettings)
    attention: AttentionSettings = field(default_factory=AttentionSettings)

    def __init__(self, **values: Any) -> None:  # noqa: ANN401 - checked
        unknown = set(values) - known_settings()
        if unknown:
            raise TypeError(_unknown(unknown))
        nested: dict[str, dict[str, Any]] = {name: {} for name in _PARTS}
        for name in _FLAT_NAMES.keys() & values.keys():
            *part, last = _FLAT_NAMES[name]
            (nested[part[0]] if part else values)[last] = values[name]
        for item in fields(self):
            if item.name in _PARTS:
                given = values.get(item.name, {})
                value = _part(item.name, given, nested[item.name])
            else:
                value = values.get(item.name, item.default)
            object.__setattr__(self, item.name, value)
        self.__post_init__()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.mode not in MODES:
            raise ValueError(
                f"mode: got {self.mode!r}, wanted one of {', '.join(MODES)}."
            )
        names = self.candidate_names
        if not set(names) <= set(CANDIDATES) or len(set(names)) < len(names):
            raise ValueError(
                f"candidates: got {self.candidates!r}, wanted one or more of "
                f"{', '.join(CANDIDATES)}, each once, joined by +."
            )

    @property
    def candidate_names(self) -> tuple[str, ...]:
        """The names in `candidates`, in the order in which they are fitted."""
        return tuple(self.candidates.split("+"))

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain values, nested by part, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> DenoiseSettings:
        """Rebuild settings from `to_dict`, or from the flat form of older files.

        Raises
        ------
        ValueError
            If a name is unknown or a value is out of its bounds.
        TypeError
            If a value is of the wrong type.
        """
        unknown = set(values) - known_settings()
        if unknown:
            raise ValueError(_unknown(unknown))
        return cls(**values)


def known_settings() -> set[str]:
    """Return the names of all settings: those of `DenoiseSettings` and short names."""
    return {item.name for item in fields(DenoiseSettings)} | _FLAT_NAMES.keys()


def _unknown(names: set[str]) -> str:
    return (
        f"unknown setting {', '.join(sorted(names))}; known are "
        f"{', '.join(sorted(known_settings()))}. Remove or rename it."
    )


def _part(name: str, given: Any, changes: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """Return a part of the settings, given as an object or as a mapping of changes."""
    kind = _PARTS[name]
    if isinstance(given, Mapping):
        given, changes = kind(), {**given, **changes}
    if not isinstance(given, kind):
        raise TypeError(f"{name}: got {given!r}, wanted {kind.__name__}.")
    known = {item.name for item in fields(kind)}
    unknown = sorted(set(changes) - known)
    if unknown:
        raise ValueError(
            f"{name}: unknown setting {', '.join(unknown)}; known are "
            f"{', '.join(sorted(known))}. Remove or rename it."
        )
    return replace(given, **changes)
