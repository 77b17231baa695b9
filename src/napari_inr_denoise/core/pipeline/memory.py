"""Memory limits: size and number of tiles, and what to do when memory runs out."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TypeVar

import torch

from napari_inr_denoise.core.candidates.registry import (
    candidate_models,
    shareable_models,
)
from napari_inr_denoise.core.settings import (
    AttentionSettings,
    DenoiseSettings,
    NeighbourhoodSettings,
    SirenSettings,
)

_BASE_GB = 0.9
"""Memory of Python, PyTorch and the training data."""
_MOST_SIDE = 1024
"""Largest side of a tile in pixels; larger tiles save no time."""
_MOST_AT_ONCE = 4
"""Largest number of concurrent tiles. They compete for Python's global lock: eight
tiles of 64x64 pixels took 1.3 times as long as one by one, on two cores."""
_HOST_BYTES = 250.0
"""Host memory per value outside of the networks: values, predictions, and 97 bytes for
the computation of the quality."""
_GPU_SHARE = 0.5
"""Fraction of a GPU's memory that is used; viewer and system need some of the rest."""
_VOXEL_BYTES = 22.0
"""Memory per voxel and sample: values, padded values and mask."""
_RESULT_BYTES = 8.0
"""Memory per voxel and sample for a function that has the values of a result: the
result, and what the network lacks of it."""
_FILTERED_BYTES = 60.0
"""Memory per voxel and sample of a tile whose planes are filtered as a volume: noisy
values, masks, and the estimates before and after a filter."""


def tile_side(settings: DenoiseSettings, samples: int, device: torch.device) -> int:
    """Return the side, in pixels, of the largest square tile that fits into memory.

    Parameters
    ----------
    settings : DenoiseSettings
        The networks and the memory limit.
    samples : int
        Samples of a pixel.
    device : torch.device
        Device of the networks.
    """
    side = math.isqrt(int(_pixels_that_fit(settings, samples, device)))
    return min(side, _MOST_SIDE)


def volume_tile_side(
    settings: DenoiseSettings,
    samples: int,
    shape_zyx: tuple[int, int, int],
    device: torch.device,
) -> int:
    """Return the side of the largest tile of which all planes fit into memory.

    Parameters
    ----------
    settings, samples, device
        As for `tile_side`.
    shape_zyx : tuple of int
        Number of planes, rows and columns of the volume.
    """
    function = volume_gb(settings, samples * math.prod(shape_zyx))
    left = max(settings.memory_gb - _BASE_GB - function, 0.0) * 1e9
    side = math.isqrt(int(left / (samples * shape_zyx[0] * _FILTERED_BYTES)))
    return min(side, tile_side(settings, samples, device))


def concurrent_tiles(
    settings: DenoiseSettings, samples: int, pixels: int, device: torch.device
) -> int:
    """Return how many tiles may be denoised at once; at most the number of threads.

    Parameters
    ----------
    settings : DenoiseSettings
        The networks and the memory limit.
    samples : int
        Samples of a pixel.
    pixels : int
        Pixels of the largest tile.
    device : torch.device
        Device of the networks.
    """
    fitting = int(_pixels_that_fit(settings, samples, device) / pixels)
    return max(min(fitting, torch.get_num_threads(), _MOST_AT_ONCE), 1)


def concurrent_fits(
    settings: DenoiseSettings, samples: int, pixels: int, device: torch.device
) -> int:
    """Return how many tiles may be fitted at once, each with networks of its own.

    The networks of a tile are fitted at once too, so that on the CPU each network
    needs a thread. A model that uses all threads, such as SIREN, is fitted alone: two
    SIREN fits at once took as long as one after the other, with 1.3 times the memory.
    On Apple GPUs all networks are fitted one after the other.

    Parameters
    ----------
    settings, samples, pixels, device
        As for `concurrent_tiles`.
    """
    tiles = concurrent_tiles(settings, samples, pixels, device)
    models = candidate_models(settings)
    if device.type == "cuda":
        return tiles
    if device.type != "cpu" or any(one.uses_all_threads for one in models):
        return 1
    return max(tiles // len(models), 1)


def expected_memory_gb(
    settings: DenoiseSettings, samples: int, pixels: int, device: torch.device
) -> float:
    """Return the memory of a run without image and result, in GB (10^9 bytes).

    Parameters
    ----------
    settings : DenoiseSettings
        The networks.
    samples : int
        Samples of a pixel.
    pixels : int
        Pixels that are denoised at once.
    device : torch.device
        Device of the networks. Memory on a CUDA device is not counted.
    """
    return _BASE_GB + 1e-9 * samples * _host_bytes(settings, device) * pixels


def volume_memory_gb(
    settings: DenoiseSettings,
    samples: int,
    shape_zyx: tuple[int, int, int],
    pixels: int,
    device: torch.device,
) -> float:
    """Return the memory of a volume without image and result, in GB.

    Parameters
    ----------
    settings, samples, device
        As for `expected_memory_gb`.
    shape_zyx : tuple of int
        Number of planes, rows and columns of the volume.
    pixels : int
        Pixels of the largest tile of a plane.
    """
    function = volume_gb(settings, samples * math.prod(shape_zyx))
    if not shareable_models(settings):
        return _BASE_GB + function
    filtered = 1e-9 * samples * _FILTERED_BYTES * pixels * shape_zyx[0]
    network = expected_memory_gb(settings, samples, pixels, device)
    return function + max(_BASE_GB + filtered, network)


def volume_gb(settings: DenoiseSettings, values: float) -> float:
    """Return the memory for the function of a volume of so many values, in GB."""
    more = _RESULT_BYTES if shareable_models(settings) else 0.0
    return 1e-9 * (_VOXEL_BYTES + more) * values


def _pixels_that_fit(
    settings: DenoiseSettings, samples: int, device: torch.device
) -> float:
    """Return how many pixels fit into the memory of the host and of the GPU."""
    left = max(settings.memory_gb - _BASE_GB, 0.0) * 1e9
    fitting = left / (samples * _host_bytes(settings, device))
    if device.type != "cuda":
        return fitting
    # Total rather than free memory, so that every run has the same tiles.
    on_gpu = _GPU_SHARE * torch.cuda.get_device_properties(device).total_memory
    return min(fitting, on_gpu / (samples * _network_bytes(settings)))


def _host_bytes(settings: DenoiseSettings, device: torch.device) -> float:
    """Return the host memory per value in bytes; an Apple GPU uses host memory too."""
    return _HOST_BYTES if device.type == "cuda" else _network_bytes(settings)


def _network_bytes(settings: DenoiseSettings) -> float:
    """Return the memory per value, in bytes, of the network that needs the most.

    Networks that are fitted at the same time stay within this amount (`auto`, 741x741
    pixels: 1.15 GB of 2 GB).
    """
    return max(one.bytes_per_value for one in candidate_models(settings))


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error means that memory ran out.

    Only CUDA has an exception class for this; others are recognized by their message.
    """
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    said = str(error).lower()
    return isinstance(error, RuntimeError) and (
        "out of memory" in said or "not enough memory" in said
    )


def is_device_lost(error: BaseException) -> bool:
    """Return whether an error means that the GPU no longer works in this process."""
    return isinstance(error, RuntimeError) and str(error).startswith("CUDA error")


class ComputeBudget:
    """Device and batch sizes of a run, reduced each time memory runs out.

    Parameters
    ----------
    settings : DenoiseSettings
        Settings of the run.
    device : torch.device
        Requested device.

    Attributes
    ----------
    settings : DenoiseSettings
        The settings, with smaller batches after memory ran out.
    device : torch.device
        Device in use.
    notes : tuple of str
        A sentence on each reduction, for the report.
    """

    def __init__(self, settings: DenoiseSettings, device: torch.device) -> None:
        self.settings, self.device = settings, device
        self.notes: tuple[str, ...] = ()
        self._smaller = False

    def relieved(self, error: BaseException, at_once: int = 1) -> bool:
        """Reduce the budget after an error; return whether the run can continue.

        Parameters
        ----------
        error : BaseException
            The error that ended the work.
        at_once : int
            Number of planes or tiles that were denoised at once.
        """
        if is_out_of_memory(error):
            return self.lower(at_once)
        if is_device_lost(error) and self.device.type == "cuda":
            said = str(error).splitlines()[0].rstrip(".")
            self.device = torch.device("cpu")
            self.notes += (f"The GPU was lost ({said}): the run continued on the CPU.",)
            return True
        return False

    def lower(self, at_once: int = 1) -> bool:
        """Denoise one tile at a time, then reduce batches, then use the CPU.

        Each call takes the next of these measures and returns True, or returns False
        if none is left. The first one does not change the result. The parameter is
        that of `relieved`.
        """
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        where = self.device.type
        if at_once > 1:
            self.notes += (
                f"Memory ran out ({where}): the run continued with one plane or tile "
                "at a time.",
            )
        elif not self._smaller:
            self._smaller = True
            self.settings = _smaller_batches(self.settings)
            self.notes += (
                f"Memory ran out ({where}): the run continued with batches of a "
                "quarter of the size.",
            )
        elif where != "cpu":
            self.device = torch.device("cpu")
            self.notes += (f"Memory ran out ({where}): the run continued on the CPU.",)
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
