"""The methods that are compared: where each runs, and what it has to be told."""

from __future__ import annotations

from dataclasses import dataclass

_TORCH = "torch==2.13.0"
"""Installed first, so that a peer takes this CPU build where pip is offered one."""


@dataclass(frozen=True)
class Environment:
    """Packages of a virtual environment, installed one pip command after another."""

    name: str
    packages: tuple[str, ...]


CAREAMICS = Environment("careamics", ("careamics",))
AYDIN = Environment(
    "aydin",
    (
        # What 0.1.15, the newest release, asks for excludes itself, and needs a Python
        # older than 3.11. This is what its two methods import.
        "--no-deps aydin==0.1.15",
        "numpy==1.23.5 numba==0.57.1 scipy<1.12 scikit-image==0.20.0 zarr<2.15 "
        "imageio<2.28 lightgbm<4 catboost<1.3 jsonpickle==1.3.0 memoization dask "
        "docstring-parser Deprecated Click czifile nd2reader imagecodecs pynndescent "
        "gdown importlib-metadata psutil",
    ),
)
BM3D = Environment("bm3d", ("bm3d numpy<2",))  # 4.0.3 uses np.trapz for spectra
CELLPOSE = Environment("cellpose", (_TORCH, "cellpose<4"))
SCIKIT_IMAGE = Environment("scikit-image", ("scikit-image PyWavelets",))
TORCH = Environment("torch", (f"{_TORCH} numpy",))


@dataclass(frozen=True)
class Method:
    """A method of a peer, or of this project.

    Attributes
    ----------
    label : str
        Name in tables.
    runner : str
        Module of `runners`.
    environment : Environment or None
        None for the environment of this project.
    told : str
        What a user has to know or have, beyond the image.
    variant : str
        Passed to the runner.
    stabilized : bool
        Whether it gets the variance-stabilized image and its noise level, under the
        noise model that this project measured.
    """

    label: str
    runner: str
    environment: Environment | None
    told: str
    variant: str = ""
    stabilized: bool = False


METHODS = {
    "fast": Method("`fast`", "inr_denoise", None, "nothing", "fast"),
    "auto": Method("`auto`", "inr_denoise", None, "nothing", "auto"),
    "n2v": Method(
        "Noise2Void (CAREamics)", "n2v", CAREAMICS, "nothing; trains for each image"
    ),
    "n2v2": Method(
        "N2V2 (CAREamics)", "n2v", CAREAMICS, "nothing; trains for each image", "n2v2"
    ),
    "aydin-fgr": Method("Noise2Self-FGR (Aydin)", "aydin_fgr", AYDIN, "nothing"),
    "aydin-butterworth": Method(
        "Butterworth (Aydin)", "aydin_butterworth", AYDIN, "nothing"
    ),
    "bm3d": Method(
        "BM3D",
        "bm3d_plane",
        BM3D,
        "noise level or spectrum: here that of this project",
        stabilized=True,
    ),
    "nlm": Method(
        "NLM, J-invariant", "classical", SCIKIT_IMAGE, "a range of strengths", "nlm"
    ),
    "tv": Method(
        "TV, J-invariant", "classical", SCIKIT_IMAGE, "a range of strengths", "tv"
    ),
    "wavelets": Method(
        "wavelets, J-invariant",
        "classical",
        SCIKIT_IMAGE,
        "a range of strengths",
        "wavelets",
    ),
    "cellpose3": Method(
        "Cellpose 3, `denoise_cyto3`",
        "cellpose_denoise",
        CELLPOSE,
        "trained weights; the diameter of the cells",
    ),
    "zs-n2n": Method("ZS-N2N, own version", "zs_n2n", TORCH, "nothing"),
    "noise2fast": Method("Noise2Fast, own version", "noise2fast", TORCH, "nothing"),
    "self2self": Method("Self2Self, own version", "self2self", TORCH, "nothing"),
}
"""The methods by name, in the order of the tables."""
