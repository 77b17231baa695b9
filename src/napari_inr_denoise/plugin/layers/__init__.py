"""napari's layers as images, and images as layers.

`source` takes the part of a layer to denoise, with its region and position. `files`
converts layers to image records and back, for the writer and the reader. Both use what
is here: the letters of a layer's axes (`axis_labels`) and the keys of its metadata
(`metadata_keys`). `channels` finds the layers of a composite, `order` the layers that
hide another one.
"""
