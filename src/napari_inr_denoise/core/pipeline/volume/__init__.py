"""Denoising of a volume as one: planes along Z, not one by one.

`check` says before the first step whether a volume can be fitted. There are two
methods, with a strategy each:

- a function of (z, y, x) alone, the published method with a third coordinate: a
  `VolumeRun` fits it to all voxels and writes its planes;
- networks that the planes share, with filters in 3D: `VolumePlanes` predicts one plane
  after the other, then filters all predictions together.

Both strategies are in `core.pipeline.strategies.volume_strategies`. To add a filter in
3D, see `core.ensemble.filters.volume_filters`.

Nothing is imported here: most modules import torch.
"""
