"""The ways to denoise planes: independently, as a series, as a volume.

Each is a function from the `RunContext` of a run and some planes to a generator of
steps. It writes what is finished into the state of the context, and advances its
progress. `registry.STRATEGIES` lists them; `plane_strategies` and `volume_strategies`
hold two each. `independent_tiles` fits tiles that share nothing, several at once.

    yield from STRATEGIES[run.plan.strategy](run, planes)

Nothing is imported here: all modules import torch.
"""
