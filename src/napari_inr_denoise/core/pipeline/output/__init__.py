"""What a run has so far, and what it hands out: image, maps, records, steps, result.

`RunState` in `state` holds the `finished_planes` of a run and its `RunOutput`, the only
writer of image and maps; `assembly` passes it the tiles of a plane. `Progress` makes
the steps that a caller sees (`DenoiseStep` in `result`), each with the share of the
work that is done. `DenoiseResult` is the result of a run.

    run.state.output.plane(plane).add(tile, problem, result)
    yield run.progress.step(plane, tile, problem, result, None)

Nothing is imported here: most modules import torch.
"""
