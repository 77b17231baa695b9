"""A device that is not the CPU, where there is none: for what the CPU forgives.

Like Apple's GPU it has no numbers of 64 bits in floating point. Like any GPU it refuses
tensors that lie elsewhere and another device's random numbers, and the host waits
wherever it copies to or from the device. Its numbers are computed on the CPU.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import (
    TorchDispatchMode,
    return_and_correct_aliasing,
)
from torch.utils._pytree import tree_leaves, tree_map

# Its gradients are taken in the caller's thread, as the mode below is the thread's own.
DEVICE = torch.device("meta")
_MISSING = (torch.float64, torch.complex128)
_COUNTED_THERE = (
    "_local_scalar_dense",
    *("nonzero", "bincount", "masked_select", "_unique2"),
)
"""Operations that the host waits for: for a number, or for the size of the result."""


class _There(torch.Tensor):
    """A tensor on the device."""

    held: torch.Tensor

    @staticmethod
    def __new__(cls: type[_There], held: torch.Tensor) -> _There:
        if held.dtype in _MISSING:
            raise TypeError(f"the device has no {held.dtype}")
        made = torch.Tensor._make_wrapper_subclass(
            cls,
            held.shape,
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=DEVICE,
        )
        made.held = held
        return made

    @classmethod
    def __torch_dispatch__(
        cls, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        raise RuntimeError("used outside of `other_device`")


class _Mode(TorchDispatchMode):
    """Computes on the CPU what is asked of the device."""

    def __init__(self, waits: Counter[str]) -> None:
        super().__init__()
        self._waits = waits

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        given = [one for one in tree_leaves((args, kwargs)) if torch.is_tensor(one)]
        there = [one for one in given if isinstance(one, _There)]
        # A number on the CPU may be a part of any operation.
        here = [one for one in given if not isinstance(one, _There) and one.dim()]
        result_there = _is_device(kwargs["device"]) if "device" in kwargs else there
        self._check(func, bool(there and here), there, kwargs)
        moved = {**kwargs, "device": "cpu"} if "device" in kwargs else kwargs
        out = func(*_held(args), **_held(moved))
        if not result_there:
            return out
        out = tree_map(lambda one: _There(one) if torch.is_tensor(one) else one, out)
        return return_and_correct_aliasing(func, args, kwargs, out)

    def _check(self, func: Any, mixed: bool, there: Any, kwargs: Any) -> None:
        name = str(func)
        if there and name.split(".")[1] in _COUNTED_THERE:
            self._waits[name] += 1
        elif name == "aten._to_copy.default" and "device" in kwargs:
            self._waits[name] += bool(there) != _is_device(kwargs["device"])
        elif mixed and name == "aten.copy_.default":
            self._waits[name] += 1
        elif mixed:
            raise RuntimeError(f"{name}: tensors on two devices")


class _Calls(TorchFunctionMode):
    """Refuses random numbers of another device, and copies numbers of the host."""

    def __init__(self, there: list[torch.Generator]) -> None:
        super().__init__()
        self._there = there

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        generator = kwargs.get("generator")
        if generator is not None:
            wanted = kwargs.get("device", "cpu")
            if args and isinstance(args[0], torch.Tensor):
                wanted = args[0].device
            if (generator in self._there) != _is_device(wanted):
                raise RuntimeError(f"{func}: a generator of another device")
        if func is torch.tensor and _is_device(kwargs.pop("device", None) or "cpu"):
            return func(*args, **kwargs).to(DEVICE)
        return func(*args, **kwargs)


def _is_device(device: Any) -> bool:
    return torch.device(device).type == DEVICE.type


def _held(values: Any) -> Any:
    return tree_map(lambda one: one.held if isinstance(one, _There) else one, values)


@contextmanager
def other_device() -> Iterator[Counter[str]]:
    """Let `DEVICE` be a device; gives a count of what the host waits for."""
    made: list[torch.Generator] = []
    usual, waits = torch.Generator, Counter[str]()

    class Generator(usual):  # type: ignore[misc, valid-type]
        def __new__(cls, device: Any = "cpu") -> Generator:
            found = super().__new__(cls)
            if _is_device(device):
                made.append(found)
            return found

    torch.Generator = Generator  # type: ignore[misc]
    try:
        with _Mode(waits), _Calls(made):
            yield waits
    finally:
        torch.Generator = usual  # type: ignore[misc]
