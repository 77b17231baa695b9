"""Runs and estimates in threads, with a queue and a stop.

`DenoiseWorker`, `FolderWorker` and `EstimateWorker` are `StoppableWorker`s: they emit
each step, check their stop event, and return what they have. `Lifetime` starts them and
stops them with their widget. `exclusive` keeps time estimates and runs apart.

To run something else in a thread, subclass `StoppableWorker` and write its `work`; it
must not touch Qt or layers. Connect the signals before the start:

    worker.returned.connect(show)
    lifetime.start(worker)
"""
