"""Recordings of work on the CPU, in the way of CUDA graphs.

Every operation is noted with the very tensors that it was given, and a replay does the
same operations on them: what was read from the host in the recording stays as it was
then, and what is no tensor that stays where it is goes wrong, as on a GPU.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Replayed:
    """Records by noting operations."""

    def __init__(self) -> None:
        self.recordings = 0
        self.replays = 0

    def record(self, work: Callable[[], None]) -> Callable[[], None]:
        with _Noted() as noted:
            work()
        self.recordings += 1

        def replay() -> None:
            self.replays += 1
            noted.again()

        return replay


class Broken:
    """Records nothing."""

    def record(self, work: Callable[[], None]) -> Callable[[], None]:
        work()
        raise RuntimeError("operation not permitted when stream is capturing\nmore")


class Idle:
    """Makes recordings that do nothing."""

    def record(self, work: Callable[[], None]) -> Callable[[], None]:
        work()
        return lambda: None


class _Noted(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self._done: list[tuple[Any, Any, Any, list[torch.Tensor]]] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        # Views and what is done in place need no copy of the result.
        made = [] if _aliases(func) else [*filter(torch.is_tensor, tree_leaves(out))]
        self._done.append((func, args, kwargs or {}, made))
        return out

    @torch.no_grad()
    def again(self) -> None:
        for func, args, kwargs, made in self._done:
            out = func(*args, **kwargs)
            news = [*filter(torch.is_tensor, tree_leaves(out))] if made else []
            for old, new in zip(made, news, strict=True):
                old.copy_(new)


def _aliases(func: Any) -> bool:
    arguments = (*func._schema.arguments, *func._schema.returns)
    return any(one.alias_info is not None for one in arguments)
