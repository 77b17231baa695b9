"""The images that are compared on, each with its truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.io.read import read_image
from tests.benchmarks.images import Pair, data_folder, entries, read_pairs
from tests.benchmarks.noise_kinds import case_of
from tests.benchmarks.synthetic import parse_noise
from tests.phantoms import tissue

_SEED = 0
_KINDS_SEED = 7
_PHOTOGRAPHS = [f"{number:02d}" for number in range(1, 13)]
_FIRST_FRAMES = ("Confocal_FISH/1", "WideField_BPAE_G/1", "TwoPhoton_MICE/1")
_POLLEN_PLANES = (15, 5, 25)
_KINDS = ("textbook", "correlated-1.0", "row-noise", "hot-clusters", "saturated")


@dataclass(frozen=True)
class Group:
    """Images of one kind; `pairs` yields them, those to measure first in front."""

    name: str
    title: str


FRAMES = Group("frames", "Real fluorescence frames (FMD)")
PHOTOGRAPHS = Group("photographs", "Photographs (Set12), Gaussian noise, sigma 25")
MICROGRAPHS = Group("micrographs", "Micrographs, photon noise, 30 photons at the peak")
POLLEN = Group("pollen", "Planes of the pollen volume, 20 photons, read noise 2")
KINDS = Group("kinds", "Made-up tissue, noise that is not textbook")
GROUPS = {
    group.name: group for group in (FRAMES, PHOTOGRAPHS, MICROGRAPHS, POLLEN, KINDS)
}


def pairs_of(group: str, count: int, side: int) -> Iterator[Pair]:
    """Yield up to `count` images of a group, their central `side` x `side` pixels."""
    for number, pair in enumerate(_PAIRS[group](side)):
        if number == count:
            return
        yield pair.central(side)


def _frames(_: int) -> Iterator[Pair]:
    """Yield one frame of each kind of microscope, and then the rest."""
    found = {entry.name: entry for entry in entries(data_folder() / "fmd")}
    for name in dict.fromkeys((*_FIRST_FRAMES, *found)):
        yield from read_pairs(found[name], [], _SEED)


def _photographs(_: int) -> Iterator[Pair]:
    for entry in entries(data_folder() / "photos", _PHOTOGRAPHS):
        yield from read_pairs(entry, [parse_noise("gaussian:25")], _SEED)


def _micrographs(_: int) -> Iterator[Pair]:
    for entry in entries(data_folder() / "micro_clean")[::-1]:
        for pair in read_pairs(entry, [parse_noise("poisson:30")], _SEED):
            yield pair if pair.truth.ndim == 2 else _one_sample(pair)


def _one_sample(pair: Pair) -> Pair:
    """Return the sample of an RGB image with the most light: most peers take one."""
    best = int(np.argmax(pair.truth.mean(axis=(0, 1))))
    return Pair(pair.name, pair.noise, pair.noisy[..., best], pair.truth[..., best])


def _pollen(_: int) -> Iterator[Pair]:
    path = data_folder() / "stacks/pollen_clean_zyx_u16.tif"
    clean = _scaled(np.asarray(read_image(path).data, dtype=float))
    noise = parse_noise("poisson-gaussian:20:2")
    noisy = noise.added_to(clean, _SEED)
    for plane in _POLLEN_PLANES:
        yield Pair(f"plane {plane}", noise.text, noisy[plane], clean[plane])


def _kinds(side: int) -> Iterator[Pair]:
    for name in _KINDS:
        case = case_of(name, tissue(side), _KINDS_SEED)
        factor = 255 / float(case.truth.max())
        yield Pair(name, "", case.noisy * factor, case.truth * factor)


def _scaled(truth: NDArray[np.float64]) -> NDArray[np.float64]:
    return truth * (255 / truth.max())


_PAIRS = {
    "frames": _frames,
    "photographs": _photographs,
    "micrographs": _micrographs,
    "pollen": _pollen,
    "kinds": _kinds,
}
