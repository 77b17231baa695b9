"""Denoising of many files: planning, running, resuming and reporting.

`jobs` finds the files, `options` says how they are denoised, `dispatch` runs them in
this process (`serial`), in local workers or on a dask cluster (`dask_cluster`). Each of
these calls `file`, which reads, denoises and writes one file. `checkpoint` keeps
finished planes for a later run, `report` writes what was done. Any failure of a file is
reported and does not stop the others.

Add an option to `RunOptions` and read it in `file`, so that all ways to run have it. If
it changes the result, add it to the cache key. Name a further file beside the result by
`output_names.companion_path`, so that it is never taken for an input.

Example::

    options = RunOptions(preset_settings("fast"), maps=("uncertainty",))
    jobs = plan_jobs(["images"], Path("results"))
    with steps_of_run(jobs, options, workers=4) as steps:
        for step in steps:
            if step.done is not None:
                print(step.done.file.source, step.done.file.status)

Nothing is imported here: most modules import torch.
"""
