"""Network inputs and training targets, made from planes and volumes.

Normalization: `normalization` (linear and variance-stabilized values).
Coordinates: `coordinates`, `patches`, `volume_patches` for coordinate networks.
Windows: `windows`, `blind_spot_windows`, `context`, `training_plane` for networks that
predict a pixel from its neighbours, without seeing the pixel (blind spot).
Stacks: `stack` reads tiles of planes with a shared noise model and context slices.
Orientations: `augmentation`.

A new kind of input is one module here, used by the file of its candidate in
`core.candidates`. It takes a `NoisyPlane` and a device, and returns tensors.

    scale = PlaneScale(problem, device)
    patches = PatchGrid(scale.linear_syx, valid, side=4, spacing_yx=(1.0, 1.0))
    coordinates, targets, weights = patches.draw(1024, generator)
"""
