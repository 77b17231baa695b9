"""Settings of the networks: one class each."""

from __future__ import annotations

from dataclasses import dataclass

from napari_inr_denoise.core.settings.fields import CheckedSettings, setting


@dataclass(frozen=True)
class SirenSettings(CheckedSettings):
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

    omega: float = setting(
        20.0, "Frequency of the later sine layers.", minimum=0.1, maximum=1000.0
    )
    first_period: float = setting(
        27.0,
        "Shortest period of the first layer's sines.",
        minimum=1.0,
        maximum=1e6,
        unit="pixel",
    )
    width: int = setting(256, "Units in a sine layer.", minimum=1, maximum=4096)
    depth: int = setting(4, "Number of sine layers.", minimum=1, maximum=32)
    patch_size: int = setting(
        4,
        "Side of the square predicted at a coordinate.",
        minimum=1,
        maximum=32,
        unit="pixel",
    )
    batch_size: int = setting(
        2048, "Coordinates drawn in each step.", minimum=1, maximum=2**24
    )
    learning_rate: float = setting(
        2e-4, "Step size of Adam.", minimum=1e-8, maximum=1.0
    )
    weight_decay: float = setting(
        3.0, "Decay of the last layers' weights.", minimum=0.0, maximum=1e4
    )
    decay_layers: int = setting(
        2, "Layers that are decayed, from the output.", minimum=0, maximum=33
    )
    average_decay: float = setting(
        0.99, "Decay of the weight average.", minimum=0.0, maximum=0.99999
    )
    max_steps: int = setting(
        2500, "Most steps for one plane.", minimum=1, maximum=10**7, unit="step"
    )
    eval_every: int = setting(
        25,
        "Steps between evaluations of the whole image.",
        minimum=1,
        maximum=10**6,
        unit="step",
    )


@dataclass(frozen=True)
class NeighbourhoodSettings(CheckedSettings):
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
        Correlated noise takes at most 200.
    batch_size : int
        Pixels drawn in each step.
    learning_rate : float
        Step size of AdamW. Muon, which moves the hidden layers, takes eight times it.
    context_radius : int
        Half the side of the window in the context slices, in pixels.
    """

    radius: int = setting(
        7, "Radius of the window.", minimum=1, maximum=32, unit="pixel"
    )
    width: int = setting(128, "Units in a hidden layer.", minimum=1, maximum=4096)
    depth: int = setting(3, "Hidden layers.", minimum=1, maximum=16)
    steps: int = setting(
        400, "Most optimization steps.", minimum=1, maximum=10**6, unit="step"
    )
    batch_size: int = setting(
        2048, "Pixels drawn in each step.", minimum=1, maximum=2**20
    )
    learning_rate: float = setting(2e-3, "Step size.", minimum=1e-8, maximum=1.0)
    context_radius: int = setting(
        4,
        "Radius of the window in context slices.",
        minimum=0,
        maximum=32,
        unit="pixel",
    )


@dataclass(frozen=True)
class AttentionSettings(CheckedSettings):
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

    width: int = setting(32, "Channels.", minimum=1, maximum=512)
    steps: int = setting(
        300, "Most optimization steps.", minimum=1, maximum=10**6, unit="step"
    )
    batch_size: int = setting(1, "Crops drawn in each step.", minimum=1, maximum=2**12)
    learning_rate: float = setting(
        1.5e-3, "Step size of AdamW.", minimum=1e-8, maximum=1.0
    )
