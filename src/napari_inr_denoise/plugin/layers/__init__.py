"""napari layers as images: axes, scope, region, pixel size."""
