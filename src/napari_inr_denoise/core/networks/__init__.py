"""The networks as `torch.nn.Module`s, one file each; no training, no images.

`siren` maps coordinates to intensities. `neighbourhood` (a multilayer perceptron) and
`attention` (convolutions) predict a pixel from its neighbours, without seeing the pixel
(blind spot). `sublattices` and `fused_sine` are operations that they use.

To add a network:

1. Write the module here. Draw its weights from a generator that is passed in, so that a
   seed gives the same result on every device.
2. Write its `CandidateModel` in a file of `core.candidates`: name, memory, cost, `fit`.
   A network with a blind spot derives from `BlindSpotModel`, which trains it.
3. Register the model with one line in `core.candidates.registry`.

    sines = SineLayers(width=64, depth=3, omega=30.0, first_omega=30.0)
    network = Siren(2, 1, sines, torch.Generator().manual_seed(0))
    values = network(coordinates)  # (N, 2) -> (N, 1)
"""
