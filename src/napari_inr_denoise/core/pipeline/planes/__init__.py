"""Denoising of one plane or tile: from noisy values to a result and its record.

`plane` fits the networks to a plane and combines what they predict, `white_noise` does
so with the plane transformed where its noise is correlated, and `shared_planes` with
networks that a series shares. `passthrough` gives the result of planes that cannot or
need not be denoised, `region_results` joins those of regions of other noise,
`image_units` turns those of a plane that was divided to even out its noise into the
image's units, and `plane_report` makes the record.

These modules know nothing of a run: arrays and settings in, steps and results out.

    for step in (run := GeneratorResult(plane_steps(problem, settings, device))):
        print(step.step)
    record_tile(index, problem, run.result, weights_yx)

Nothing is imported here: most modules import torch.
"""
