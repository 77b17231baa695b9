"""The messages of the denoising widget."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from napari_inr_denoise.core.report.duration import duration_words
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.report.verdict import Verdict
from napari_inr_denoise.core.report.warning import PlaneWarning

if TYPE_CHECKING:  # the module behind it loads torch
    from napari_inr_denoise.core.denoise import DenoiseResult, DenoiseStep
    from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
    from napari_inr_denoise.core.preflight.estimate import Preflight
    from napari_inr_denoise.core.report.report import PlaneReport
    from napari_inr_denoise.core.settings import DenoiseSettings

_OUT_OF_MEMORY = "out of memory"


def noise_message(plane: NoisyPlane, *, denoised: bool = False) -> str:
    """Return the noise of a plane and the number of its hot pixels.

    Parameters
    ----------
    plane : NoisyPlane
        The plane with its noise model.
    denoised : bool
        Whether it is a plane of a result: the noise that the run had found is in the
        table of planes.
    """
    text = "left in this denoised layer: " * denoised + plane.noise.words()
    if plane.isolated_count:
        text += f"; {plane.isolated_count} hot or dead pixels left out"
    return text


def needs_message(needs: Sequence[Preflight]) -> str:
    """Return the expected time and memory of a run, summed over several images."""
    if len(needs) == 1:
        return needs[0].words()
    seconds = duration_words(sum(one.seconds for one in needs))
    memory = max(one.memory_gb for one in needs)
    most = "at most" if any(one.at_most for one in needs) else "about"
    return (
        f"{len(needs)} layers, one after the other: {most} {seconds} in all, and "
        f"{memory:.1f} GB for the largest, on {needs[0].device}."
    )


def residual_message(step: DenoiseStep) -> str:
    """Return the residual (RMS) so far, also as a multiple of the noise level."""
    residual, ratio = _residual(step), residual_ratio(step)
    if math.isnan(ratio):
        return f"{residual:.4g}"
    return f"{residual:.4g}, {ratio:.2f} x the noise level"


def residual_ratio(step: DenoiseStep) -> float:
    """Return the residual (RMS) so far over the noise level; NaN without noise."""
    sigma = step.problem.noise.sigma
    return _residual(step) / sigma if sigma > 0 else math.nan


def _residual(step: DenoiseStep) -> float:
    fit = step.fit
    return step.result.residual_rms if fit is None else fit.residual_rms


def step_message(step: DenoiseStep) -> str:
    """Return the current plane and step of a run, and its speed."""
    plane = f"{step.place}, " if step.place else ""
    if step.fit is None:
        return f"{plane}{step.result.steps}"
    return f"{plane}{step.fit.step} ({step.fit.steps_per_second:.0f} a second)"


def fitting_message(settings: DenoiseSettings) -> str:
    """Return what a run does while the networks are trained."""
    if settings.candidate_names == ("siren",) or settings.mode == "volume":
        return "Fitting until the residual reaches the noise level..."
    return "Training on the image itself; held-out pixels test the result..."


def ending_message(result: DenoiseResult, plane_count: int) -> str:
    """Return why a run ended, with a line for each reason if planes differ."""
    planes = result.report.files[0].planes
    reasons = [StopReason(plane.reason) for plane in planes]
    if not planes:
        return (
            "Stopped by the user before any part was finished: the image is unchanged."
        )
    if plane_count == 1:
        return f"{reasons[0].sentence} {quality_message(planes[0])}".strip()
    stopped = StopReason.CALLER in reasons or len(planes) < plane_count
    what = "volumes" if result.report.settings.mode == "volume" else "planes"
    if stopped:
        finished = sum(reason is not StopReason.CALLER for reason in reasons)
        halfway = ", one is partly denoised" if finished < len(planes) else ""
        return (
            f"Stopped by the user: {finished} of {plane_count} {what} are finished"
            f"{halfway}; the others are unchanged."
        )
    if len(set(reasons)) == 1:
        return f"All {plane_count} {what}: {reasons[0].sentence}"
    counts = (
        f"{reasons.count(r)} {what}: {r.sentence}" for r in dict.fromkeys(reasons)
    )
    return "\n".join(counts)


def quality_message(plane: PlaneReport) -> str:
    """Return the expected error, verdict and mean intensity; empty if all unknown."""
    sentences = []
    if plane.quality.held_out_error is not None:
        sentences.append(
            f"Expected error {plane.quality.held_out_error:.3g} (root mean square)."
        )
    if plane.quality.verdict is not None:
        sentences.append(Verdict(plane.quality.verdict).sentence)
    sentences += [
        warning.sentence
        for warning in map(PlaneWarning, plane.quality.warnings)
        # The verdict says the same.
        if warning is not PlaneWarning.CORRELATED_NOISE
    ]
    sentences.append(intensity_message(plane))
    return " ".join(sentences).strip()


def intensity_message(plane: PlaneReport) -> str:
    """Return a plane's mean intensity before and after; empty if unknown."""
    if plane.mean_before is None or plane.mean_after is None:
        return ""
    return (
        f"Mean intensity {plane.mean_before:.5g} before, {plane.mean_after:.5g} after."
    )


def plane_lines(plane: PlaneReport) -> list[str]:
    """Return residual, stop reason, verdict and mean intensity, a line each."""
    lines = [
        f"Residual {plane.residual_rms:.3g} after {plane.steps} steps.",
        StopReason(plane.reason).sentence,
        ""
        if plane.quality.verdict is None
        else Verdict(plane.quality.verdict).sentence,
        intensity_message(plane),
    ]
    return [line for line in lines if line]


def error_message(error: Exception) -> str:
    """Return the cause of a failure, with advice if memory ran out."""
    cause = str(error) or type(error).__name__
    if isinstance(error, MemoryError) or _OUT_OF_MEMORY in cause.lower():
        first_line = cause.splitlines()[0]
        return (
            f"Out of memory: {first_line} Choose the CPU as device, or a smaller image."
        )
    return f"Failed: {cause}"
