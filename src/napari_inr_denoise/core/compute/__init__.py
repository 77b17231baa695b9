"""How the work is done: devices, threads, optimizers, CUDA graphs. Nothing on images.

- `devices`, `precision`: where torch runs, and in which floating type.
- `threads`: torch's thread count on the CPU. No other module sets it.
- `generators`: the result of a generator that yields progress.
- `concurrency`: several such generators at the same time (`fit_concurrently`,
  `map_ordered`).
- `optimization`: steps of AdamW and Muon, from gradients on the CPU and from recordings
  (`cuda_graphs`) on CUDA.
- `error_curve`, `early_stopping`: when a training ends.

A result depends on the seed and the device alone, never on the number of threads or on
timing: sums are taken in a fixed order. What is added here must keep that.
"""
