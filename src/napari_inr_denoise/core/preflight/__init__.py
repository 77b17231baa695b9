"""Estimate of the time and the memory of a run, before it starts.

`estimate` makes the same `Plan` as the run. `timing` measures the pace of each network
on a part of the image, and `cost_model` multiplies it by the number of steps and pixels
of the run. A new candidate network needs no code here: its model states its cost.
`experience` corrects an estimate by the runs since the program started.

Example::

    estimate = preflight(image, "ZYX", preset_settings("fast"))
    estimate.words()
    # "40 planes of 512x512, with shared networks: about 2 min and 1.9 GB on CPU."

Nothing is imported here: every module but `experience` imports torch.
"""
