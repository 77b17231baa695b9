"""The denoising method, in numpy and torch, without files, viewer or command line.

Packages, each of which may import those below it:

- `denoise` and `preflight`: the entry points; denoise an array, or estimate the time.
- `pipeline`: denoising of a whole image, with its tiles, planes, series and volumes.
- `candidates`: the fit of each network, on top of `networks` (the `torch.nn` modules)
  and `sampling` (coordinates, patches, crops and windows of a plane).
- `ensemble`: combination of the predictions, post-filters, maps and quality.
- `noise` and `compute`: noise models; devices, threads, optimizers and CUDA graphs.
- `report`: records of a run, without torch.
- `settings`: all parameters, and the presets.

To extend the method, see `candidates` for networks and `ensemble` for post-filters and
maps.

Example::

    from napari_inr_denoise.core.denoise import denoise

    result = denoise(image, axes="ZYX", preset="fast")
    result.image, result.report.to_dict()

Nothing is imported here: most modules import torch.
"""
