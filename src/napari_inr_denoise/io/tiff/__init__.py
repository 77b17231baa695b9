r"""TIFF files: plain, ImageJ and OME; written as OME-TIFF.

`reader.read_tiff` and `writer.write_tiff` are called by `read_image` and `write_image`.
`opening` opens a file after a check of its OME-XML and chooses one of its images,
`claims` compares the planes that the file claims with those that are there, and
`lazy.TiffArray` reads blocks from the strips and tiles of `pages`. `micromanager` finds
the positions in a file without OME-XML. A function in `tags`, `imagej` or the package
`ome` adds the metadata of a file to its record.

To read the metadata of another microscope, write such a function and add it to
`microscopes._READERS`::

    def _svs(record, tiff):
        size = svs_description_metadata(tiff.pages.first.description).get("MPP")
        return _Found(dict.fromkeys("XY", (size, "\u00b5m")))

Nothing is imported here: tifffile and ome-types are loaded when a file is read.
"""
