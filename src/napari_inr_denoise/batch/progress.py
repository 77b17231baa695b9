"""How far a file is, in numbers and words alone: it may come from another machine."""

from __future__ import annotations

from dataclasses import dataclass

from napari_inr_denoise.core.pipeline.result import DenoiseStep


@dataclass(frozen=True)
class JobProgress:
    """A look at a file while it is denoised.

    Attributes
    ----------
    share : float
        Estimated share of the file that is done, 0 to 1.
    planes, plane_count : int
        How many planes are finished, and how many there are.
    place : str
        The plane and tile at work, in words; empty where there is but one.
    fit : str
        How the fit stands, in words; empty when a plane has just been finished.
    """

    share: float
    planes: int
    plane_count: int
    place: str = ""
    fit: str = ""

    @classmethod
    def of(cls, step: DenoiseStep) -> JobProgress:
        """Return what a step tells."""
        fit = ""
        if step.fit is not None:
            fit = f"step {step.fit.step}, {step.fit.steps_per_second:.0f} steps/s"
            sigma = step.fit.noise.sigma
            if sigma > 0:
                fit += f", residual {step.fit.residual_rms / sigma:.2f} x noise"
        planes, count = len(step.finished), step.plane_count
        return cls(float(step.progress), planes, count, step.place, fit)
