"""Files of microscope makers that are no TIFF: CZI, LIF and ND2.

Their readers are the extra `formats`. `reader.read_vendor` is called by `read_image`;
`zeiss`, `leica` and `nikon` describe one image of a file as a `VendorImage`::

    def open_raw(path, number):
        library = import_library("rawlibrary", path)
        image = library.open(path)[number]
        return VendorImage(names, image.dims, image.shape, image.dtype, image.read)

To add a format, write such a function and add it to `reader._OPENERS`, its suffix to
`formats.VENDOR_SUFFIXES` and its library to the extra `formats`.
"""
