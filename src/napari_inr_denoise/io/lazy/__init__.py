"""Lazy reading and block-wise writing, common to all formats.

`FileArray` is the base class of arrays whose values stay in a file: a subclass sets
`path`, `shape` and `dtype`, and returns the values of one block from `_read_block`.
`standard_axes` replaces axis letters that this package does not know. `OrderedBlocks`
yields the blocks of any image in the axis order of a file::

    for index, values in OrderedBlocks(record, "TCZYXS").blocks(side=1024):
        output[index] = values
"""

from napari_inr_denoise.io.lazy.axis_letters import guessed_axes as guessed_axes
from napari_inr_denoise.io.lazy.axis_letters import standard_axes as standard_axes
from napari_inr_denoise.io.lazy.file_array import FileArray as FileArray
from napari_inr_denoise.io.lazy.file_array import MissingMask as MissingMask
from napari_inr_denoise.io.lazy.ordered_blocks import OrderedBlocks as OrderedBlocks
