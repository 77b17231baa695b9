"""Lazy reading and block-wise writing, common to all formats.

`FileArray` is the base class of arrays whose values stay in a file: a subclass sets
`path`, `shape` and `dtype`, and returns the values of one block::

    class RawArray(FileArray):
        def _read_block(self, bounds):
            values = np.memmap(self.path, self.dtype, "r", shape=self.shape)
            return values[as_slices(bounds)]

`OrderedBlocks` yields the blocks of any image in the axis order of a file.
`standard_axes` replaces axis letters that this package does not know.
"""

from napari_inr_denoise.io.lazy.axis_letters import standard_axes as standard_axes
from napari_inr_denoise.io.lazy.file_array import FileArray as FileArray
from napari_inr_denoise.io.lazy.ordered_blocks import OrderedBlocks as OrderedBlocks
