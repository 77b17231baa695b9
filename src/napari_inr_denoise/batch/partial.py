"""What is finished of a file while it is denoised, kept so that a later run goes on."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from napari_inr_denoise.batch.raw_image import RawImage

_FORMAT = 1
_STATE, _PIXELS, _LOCK = "state.json", "pixels.f32", "lock"


class PartialResult:
    """A folder beside the output, `<output>.partial`, until the output is written.

    Parameters
    ----------
    output : Path
        What will be written in the end.
    identity : mapping
        What must be the same for a later run to go on: values for JSON.
    shape : tuple of int
        Of the image.

    Attributes
    ----------
    image : RawImage
        The pixels, on disk.
    finished : list of dict
        Records of the planes that are finished.

    Raises
    ------
    FileExistsError
        If there is something of this name that is no such folder, or a run that still
        goes on is writing it.
    """

    def __init__(
        self, output: Path, identity: Mapping[str, Any], shape: tuple[int, ...]
    ) -> None:
        self._folder = output.with_name(f"{output.name}.partial")
        self._header = {"format": _FORMAT, "identity": identity, "shape": list(shape)}
        self._take()
        self.finished = self._earlier()
        self.image = RawImage(self._folder / _PIXELS, shape, create=not self.finished)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _take(self) -> None:
        """Make the folder this process's own."""
        lock = self._folder / _LOCK
        if self._folder.exists() and not lock.exists() and not self._is_ours():
            raise FileExistsError(
                f"{self._folder} exists and was not written by this program. Move it "
                "away, or choose another folder for the results."
            )
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
        except FileExistsError:
            self._refuse_if_alive(lock)
            handle = os.open(lock, os.O_TRUNC | os.O_WRONLY)
        with os.fdopen(handle, "w") as file:
            file.write(str(os.getpid()))

    def _is_ours(self) -> bool:
        if not self._folder.is_dir():
            return False
        return {file.name for file in self._folder.iterdir()} <= {_STATE, _PIXELS}

    def _refuse_if_alive(self, lock: Path) -> None:
        """Take over the lock of a process that is gone, and no other."""
        text = lock.read_text()
        if text.isdigit() and int(text) != os.getpid() and _is_alive(int(text)):
            raise FileExistsError(
                f"{self._folder} is being written by process {text}. Wait for it, or "
                "choose another folder for the results."
            )

    def _earlier(self) -> list[dict[str, Any]]:
        """Return the records that an earlier run of the same left, if it did."""
        try:
            state = json.loads((self._folder / _STATE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return []
        wanted = json.loads(json.dumps(self._header))
        same = all(state.get(name) == wanted[name] for name in wanted)
        pixels = self._folder / _PIXELS
        size = 4 * int(np.prod(wanted["shape"], dtype=np.int64))
        whole = pixels.is_file() and pixels.stat().st_size == size
        return list(state["finished"]) if same and whole else []

    def keep(self, finished: Sequence[Mapping[str, Any]]) -> None:
        """Remember these planes as finished; their pixels are safely on disk first."""
        self.image.flush()
        self.finished = [dict(plane) for plane in finished]
        beside = self._folder / f"{_STATE}.part"
        with beside.open("w", encoding="utf-8") as file:
            json.dump(self._header | {"finished": self.finished}, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._folder / _STATE)

    def remove(self) -> None:
        """Delete the folder: the output is written."""
        self.finished = []
        self.close()

    def close(self) -> None:
        """Let go of the folder; it is deleted if nothing in it is finished."""
        self.image.close()
        if self.finished:
            with suppress(FileNotFoundError):
                (self._folder / _LOCK).unlink()
        else:
            shutil.rmtree(self._folder, ignore_errors=True)


def _is_alive(process: int) -> bool:
    """Return whether a process runs on this machine, as far as the system tells."""
    if os.name == "nt":  # there `os.kill` would end it
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
