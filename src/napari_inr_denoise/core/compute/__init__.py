"""How the work is done: devices, threads, optimizers, CUDA graphs. Nothing on images.

- `devices`, `precision`: where torch runs, and in which floating type.
- `threads`: torch's thread count on the CPU. No other module sets it.
- `generators`: the result of a generator that yields progress.
- `concurrency`: several such generators at the same time (`fit_concurrently`,
  `map_ordered`).
- `optimizer`: steps of AdamW (`adamw`), from `gradient` on the CPU and from recordings
  (`cuda_graphs`) on CUDA.
- `early_stopping`, `weight_averaging`: when training ends, and which weights it keeps.

A result depends on the seed and the device alone, never on the number of threads or on
timing: sums are taken in a fixed order. What is added here must keep that.

::

    steps = descent(network, [{"params": weights, "weight_decay": 0.0}])
    for batch in batches:
        steps.step([Loss(loss, (batch,))], rate=1e-3)
"""
