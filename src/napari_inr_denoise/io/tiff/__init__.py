"""TIFF files: plain, ImageJ and OME; written as OME-TIFF.

`reader.read_tiff` and `writer.write_tiff` are called by `read_image` and `write_image`.
`opening` opens a file after a check of its OME-XML and chooses one of its images,
`claims` compares the planes that the file claims with those that are there, and
`lazy.TiffArray` reads blocks from the strips and tiles of `pages`. `micromanager` finds
the positions in a file without OME-XML. A function in `tags`, `imagej` or the package
`ome` adds the metadata of a file to its record.

To read the metadata of another program, write such a function and call it in
`reader._with_metadata`::

    def with_metamorph_metadata(record, tiff):
        size = tiff.metaseries_metadata["PlaneInfo"]["spatial-calibration-x"]
        return replace(record, spacing_um={"Y": size, "X": size})

Nothing is imported here: tifffile and ome-types are loaded when a file is read.
"""
