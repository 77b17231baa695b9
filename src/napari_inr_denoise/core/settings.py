"""Settings of a denoising run: names, bounds, help and units in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, asdict, dataclass, field, fields, replace
from numbers import Integral, Real
from typing import Any

Choice = str | int | float
NEIGHBOURHOOD, ATTENTION, SIREN = "neighbourhood", "attention", "siren"
SIREN_BANDWIDTHS = {SIREN: 1.0, "siren-coarse": 0.5, "siren-fine": 2.0}
"""Names of SIREN by bandwidth: factors of `omega` and of the finest first period."""
CANDIDATES = [NEIGHBOURHOOD, ATTENTION, *SIREN_BANDWIDTHS]
"""Names of the networks; `core.candidates.registry` holds the networks themselves."""
MODES = ("plane", "volume")


def _setting(
    default: Choice,
    help_text: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    unit: str = "",
) -> Any:  # noqa: ANN401 - dataclass fields are typed by their annotation
    """Declare a field with its bounds, help and unit in the field's metadata."""
    return field(
        default=default,
        metadata={
            "help": help_text,
            "minimum": minimum,
            "maximum": maximum,
            "unit": unit,
        },
    )


class _Checked:
    """Base of frozen settings: every field is checked when an object is made."""

    def __post_init__(self) -> None:
        for item in fields(self):  # type: ignore[arg-type]
            if "help" in item.metadata:
                value = _checked(item, getattr(self, item.name))
                object.__setattr__(self, item.name, value)


@dataclass(frozen=True)
class SirenSettings(_Checked):
    """SIREN and its training: the published method.

    What Kim, Lee and Shin (arXiv 2204.02405) fix: an implicit neural representation
    fitted to the one noisy image, stopped when the mean squared residual reaches the
    noise variance estimated after Chen et al. (ICCV 2015), with weight decay on the
    last two layers only. All other defaults are this project's own choice.

    Attributes
    ----------
    omega : float
        Frequency of the sine layers after the first. The SIREN paper uses 30; 20 did
        better on the fluorescence images that were tried.
    first_period : float
        Shortest period of the first layer's sines, in pixels. It sets that layer's
        frequency from the image's size: the bandwidth is the same in small and large
        images.
    width, depth : int
        Units in each sine layer, and number of sine layers; a linear output follows.
    patch_size : int
        Side, in pixels, of the square that the network predicts at each coordinate. 1
        gives one value per coordinate, as in the paper.
    batch_size : int
        Coordinates drawn in each step.
    learning_rate : float
        Step size of Adam.
    weight_decay : float
        Decoupled decay, per unit of learning rate, of the decayed layers' weights.
    decay_layers : int
        Number of layers, counted from the output, that are decayed.
    average_decay : float
        Decay of the running mean of the weights; 0 turns the averaging off.
    max_steps : int
        Most optimization steps for one plane.
    eval_every : int
        Steps between two evaluations of the whole image.
    """

    omega: float = _setting(
        20.0, "Frequency of the later sine layers.", minimum=0.1, maximum=1000.0
    )
    first_period: float = _setting(
        27.0,
        "Shortest period of the first layer's sines.",
        minimum=1.0,
        maximum=1e6,
        unit="pixel",
    )
    width: int = _setting(256, "Units in a sine layer.", minimum=1, maximum=4096)
    depth: int = _setting(4, "Number of sine layers.", minimum=1, maximum=32)
    patch_size: int = _setting(
        4,
        "Side of the square predicted at a coordinate.",
        minimum=1,
        maximum=32,
        unit="pixel",
    )
    batch_size: int = _setting(
        2048, "Coordinates drawn in each step.", minimum=1, maximum=2**24
    )
    learning_rate: float = _setting(
        2e-4, "Step size of Adam.", minimum=1e-8, maximum=1.0
    )
    weight_decay: float = _setting(
        3.0, "Decay of the last layers' weights.", minimum=0.0, maximum=1e4
    )
    decay_layers: int = _setting(
        2, "Layers that are decayed, from the output.", minimum=0, maximum=33
    )
    average_decay: float = _setting(
        0.99, "Decay of the weight average.", minimum=0.0, maximum=0.99999
    )
    max_steps: int = _setting(
        2500, "Most steps for one plane.", minimum=1, maximum=10**7, unit="step"
    )
    eval_every: int = _setting(
        25,
        "Steps between evaluations of the whole image.",
        minimum=1,
        maximum=10**6,
        unit="step",
    )


@dataclass(frozen=True)
class NeighbourhoodSettings(_Checked):
    """The network that sees a window around each pixel, without the pixel.

    Attributes
    ----------
    radius : int
        Half the side of the window, in pixels, without the central pixel.
    width, depth : int
        Units of a hidden layer, and number of hidden layers.
    steps : int
        Most optimization steps. A small plane gets fewer, because it would be
        overfitted; the training ends earlier where there is nothing more to gain.
        Correlated noise takes 1.5 times as many, at most 400.
    batch_size : int
        Pixels drawn in each step.
    learning_rate : float
        Step size of AdamW.
    context_radius : int
        Half the side of the window in the context slices, in pixels.
    """

    radius: int = _setting(
        7, "Radius of the window.", minimum=1, maximum=32, unit="pixel"
    )
    width: int = _setting(128, "Units in a hidden layer.", minimum=1, maximum=4096)
    depth: int = _setting(3, "Hidden layers.", minimum=1, maximum=16)
    steps: int = _setting(
        600, "Most optimization steps.", minimum=1, maximum=10**6, unit="step"
    )
    batch_size: int = _setting(
        2048, "Pixels drawn in each step.", minimum=1, maximum=2**20
    )
    learning_rate: float = _setting(
        2e-3, "Step size of AdamW.", minimum=1e-8, maximum=1.0
    )
    context_radius: int = _setting(
        4,
        "Radius of the window in context slices.",
        minimum=0,
        maximum=32,
        unit="pixel",
    )


@dataclass(frozen=True)
class AttentionSettings(_Checked):
    """The convolutional network with attention.

    Attributes
    ----------
    width : int
        Channels.
    steps : int
        Most optimization steps; the training ends earlier where there is nothing more
        to gain.
    batch_size : int
        Crops of 96x96 pixels drawn in each step.
    learning_rate : float
        Step size of AdamW.
    """

    width: int = _setting(32, "Channels.", minimum=1, maximum=512)
    steps: int = _setting(
        300, "Most optimization steps.", minimum=1, maximum=10**6, unit="step"
    )
    batch_size: int = _setting(1, "Crops drawn in each step.", minimum=1, maximum=2**12)
    learning_rate: float = _setting(
        1.5e-3, "Step size of AdamW.", minimum=1e-8, maximum=1.0
    )


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
class DenoiseSettings(_Checked):
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
        Of the coordinate networks.
    neighbourhood : NeighbourhoodSettings
        Of the neighbourhood network.
    attention : AttentionSettings
        Of the attention network.
    """

    preset: str = _setting("paper", "Preset the settings started from.")
    seed: int = _setting(0, "Seed of the random numbers.", minimum=0, maximum=2**63 - 1)
    device: str = _setting("auto", "Where to compute: auto, cpu, cuda, cuda:1, mps.")
    candidates: str = _setting(SIREN, "Networks to fit, joined by +.")
    context: int = _setting(
        1, "Context slices on each side of a plane.", minimum=0, maximum=4
    )
    n_augmentations: int = _setting(
        8, "Flips and rotations that are averaged.", minimum=1, maximum=8
    )
    ridge_rounds: int = _setting(
        1, "Rounds of averaging similar patches.", minimum=1, maximum=8
    )
    patience: float = _setting(
        1.0, "How long to train for small gains.", minimum=0.1, maximum=100.0
    )
    mode: str = _setting("plane", "What is fitted as one: plane or volume.")
    strength: float = _setting(
        0.0, "More (up to 1) or less (to -1) denoising.", minimum=-1.0, maximum=1.0
    )
    memory_gb: float = _setting(
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


def _checked(item: Field[Any], value: Any) -> Choice:  # noqa: ANN401 - checked here
    """Return one setting, or raise a sentence if it has a wrong type or size."""
    name, about = item.name, item.metadata["help"]
    if item.type == "str":
        if not isinstance(value, str):
            raise TypeError(f"{name}: got {value!r}, wanted a text. {about}")
        return value
    wanted = Integral if item.type == "int" else Real
    # bool is an int to Python; here it is a mistake.
    if type(value) is bool or not isinstance(value, wanted):
        raise TypeError(f"{name}: got {value!r}, wanted {item.type}. {about}")
    low, high = item.metadata["minimum"], item.metadata["maximum"]
    if not low <= value <= high:
        raise ValueError(
            f"{name}: got {value}, wanted a value from {low} to {high}. {about}"
        )
    return _plain(value, whole=item.type == "int")


def _plain(value: Any, *, whole: bool) -> Choice:  # noqa: ANN401 - any kind of number
    """Return a number of Python's own: neither torch nor JSON takes those of numpy."""
    if type(value) in (int, float):
        return value  # type: ignore[no-any-return]
    return int(value) if whole else float(value)


PRESETS: dict[str, DenoiseSettings] = {
    "auto": DenoiseSettings(
        preset="auto",
        candidates=NEIGHBOURHOOD,
        ridge_rounds=2,
    ),
    "fast": DenoiseSettings(
        preset="fast",
        candidates=NEIGHBOURHOOD,
        n_augmentations=1,
        neighbourhood=NeighbourhoodSettings(radius=5, width=96, depth=2, steps=200),
    ),
    "best": DenoiseSettings(
        preset="best",
        candidates=f"{NEIGHBOURHOOD}+{ATTENTION}",
        ridge_rounds=2,
        patience=4.0,
        neighbourhood=NeighbourhoodSettings(steps=1200),
        attention=AttentionSettings(steps=600),
    ),
    "paper": DenoiseSettings(preset="paper"),
}
"""The presets by name.

`paper` is the published method. `auto`, the default, is a network that sees a pixel's
surroundings, and `fast` a smaller one, for a look. `best` trains it for longer, beside
one that sees farther, weighed by held-out pixels: about 0.05 dB for three times the
time.
"""


def allow_candidate(name: str) -> None:
    """Allow a network's name in `DenoiseSettings.candidates`.

    Raises
    ------
    ValueError
        If the name is empty or contains the separator +.
    """
    if not name or "+" in name:
        raise ValueError(f"candidate name: got {name!r}, wanted a name without +.")
    if name not in CANDIDATES:
        CANDIDATES.append(name)


def preset_settings(
    preset: str,
    **changes: Any,  # noqa: ANN401 - checked
) -> DenoiseSettings:
    """Return a preset's settings with some of them changed; see `DenoiseSettings`.

    Raises
    ------
    ValueError
        If there is no such preset or a value is out of its bounds.
    TypeError
        If a value is of the wrong type.
    """
    if not isinstance(preset, str) or preset not in PRESETS:
        raise ValueError(f"preset: got {preset!r}, wanted one of {', '.join(PRESETS)}.")
    return replace(PRESETS[preset], **changes)
