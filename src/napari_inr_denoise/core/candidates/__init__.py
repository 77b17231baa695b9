"""Candidate networks: how each one is fitted to a noisy plane and predicts it.

`base` defines the interface. A `CandidateModel` states the properties and the cost of
a network and fits it to a plane. A `BlindSpotModel` only returns a `Trainer` (take a
step, predict a tile). The training loop in `base` does the rest, and `shared` trains
one network for many planes or tiles. `registry` finds the models by name. The `siren*`
files and `volume_function` hold the coordinate networks.

To add a network:

1. Write its `torch.nn.Module` in a file of `core.networks`.
2. Write its model in a file of this package.
3. Register it in `registry`. From outside of the package, call `register_candidate`.

Settings, pipeline, memory limits and the estimate of a run then know it by its name.
`tests/core/test_extension.py` shows a complete network. Example::

    class MyModel(BlindSpotModel):
        name = "my-model"
        bytes_per_value = 500.0

        def trainer(self, tiles, scale, settings, device, steps):
            return MyTrainer(tiles, scale, settings, device, steps)

        def steps(self, settings):
            return 1000

    register_candidate(MyModel())
    denoise(image, settings=preset_settings("auto", candidates="my-model"))

Nothing is imported here: every module imports torch.
"""
