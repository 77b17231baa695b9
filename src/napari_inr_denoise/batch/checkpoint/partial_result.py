"""What is finished of a file while it is denoised, kept so that a later run goes on."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from glob import escape
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from napari_inr_denoise.batch.checkpoint.folder_lock import FolderLock, refuse_if_held
from napari_inr_denoise.batch.checkpoint.raw_array import RawImage
from napari_inr_denoise.core.ensemble.maps import MAPS

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
    run : str
        Name of the run, see `FolderLock`.
    maps : sequence of str
        Names of the maps to keep. A later run goes on only with the same ones.

    Attributes
    ----------
    image : RawImage
        The pixels, on disk.
    maps : dict of str to RawImage
        The maps, on disk; NaN where nothing was written.
    finished : list of dict
        Records of the planes that are finished.

    Raises
    ------
    FileExistsError
        If there is something of this name that is no such folder, or a run that still
        goes on is writing it.
    """

    def __init__(
        self,
        output: Path,
        identity: Mapping[str, Any],
        shape: tuple[int, ...],
        run: str = "",
        maps: Sequence[str] = (),
    ) -> None:
        self._folder = _folder_of(output)
        self._header = {
            "format": _FORMAT,
            "identity": identity,
            "shape": list(shape),
            "maps": sorted(maps),
        }
        self._lock = self._take(run)
        self.finished = self._earlier()
        self._files = ExitStack()
        try:
            self.image = self._open(_PIXELS, shape)
            self.maps = {
                name: self._open(_map_file(name), shape, fill=np.nan) for name in maps
            }
        except OSError:  # a full disk
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _take(self, run: str) -> FolderLock:
        """Make the folder this process's own."""
        lock = self._folder / _LOCK
        if self._folder.exists() and not lock.exists() and not _is_ours(self._folder):
            raise FileExistsError(
                f"{self._folder} exists and was not written by this program. Move it "
                "away, or choose another folder for the results."
            )
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            return FolderLock(lock, run)
        except OSError:
            with suppress(OSError):  # somebody else's is not empty
                self._folder.rmdir()
            raise

    def _earlier(self) -> list[dict[str, Any]]:
        """Return the records that an earlier run of the same left, if it did."""
        try:
            state = json.loads((self._folder / _STATE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return []
        wanted = json.loads(json.dumps(self._header))
        same = all(state.get(name) == wanted[name] for name in wanted)
        size = 4 * int(np.prod(wanted["shape"], dtype=np.int64))
        files = [self._folder / _PIXELS]
        files += [self._folder / _map_file(name) for name in wanted["maps"]]
        complete = all(f.is_file() and f.stat().st_size == size for f in files)
        return list(state["finished"]) if same and complete else []

    def _open(self, name: str, shape: tuple[int, ...], fill: float = 0.0) -> RawImage:
        path = self._folder / name
        image = RawImage(path, shape, create=not self.finished, fill=fill)
        self._files.callback(image.close)
        return image

    def keep(self, finished: Sequence[Mapping[str, Any]]) -> None:
        """Remember these planes as finished; their pixels are safely on disk first."""
        for image in (self.image, *self.maps.values()):
            image.flush()
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
        try:
            self._files.close()
        finally:  # of a full disk closing says again what writing said
            self._let_go()

    def _let_go(self) -> None:
        self._lock.release(remove=bool(self.finished))
        if not self.finished:
            shutil.rmtree(self._folder, ignore_errors=True)


def discard_leftovers(output: Path) -> None:
    """Delete what a process that was killed has left of an output that is done."""
    folder = _folder_of(output)
    if (folder / _LOCK).exists() or (folder.exists() and _is_ours(folder)):
        with suppress(FileExistsError):  # somebody makes it anew
            refuse_if_held(folder / _LOCK)
            shutil.rmtree(folder, ignore_errors=True)


def discard_half_written(output: Path) -> None:
    """Delete what processes that were killed in the middle of writing have left.

    Only for a process that holds the output's `PartialResult`: then nobody else writes.
    """
    for half in output.parent.glob(f".{escape(output.name)}.????????.part"):
        if half.is_dir():
            shutil.rmtree(half, ignore_errors=True)
        else:
            half.unlink(missing_ok=True)


def _folder_of(output: Path) -> Path:
    return output.with_name(f"{output.name}.partial")


def _is_ours(folder: Path) -> bool:
    """Return whether a folder without a lock holds nothing but what we write."""
    if not folder.is_dir():
        return False
    ours = {_STATE, f"{_STATE}.part", _PIXELS, *map(_map_file, MAPS)}
    return {file.name for file in folder.iterdir()} <= ours


def _map_file(name: str) -> str:
    return f"map.{name}.f32"
