"""How the weights of a network move: gradients, steps, and their mean.

- `optimizer`: steps of `adamw` and `muon` (`descent`), and the optimizer of blind-spot
  networks, which averages the weights (`AveragingOptimizer`).
- `gradient`: losses, and their gradients on the CPU.
- `weight_averaging`: the mean of the weights, and which of them decay.

::

    steps = descent(network, [{"params": weights, "weight_decay": 0.0}])
    for batch in batches:
        steps.step([Loss(loss, (batch,))], rate=1e-3)
"""
