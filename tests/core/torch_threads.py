"""How many of torch's threads the caller and a new thread have."""

from __future__ import annotations

import threading
from collections.abc import Generator

import torch


def threads_here_and_in_a_new_one() -> tuple[int, int]:
    """Return both numbers: a new thread takes the last one that any thread has set."""
    new: list[int] = []
    thread = threading.Thread(target=lambda: new.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    return torch.get_num_threads(), new[0]


def four_threads() -> Generator[None]:
    """Give a test four of torch's threads, and see that they are there afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    assert threads_here_and_in_a_new_one() == (4, 4)
    torch.set_num_threads(before)
