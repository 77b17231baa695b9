"""Images as arrays with named axes: planes, tiles, masks and lazy arrays; NumPy only.

An image has one axis letter per dimension out of T, C, Z, Y, X and S. `ImageSource`
reads it in blocks, `planes_of` lists its planes, `Tiling` cuts large planes into tiles,
and `PlaneCanvas` blends the results of the tiles into the output::

    source = ImageSource(image)
    for plane in planes_of("ZYX", source.shape):
        tiling = Tiling.of(plane.shape_yx(source.shape), side=1024)
        canvas = PlaneCanvas(out, plane, tiling, source)
        for tile in tiling.tiles:
            values_yxs, valid_yx = source.read(plane, tile.window)
            canvas.add(tile, denoised(values_yxs), valid_yx)

An array that computes or reads its values where it is indexed is a subclass of
`VirtualArray` and defines `shape`, `dtype` and `_block`.
"""

from napari_inr_denoise.image.axes import KNOWN_AXES as KNOWN_AXES
from napari_inr_denoise.image.axes import Plane as Plane
from napari_inr_denoise.image.axes import count_planes as count_planes
from napari_inr_denoise.image.axes import planes_of as planes_of
from napari_inr_denoise.image.axes import resolve_axes as resolve_axes
from napari_inr_denoise.image.axes import series_of as series_of
from napari_inr_denoise.image.conversion import ConvertedView as ConvertedView
from napari_inr_denoise.image.source import ImageSource as ImageSource
from napari_inr_denoise.image.source import MaskedImage as MaskedImage
from napari_inr_denoise.image.source import ReadableArray as ReadableArray
from napari_inr_denoise.image.stitching import PlaneCanvas as PlaneCanvas
from napari_inr_denoise.image.stitching import WritableArray as WritableArray
from napari_inr_denoise.image.tiling import Tile as Tile
from napari_inr_denoise.image.tiling import Tiling as Tiling
from napari_inr_denoise.image.virtual_array import VirtualArray as VirtualArray
