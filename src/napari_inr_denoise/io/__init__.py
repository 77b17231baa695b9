"""Image files: TIFF, OME-TIFF, ImageJ TIFF, OME-Zarr and PNG; without torch and napari.

::

    record = read_image("cells.ome.tif", lazy=True)
    record.axes, record.spacing_um, record.data[0]
    write_image("copy.ome.zarr", record)

To add a format:

1. Add its suffixes to `formats`.
2. Write a package with a function that returns an `ImageRecord`. For lazy reading its
   `data` is a subclass of `FileArray` (package `lazy`) that reads one block.
3. Check what the file declares before memory is allocated (package `untrusted`).
4. Call the function in `read`. To write the format, call a second function in `write`;
   it gets blocks in the axis order of the file from `OrderedBlocks`, and a temporary
   name from `atomic`. Fields that the format cannot express are stored by `extras`.

::

    class RawArray(FileArray):
        def __init__(self, path, shape, dtype):
            self.path, self.shape, self.dtype = path, shape, dtype

        def _read_block(self, bounds):
            values = np.memmap(self.path, self.dtype, "r", shape=self.shape)
            return values[as_slices(bounds)]

    def read_raw(path):
        return ImageRecord(RawArray(path, (512, 512), np.dtype("u2")), "YX")

A format that holds several images lists them as `ImageEntry` (module `entries`), takes
one of them, and is called in `image_set.images_of`. A `FileArray` that may lack a part
says so by `missing` and `missing_in`, and by `find_damage` where that takes a pass over
the file.

`provenance`, `fingerprint` and `image_set` are imported by their modules: they load
tifffile.
"""

from napari_inr_denoise.io.read import list_images as list_images
from napari_inr_denoise.io.read import read_image as read_image
from napari_inr_denoise.io.read import read_images as read_images
from napari_inr_denoise.io.record import ImageRecord as ImageRecord
from napari_inr_denoise.io.record import Quantity as Quantity
from napari_inr_denoise.io.write import check_writable as check_writable
from napari_inr_denoise.io.write import write_image as write_image
