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


@dataclass(frozen=True)
class DenoiseSettings:
    """Everything that decides a run; frozen, checked, the same on every machine.

    The method is that of Kim, Lee and Shin, "Zero-shot Blind Image Denoising via
    Implicit Neural Representations" (arXiv 2204.02405). What the paper fixes: an
    implicit neural representation fitted to the one noisy image, stopped when the
    mean squared residual reaches the noise variance estimated after Chen et al.
    (ICCV 2015), with weight decay on the last two layers only. **What it leaves
    open, or what we could not read in it, is this project's own choice:** `omega`,
    `first_period`, `width`, `depth`, `patch_size`, `batch_size`, `learning_rate`,
    `weight_decay`, `average_decay`, `max_steps` and `judge_every`.

    Attributes
    ----------
    preset : str
        Name of the preset that these settings started from.
    seed : int
        Seed of the run's own random generator; the same seed on the same device
        gives the same bytes.
    device : str
        "auto", "cpu", "cuda", "cuda:0", "mps", ...
    omega : float
        Frequency of the sine layers after the first. The SIREN paper's value is 30;
        20 did better on the fluorescence images that were tried.
    first_period : float
        Shortest period of the first layer's sines, in pixels: sets that layer's own
        frequency from the image's size, so that the bandwidth is the same in a small
        and in a large image.
    width : int
        Units in each sine layer.
    depth : int
        Number of sine layers; a linear output layer follows.
    patch_size : int
        Side of the square of pixels that the network predicts at each coordinate,
        in pixels. 1 gives one value per coordinate, as in the paper.
    batch_size : int
        Coordinates drawn in each step.
    learning_rate : float
        Step size of Adam.
    weight_decay : float
        Decoupled decay, per unit of learning rate, of the decayed layers' weights.
    decay_layers : int
        How many layers, counted from the output, are decayed. The paper's is 2.
    average_decay : float
        Decay of the running mean of the weights; 0 turns the averaging off.
    max_steps : int
        Budget: optimisation steps for one plane.
    judge_every : int
        Steps between two looks at the whole image.
    candidates : str
        Networks that are fitted, joined by "+": "neighbourhood", "attention",
        "siren", and "siren-coarse" and "siren-fine" of half and twice its bandwidth.
        "siren" alone is the published method; several are weighed by their error on
        pixels that were held out.
    window_radius : int
        Reach of what the neighbourhood network sees around a pixel, in pixels.
    window_width, window_depth : int
        Its hidden layers' units and number.
    window_steps, window_batch : int
        Its optimisation steps, and the pixels drawn in each. A small plane gets
        fewer steps, or it would be learned by heart.
    window_rate : float
        Its largest learning rate.
    context : int
        Planes on each side, along Z or else T, that the neighbourhood network also
        sees where they show the same structure. 0: every plane by itself, with a
        network of its own.
    context_radius : int
        Reach of what it sees there, in pixels.
    attention_width : int
        Channels of the attention-guided network.
    attention_steps, attention_batch : int
        Its optimisation steps, and the crops of 96x96 drawn in each.
    attention_rate : float
        Its largest learning rate.
    turns : int
        Flips and turns of the surroundings that its answer is the mean of.
    mode : str
        "plane": planes one by one, with what they share; "volume": one coordinate
        network in (z, y, x), the published method with a third coordinate.
    strength : float
        More or less of the denoising than the fit has found: -1 gives the input back,
        0 is the best estimate, up to 1 what is small beside the error is smoothed away.
    memory_gb : float
        Most memory to take, in gigabytes (10^9 bytes), beside an image or result
        that the caller holds: planes that would need more are cut into tiles.
    """

    preset: str = _setting("paper", "Preset the settings started from.")
    seed: int = _setting(0, "Seed of the random numbers.", minimum=0, maximum=2**63 - 1)
    device: str = _setting("auto", "Where to compute: auto, cpu, cuda, cuda:1, mps.")
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
        2500, "Step budget for one plane.", minimum=1, maximum=10**7, unit="step"
    )
    judge_every: int = _setting(
        25,
        "Steps between looks at the whole image.",
        minimum=1,
        maximum=10**6,
        unit="step",
    )

    candidates: str = _setting(SIREN, "Networks to fit, joined by +.")
    window_radius: int = _setting(
        7, "Reach of the neighbourhood network.", minimum=1, maximum=32, unit="pixel"
    )
    window_width: int = _setting(
        128, "Units in a layer of that network.", minimum=1, maximum=4096
    )
    window_depth: int = _setting(
        3, "Hidden layers of that network.", minimum=1, maximum=16
    )
    window_steps: int = _setting(
        600, "Steps of that network.", minimum=1, maximum=10**6, unit="step"
    )
    window_batch: int = _setting(
        4096, "Pixels drawn in each of these steps.", minimum=1, maximum=2**20
    )
    window_rate: float = _setting(
        2e-3, "Largest learning rate of that network.", minimum=1e-8, maximum=1.0
    )
    context: int = _setting(
        1, "Planes seen on each side of a plane of a stack.", minimum=0, maximum=4
    )
    context_radius: int = _setting(
        4, "Reach of what is seen there.", minimum=0, maximum=32, unit="pixel"
    )
    attention_width: int = _setting(
        32, "Channels of the attention network.", minimum=1, maximum=512
    )
    attention_steps: int = _setting(
        200, "Steps of that network.", minimum=1, maximum=10**6, unit="step"
    )
    attention_batch: int = _setting(
        2, "Crops drawn in each of these steps.", minimum=1, maximum=2**12
    )
    attention_rate: float = _setting(
        3e-3, "Largest learning rate of that network.", minimum=1e-8, maximum=1.0
    )
    turns: int = _setting(8, "Flips and turns that are averaged.", minimum=1, maximum=8)
    mode: str = _setting("plane", "What is fitted as one: plane or volume.")
    strength: float = _setting(
        0.0, "More (up to 1) or less (to -1) denoising.", minimum=-1.0, maximum=1.0
    )
    memory_gb: float = _setting(
        2.0, "Most memory to take.", minimum=0.5, maximum=1e4, unit="GB"
    )

    def __post_init__(self) -> None:
        for item in fields(self):
            value = _checked(item, getattr(self, item.name))
            object.__setattr__(self, item.name, value)
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

    def to_dict(self) -> dict[str, Choice]:
        """Return the settings as plain values, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> DenoiseSettings:
        """Rebuild settings from `to_dict`.

        Raises
        ------
        ValueError
            If a name is unknown or a value is out of its bounds.
        TypeError
            If a value is of the wrong type.
        """
        known = {item.name for item in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(
                f"unknown setting {', '.join(unknown)}; known are "
                f"{', '.join(sorted(known))}. Remove or rename it."
            )
        return cls(**values)


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
        candidates=f"{NEIGHBOURHOOD}+{ATTENTION}",
    ),
    "fast": DenoiseSettings(
        preset="fast",
        candidates=NEIGHBOURHOOD,
        window_radius=5,
        window_width=96,
        window_steps=220,
        turns=2,
    ),
    "paper": DenoiseSettings(preset="paper"),
}
"""The presets by name.

`paper` is the published method. `auto`, the default, is the best that there is here:
two networks that see a pixel's surroundings, weighed by held-out pixels. `fast` is
the first alone and smaller, for a look.
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


def preset_settings(preset: str, **changes: Choice) -> DenoiseSettings:
    """Return a preset's settings with some of them changed.

    Raises
    ------
    ValueError
        If there is no such preset or a value is out of its bounds.
    TypeError
        If a value is of the wrong type.
    """
    if not isinstance(preset, str) or preset not in PRESETS:
        raise ValueError(f"preset: got {preset!r}, wanted one of {', '.join(PRESETS)}.")
    return replace(PRESETS[preset], **changes)  # type: ignore[arg-type]
