"""OME-Zarr, versions 0.4 (Zarr 2) and 0.5 (Zarr 3), and plain Zarr arrays.

`reader.read_zarr` and `writer.write_zarr` are called by `read_image` and `write_image`.
`lazy.ZarrArray` reads blocks; `ngff_reader` and `ngff_writer` convert the metadata, and
`rgb_channels` the samples of a pixel, for which OME-Zarr has no axis::

    record = read_zarr(Path("cells.ome.zarr"))
    record.ngff_version  # "0.5"

To add a version of OME-Zarr: `ngff_writer.uses_zarr3` and `ngff_reader.ngff_metadata`
decide where its metadata are, `ngff_reader.NEWEST` which version is written.

Nothing is imported here: zarr is loaded when a Zarr is opened.
"""
