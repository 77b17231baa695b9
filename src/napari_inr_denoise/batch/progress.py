"""Progress of a file, as plain data that workers can send."""

from __future__ import annotations

from dataclasses import dataclass

from napari_inr_denoise.core.pipeline.output.result import DenoiseStep


@dataclass(frozen=True)
class JobProgress:
    """Progress of a file that is being denoised.

    Attributes
    ----------
    share : float
        Estimated fraction of the file that is done, 0 to 1.
    planes, plane_count : int
        Number of finished planes and of all planes.
    place : str
        Current plane and tile as text; empty if there is only one.
    fit : str
        State of the fit as text; empty when a plane has just been finished.
    """

    share: float
    planes: int
    plane_count: int
    place: str = ""
    fit: str = ""

    @classmethod
    def of(cls, step: DenoiseStep) -> JobProgress:
        """Return the progress at a step."""
        fit = ""
        if step.fit is not None:
            fit = f"step {step.fit.step}, {step.fit.steps_per_second:.0f} steps/s"
            sigma, error = step.fit.noise.sigma, step.fit.estimated_error
            if sigma > 0 and error is not None:
                fit += f", error {error / sigma:.2f} x noise"
            elif sigma > 0 and step.fit.residual_rms > 0:
                fit += f", residual {step.fit.residual_rms / sigma:.2f} x noise"
        planes, count = len(step.finished), step.plane_count
        return cls(float(step.progress), planes, count, step.place, fit)
