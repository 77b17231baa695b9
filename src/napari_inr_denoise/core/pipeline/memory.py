"""What fits into memory: the size of tiles, and what to do when it was too much."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TypeVar

import torch

from napari_inr_denoise.core.candidates.registry import candidate_models
from napari_inr_denoise.core.settings import (
    AttentionSettings,
    DenoiseSettings,
    NeighbourhoodSettings,
    SirenSettings,
)

_BASE_GB = 0.9
"""Of Python, PyTorch and what is trained on."""
_MOST_SIDE = 1024
"""Larger tiles save no time."""
_MOST_AT_ONCE = 4
"""Tiles side by side: they wait for each other wherever it is Python's turn. Eight took
1.3 times as long as one by one in planes of 64x64, on two cores."""
_BYTES_BESIDE = 250.0
"""Of them, outside of the networks: values, answers, and 97 while they are judged."""
_OF_A_GPU = 0.5
"""Share of a GPU's memory: a viewer and its system have some, the weights little."""
_BYTES_A_VOXEL = 22.0
"""Of each sample: values, the same padded, and what counts."""


def tile_side(settings: DenoiseSettings, samples: int, device: torch.device) -> int:
    """Return the side of the square of pixels that may be worked on at once.

    Parameters
    ----------
    settings : DenoiseSettings
        For the networks and the memory.
    samples : int
        Values of a pixel.
    device : torch.device
        Where the networks are.
    """
    side = math.isqrt(int(_pixels_that_fit(settings, samples, device)))
    return min(side, _MOST_SIDE)


def concurrent_tiles(
    settings: DenoiseSettings, samples: int, pixels: int, device: torch.device
) -> int:
    """Return how many tiles may be denoised side by side: no more than threads.

    Parameters
    ----------
    settings : DenoiseSettings
        For the networks and the memory.
    samples : int
        Values of a pixel.
    pixels : int
        Of the largest tile.
    device : torch.device
        Where the networks are.
    """
    fitting = int(_pixels_that_fit(settings, samples, device) / pixels)
    return max(min(fitting, torch.get_num_threads(), _MOST_AT_ONCE), 1)


def concurrent_fits(
    settings: DenoiseSettings, samples: int, pixels: int, device: torch.device
) -> int:
    """Return how many tiles may be fitted at once, each by networks of its own.

    On the CPU no more than leave each network a thread, for those of a tile are at
    once too. SIREN's products are large enough for all threads there: two fits at once
    took as long as one after the other, and 1.3 times the memory. On Apple's GPU
    networks are fitted one after the other anyway.

    Parameters
    ----------
    settings, samples, pixels, device
        As for `concurrent_tiles`.
    """
    lanes = concurrent_tiles(settings, samples, pixels, device)
    models = candidate_models(settings)
    if device.type == "cuda":
        return lanes
    if device.type != "cpu" or any(one.uses_all_threads for one in models):
        return 1
    return max(lanes // len(models), 1)


def expected_memory_gb(
    settings: DenoiseSettings, samples: int, pixels: int, device: torch.device
) -> float:
    """Return what a run will take beside image and result, in GB (10^9 bytes).

    Parameters
    ----------
    settings : DenoiseSettings
        For the networks.
    samples : int
        Values of a pixel.
    pixels : int
        That are worked on at once: of the largest tile, or of a whole volume.
    device : torch.device
        Where the networks are; what they take on CUDA is not counted.
    """
    if settings.mode == "volume":
        return _BASE_GB + volume_gb(pixels * samples)
    return _BASE_GB + 1e-9 * samples * _host_bytes(settings, device) * pixels


def volume_gb(values: float) -> float:
    """Return what the values of a volume take while it is fitted as one, in GB."""
    return 1e-9 * _BYTES_A_VOXEL * values


def _pixels_that_fit(
    settings: DenoiseSettings, samples: int, device: torch.device
) -> float:
    """Return how many pixels may be worked on, here and on the GPU."""
    left = max(settings.memory_gb - _BASE_GB, 0.0) * 1e9
    fitting = left / (samples * _host_bytes(settings, device))
    if device.type != "cuda":
        return fitting
    # All of its memory, and not what is free: tiles are the same in every run.
    there = _OF_A_GPU * torch.cuda.get_device_properties(device).total_memory
    return min(fitting, there / (samples * _network_bytes(settings)))


def _host_bytes(settings: DenoiseSettings, device: torch.device) -> float:
    """Return the bytes of a value in the computer's own memory.

    An Apple GPU has no other.
    """
    return _BYTES_BESIDE if device.type == "cuda" else _network_bytes(settings)


def _network_bytes(settings: DenoiseSettings) -> float:
    """Return the bytes of a value in the network that needs the most.

    The memory of networks that are fitted beside it is within it (`auto`, 741x741: 1.15
    GB of 2).
    """
    return max(one.bytes_per_value for one in candidate_models(settings))


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that memory was short.

    Only CUDA has a class for it; others are known by what they say.
    """
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    said = str(error).lower()
    return isinstance(error, RuntimeError) and (
        "out of memory" in said or "not enough memory" in said
    )


def is_device_lost(error: BaseException) -> bool:
    """Return whether an error says that a GPU no longer answers.

    After that nothing can be computed on it in this process.
    """
    return isinstance(error, RuntimeError) and str(error).startswith("CUDA error")


class ComputeBudget:
    """Where and in how large batches to compute; less each time memory runs out.

    Parameters
    ----------
    settings : DenoiseSettings
        As asked for.
    device : torch.device
        As asked for.
    """

    def __init__(self, settings: DenoiseSettings, device: torch.device) -> None:
        self.settings, self.device = settings, device
        self.notes: tuple[str, ...] = ()
        self._smaller = False

    def relieved(self, error: BaseException, at_once: int = 1) -> bool:
        """Return whether there is a way to go on after an error, and take it.

        Parameters
        ----------
        error : BaseException
            What has ended the work.
        at_once : int
            How many planes or tiles were worked on.
        """
        if is_out_of_memory(error):
            return self.lower(at_once)
        if is_device_lost(error) and self.device.type == "cuda":
            said = str(error).splitlines()[0].rstrip(".")
            self.device = torch.device("cpu")
            self.notes += (f"The GPU was lost ({said}): it went on on the CPU.",)
            return True
        return False

    def lower(self, at_once: int = 1) -> bool:
        """Take one by one, smaller batches, or the CPU; False where nothing is left.

        The first changes nothing in the result. Parameters are those of `relieved`.
        """
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        where = self.device.type
        if at_once > 1:
            self.notes += (
                f"Memory ran out ({where}): it went on one plane or tile at a time.",
            )
        elif not self._smaller:
            self._smaller = True
            self.settings = _smaller_batches(self.settings)
            self.notes += (
                f"Memory ran out ({where}): it went on in batches of a quarter.",
            )
        elif where != "cpu":
            self.device = torch.device("cpu")
            self.notes += (f"Memory ran out ({where}): it went on on the CPU.",)
        else:
            return False
        return True


_Part = TypeVar("_Part", SirenSettings, NeighbourhoodSettings, AttentionSettings)


def _quarter_batch(part: _Part) -> _Part:
    return replace(part, batch_size=max(part.batch_size // 4, 1))


def _smaller_batches(settings: DenoiseSettings) -> DenoiseSettings:
    return replace(
        settings,
        siren=_quarter_batch(settings.siren),
        neighbourhood=_quarter_batch(settings.neighbourhood),
        attention=_quarter_batch(settings.attention),
    )
