"""One method on one image: in a process of its own, with its time and memory."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from napari_inr_denoise.core.noise.anscombe import Anscombe
from napari_inr_denoise.core.noise.measure import measure_plane
from tests.benchmarks.peers.catalogue import Method

_RUNNERS = Path(__file__).parent / "runners"
_THREADS = ("OMP", "MKL", "OPENBLAS", "NUMBA", "NUMEXPR")
_LONGEST = 160
"""Characters of a message that are kept."""


@dataclass(frozen=True)
class Outcome:
    """What came of a method on an image.

    Attributes
    ----------
    image : ndarray, shape (Y, X), or None
        The result in the input's units; None if there is none.
    cpu_seconds, wall_seconds : float or None
        Of the denoising alone, without the start of Python and imports.
    peak_mb : float or None
        Largest resident memory of the process, in 10^6 bytes.
    note : str
        What the method says of its run, or why there is no image.
    """

    image: NDArray[np.float64] | None
    cpu_seconds: float | None = None
    wall_seconds: float | None = None
    peak_mb: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Limits:
    """CPU seconds for an image, and threads that libraries may use."""

    seconds: float
    threads: int


def run_method(
    python: Path, method: Method, noisy_yx: NDArray[np.float64], limits: Limits
) -> Outcome:
    """Run a method on a plane.

    A method that trains step by step stops at the limit and returns its state. Any
    other is ended at 1.2 times the limit and has no image.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        transform = _prepare(folder, method, noisy_yx, limits)
        code = _process(python, method.runner, folder, limits)
        if code:
            return Outcome(None, note=_why(folder, code, limits))
        said = json.loads((folder / "answer.json").read_text("utf-8"))
        image = np.asarray(np.load(folder / "image.npy"), dtype=float)
    if transform:
        image = transform.inverse(image)
    return Outcome(image, **said)


def _prepare(
    folder: Path, method: Method, noisy_yx: NDArray[np.float64], limits: Limits
) -> Anscombe | None:
    """Write what a runner reads; return the transform that made its image, if any."""
    told = {"variant": method.variant, "seconds": limits.seconds}
    (folder / "told.json").write_text(json.dumps(told), "utf-8")
    if not method.stabilized:
        np.save(folder / "noisy.npy", noisy_yx)
        return None
    valid = np.ones(noisy_yx.shape, dtype=bool)
    problem = measure_plane(noisy_yx[..., None], valid)
    curve = problem.curves[0]
    transform = (
        Anscombe(curve.gain, curve.variance_at_zero)
        if curve.gain > 0
        else Anscombe(0.0, problem.noise.sigma**2)
    )
    np.save(folder / "noisy.npy", transform.forward(noisy_yx))
    if problem.noise.correlated and curve.power_kk is not None:
        np.save(folder / "psd.npy", noise_density(curve.power_kk, noisy_yx.shape))
    return transform


def noise_density(
    power_kk: NDArray[np.float64], shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """Return the power at each frequency of the Fourier transform of a plane.

    Parameters
    ----------
    power_kk : ndarray, shape (8, 8)
        Power at each frequency of the cosine transform, with a mean of 1.
    shape : tuple of int
        Of the plane.

    Returns
    -------
    ndarray
        Expected squared magnitude of the unnormalized transform, for noise with a
        variance of 1.
    """
    side = len(power_kk)
    places = np.meshgrid(
        *(2 * side * np.abs(np.fft.fftfreq(size)) for size in shape), indexing="ij"
    )
    power = map_coordinates(power_kk, places, order=1, mode="nearest")
    return np.asarray(power * (np.prod(shape) / power.mean()), dtype=float)


def _process(python: Path, runner: str, folder: Path, limits: Limits) -> int:
    """Run a runner to its end; return its exit code."""
    threads = {f"{name}_NUM_THREADS": str(limits.threads) for name in _THREADS}
    with (folder / "log.txt").open("w", encoding="utf-8") as log:
        return subprocess.run(
            [str(python), str(_RUNNERS / "run.py"), runner, str(folder)],
            stdout=log,
            stderr=subprocess.STDOUT,
            env=os.environ | threads | {"CUDA_VISIBLE_DEVICES": ""},
            cwd=folder,
            check=False,
        ).returncode


def _why(folder: Path, code: int, limits: Limits) -> str:
    """Return why a process has left no image."""
    if code == -signal.SIGXCPU:
        return f"not finished in {limits.seconds:g} s"
    lines = (folder / "log.txt").read_text("utf-8", "replace").strip().splitlines()
    return lines[-1].strip()[:_LONGEST] if lines else f"exit code {code}"
