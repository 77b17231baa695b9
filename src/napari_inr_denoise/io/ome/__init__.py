"""OME-XML, in TIFF files and in companion files.

`reader.with_ome_metadata` adds the metadata to a record, and `writer.to_ome_xml` writes
them. Metadata that are not fields of `ImageRecord` pass unchanged through `remainder`.

To store a new field of `ImageRecord` in OME-XML, read it in `reader`, remove it from
the remainder in `remainder`, and set it in `writer`. A field that OME-XML cannot
express is one more name in `writer._EXTRAS` and in `extras.with_extras`::

    _EXTRAS = ("origin", "flipped", "display_ranges", "luts", "attributes")

Nothing is imported here: ome-types is loaded when a file is read or written.
"""
