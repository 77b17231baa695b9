"""The strategy for volumes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from napari_inr_denoise.core.candidates.siren_volume import VolumeFit
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.ensemble.plane_result import FitResult
from napari_inr_denoise.core.pipeline.passthrough import passthrough_result
from napari_inr_denoise.core.pipeline.run_context import RunContext, Steps, show_noise
from napari_inr_denoise.core.pipeline.volume import VolumeRun
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.image.axes import Plane


def volume_of_planes(run: RunContext, planes: Sequence[Plane]) -> Steps:
    """Fit planes along Z as one function of (z, y, x), with the published method."""
    yield from show_noise(run, planes)
    volume = yield from run.progress.while_waiting(
        lambda: VolumeRun(run.series(planes, 0), planes, run.spacing_zyx, run.plan)
    )
    middle, problem = planes[volume.middle], volume.plane(volume.middle)
    found: VolumeFit | FitResult
    unchanged = passthrough_result(replace(problem, noise=volume.noise))
    if unchanged is not None:
        found = unchanged
    else:
        steps = volume.steps(run.budget.settings, run.budget.device)
        fitting = GeneratorResult(steps)
        for fit, step in fitting:
            run.state.volume = (volume, fit)
            yield run.progress.step(middle, None, problem, step.best, step)
        found = fitting.result
        run.state.volumes.append(found.function)
    for _ in (writing := GeneratorResult(volume.write(found, run.state.output.plane))):
        if unchanged is None:
            yield run.progress.last
    run.state.finished_planes.add(writing.result)
    run.state.volume = None
    run.progress.advance(1.0)
    ended = FitResult(
        problem.plane_yxs.astype(np.float32),
        writing.result.residual_rms,
        writing.result.steps,
        StopReason(writing.result.reason),
    )
    yield run.progress.step(middle, None, problem, ended, None)
