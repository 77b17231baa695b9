"""Denoising of a whole image, from its first plane to its last.

Before the first step, `Plan` divides the image into series and tiles and chooses one of
four strategies; `Run` follows it. `strategies` has a function for each: independent
planes, planes of a series that share networks, and two for a volume. It denoises one
plane (`planes`) or a volume (`volume`), writes what is finished to the `RunState`, and
yields steps with the `Progress` (`output`). If memory runs out, `ComputeBudget` in
`memory` reduces what is computed at once, and the run continues.

To add a strategy, add a member to `Strategy`, let `Plan.of` choose it, and add its
function to `STRATEGIES`. The estimate before a run uses the same `Plan`.

Example::

    run = Run(source, "ZYX", settings, (1.0, 1.0, 1.0), Outputs())
    steps = GeneratorResult(run.steps())
    for step in steps:
        print(step.place, step.progress)
    steps.result.image

Nothing is imported here: most modules import torch.
"""
