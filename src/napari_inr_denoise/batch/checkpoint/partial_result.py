"""Finished planes of a file that is being denoised, kept for a later run."""

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

from napari_inr_denoise.batch.checkpoint.folder_lock import FolderLock, check_not_held
from napari_inr_denoise.batch.checkpoint.raw_array import RawArray
from napari_inr_denoise.core.ensemble.maps import MAPS
from napari_inr_denoise.io.atomic import short_name

_FORMAT = 1
_STATE, _PIXELS, _LOCK = "state.json", "pixels.f32", "lock"


class PartialResult:
    """The folder `<output>.partial`, which exists until the output is written.

    Parameters
    ----------
    output : Path
        Denoised image that will be written at the end.
    identity : mapping
        Values for JSON; a later run goes on only if they are equal (see `cache_key`).
    shape : tuple of int
        Shape of the image.
    run : str
        Name of the run, see `FolderLock`.
    maps : sequence of str
        Names of the maps to keep. A later run goes on only with the same ones.

    Attributes
    ----------
    image : RawArray
        Pixels, on disk.
    maps : dict of str to RawArray
        Maps, on disk; NaN where nothing was written.
    finished : list of dict
        Reports of the finished planes.

    Raises
    ------
    FileExistsError
        If the path exists and is not such a folder, or another run is writing it.
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
        self._lock = self._acquire(run)
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

    def _acquire(self, run: str) -> FolderLock:
        """Create the folder if needed, and lock it."""
        lock = self._folder / _LOCK
        if (
            self._folder.exists()
            and not lock.exists()
            and not _has_only_own_files(self._folder)
        ):
            raise FileExistsError(
                f"{self._folder} exists and was not written by this program. Move it "
                "away, or choose another folder for the results."
            )
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            return FolderLock(lock, run)
        except OSError:
            with suppress(OSError):  # a folder of another process is not empty
                self._folder.rmdir()
            raise

    def _earlier(self) -> list[dict[str, Any]]:
        """Return the plane reports that an earlier run of the same left, if any."""
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

    def _open(self, name: str, shape: tuple[int, ...], fill: float = 0.0) -> RawArray:
        path = self._folder / name
        image = RawArray(path, shape, create=not self.finished, fill=fill)
        self._files.callback(image.close)
        return image

    def keep(self, finished: Sequence[Mapping[str, Any]]) -> None:
        """Record planes as finished, after their pixels are on disk."""
        for image in (self.image, *self.maps.values()):
            image.flush()
        self.finished = [dict(plane) for plane in finished]
        temporary = self._folder / f"{_STATE}.part"
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(self._header | {"finished": self.finished}, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._folder / _STATE)

    def remove(self) -> None:
        """Delete the folder, after the output was written."""
        self.finished = []
        self.close()

    def close(self) -> None:
        """Unlock the folder; it is deleted if it has no finished plane."""
        try:
            self._files.close()
        finally:  # on a full disk closing fails like writing
            self._unlock()

    def _unlock(self) -> None:
        self._lock.release(remove=bool(self.finished))
        if not self.finished:
            shutil.rmtree(self._folder, ignore_errors=True)


def discard_leftovers(output: Path) -> None:
    """Delete the folder that a killed process has left of an output that is done."""
    folder = _folder_of(output)
    if (folder / _LOCK).exists() or (folder.exists() and _has_only_own_files(folder)):
        with suppress(FileExistsError):  # another process has started it again
            check_not_held(folder / _LOCK)
            shutil.rmtree(folder, ignore_errors=True)


def discard_half_written(output: Path) -> None:
    """Delete the temporary files of processes that were killed while writing.

    The caller must hold the `PartialResult` of the output: no other process writes.
    """
    name = escape(short_name(output))
    for file in output.parent.glob(f".{name}.????????.part"):
        if file.is_dir():
            shutil.rmtree(file, ignore_errors=True)
        else:
            file.unlink(missing_ok=True)


def _folder_of(output: Path) -> Path:
    return output.with_name(f"{short_name(output)}.partial")


def _has_only_own_files(folder: Path) -> bool:
    """Return whether a folder without a lock holds only files of this class."""
    if not folder.is_dir():
        return False
    ours = {_STATE, f"{_STATE}.part", _PIXELS, *map(_map_file, MAPS)}
    return {file.name for file in folder.iterdir()} <= ours


def _map_file(name: str) -> str:
    return f"map.{name}.f32"
