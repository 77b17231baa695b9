"""Cache of values that generators compute, for jobs in several threads."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Generator, Hashable
from concurrent.futures import CancelledError, Future, wait
from threading import Lock
from typing import Generic, TypeVar

_Value = TypeVar("_Value")
_POLL_INTERVAL_S = 0.05
"""How often a job that waits for another one yields."""
_STOPPED = (GeneratorExit, CancelledError)
"""Raised in a job that is stopped where it yields."""


class GeneratorCache(Generic[_Value]):
    """Values by key. Each is computed once, by the first job that asks for it.

    Parameters
    ----------
    most : int
        Largest number of values that are kept. The oldest is dropped first.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = Lock()
        self._futures: OrderedDict[Hashable, Future[_Value]] = OrderedDict()

    def get(
        self, key: Hashable, compute: Callable[[], Generator[None, None, _Value]]
    ) -> Generator[None, None, _Value]:
        """Return a value; compute it, or wait for the job that computes it.

        Parameters
        ----------
        key : Hashable
            Name of the value.
        compute : callable
            Starts the generator that returns the value.

        Yields
        ------
        None
            While the value is computed.
        """
        while True:
            with self._lock:
                future, first = self._futures.get(key), False
                if future is None:
                    future, first = self._add(key), True
            if first:
                return (yield from self._computed(key, future, compute))
            while not wait([future], _POLL_INTERVAL_S).done:
                yield
            # A job that was stopped says nothing about the value: try again.
            if not isinstance(future.exception(), _STOPPED):
                return future.result()

    def _add(self, key: Hashable) -> Future[_Value]:
        future: Future[_Value] = Future()
        self._futures[key] = future
        while len(self._futures) > self._most:
            self._futures.popitem(last=False)
        return future

    def _computed(
        self,
        key: Hashable,
        future: Future[_Value],
        compute: Callable[[], Generator[None, None, _Value]],
    ) -> Generator[None, None, _Value]:
        try:
            value = yield from compute()
        except BaseException as error:
            with self._lock:
                self._futures.pop(key, None)
            future.set_exception(error)
            raise
        future.set_result(value)
        return value
