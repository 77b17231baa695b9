"""Layers as files have them: from image records, and to them; without napari.

`layer_kwargs` and `colormaps` give the reader the keywords of a layer, `to_record`
gives the writer a record. `provenance` keeps how an image was made, in the metadata of
its layers and in its file; `file_notes` are the reader's notes for the panel.

To keep one more property of a layer, write it in `to_record.layer_record`, and read it
in `layer_kwargs.record_kwargs` (or, of one channel, in `plugin.reader`):

    record = layer_record(data, attributes)
    keywords = record_kwargs("ZYX", record)
"""
