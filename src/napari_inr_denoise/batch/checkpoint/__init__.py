"""What a run keeps, so that a later run skips what is done and resumes what is not.

`cache_key` identifies what a result was made from; a file with the same key is done.
`PartialResult` is the folder beside an unfinished result: pixels and maps in files of
float32 (`RawArray`), reports of the finished planes in `state.json`, and a `FolderLock`
against other processes.

To keep a further array, open it in `PartialResult` and flush it in `PartialResult.keep`
before the state is written: a plane counts as finished only when all its values are on
disk.

Example::

    with PartialResult(output, key, image.shape) as kept:
        kept.image[0] = first_plane
        kept.keep([report_of_first_plane])
        ...
        kept.remove()  # the result is written
"""

from napari_inr_denoise.batch.checkpoint.folder_lock import FolderLock as FolderLock
from napari_inr_denoise.batch.checkpoint.partial_result import (
    PartialResult as PartialResult,
)
from napari_inr_denoise.batch.checkpoint.raw_array import RawArray as RawArray
