"""Summary of a finished file as text."""

from __future__ import annotations

from napari_inr_denoise.batch.report.job_report import JobReport
from napari_inr_denoise.core.report.numbers import in_digits
from napari_inr_denoise.core.report.report import FileReport
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.report.stop_rules import StopRules
from napari_inr_denoise.core.report.verdict import Verdict
from napari_inr_denoise.core.report.warning import PlaneWarning


def file_summary(done: JobReport) -> str:
    """Return the summary of a finished file, one line or more."""
    file = done.file
    notes = "".join(f"\n  {note}" for note in done.notes)
    if file.status == "failed":
        cause = str(file.error).removeprefix(f"{file.source}: ")
        return f"{file.label}: FAILED: {cause}{notes}"
    if file.status == "skipped":
        if not file.planes:
            return f"{file.label}: skipped.{notes}"
        return f"{file.label}: skipped, done before: {file.output}"
    spent = f"{file.seconds:.0f} seconds, {file.device}"
    return f"{file.label} -> {file.output}\n  {plane_summary(file)} ({spent}){notes}"


def plane_summary(file: FileReport) -> str:
    """Return noise level, residual and stop reason as text."""
    first = file.planes[0]
    if len(file.planes) > 1:
        return f"{_levels(file)} {_reasons(file)}"
    sentences = [StopReason(first.reason).sentence]
    # That the published rule ends earlier is usual, and nothing to act on.
    if first.rules_that_differ is StopRules.PUBLISHED_LATER:
        sentences.append(first.stop_rules_sentence)
    if first.quality.held_out_error is not None:
        sentences.append(f"Estimated RMSE {in_digits(first.quality.held_out_error)}.")
    if first.quality.verdict is not None:
        sentences.append(Verdict(first.quality.verdict).sentence)
    sentences += [
        warning.sentence
        for warning in map(PlaneWarning, first.quality.warnings)
        # The verdict says the same.
        if warning is not PlaneWarning.CORRELATED_NOISE
    ]
    residual = in_digits(first.residual_rms, 4)
    return f"{_levels(file)} Residual {residual}. {' '.join(sentences)}"


def _levels(file: FileReport) -> str:
    """Return the range of the noise levels of the planes as text."""
    levels = [
        plane.noise.sigma for plane in file.planes if plane.noise.sigma is not None
    ]
    if not levels:
        return "Noise level unknown."
    low, high = in_digits(min(levels), 4), in_digits(max(levels), 4)
    correlated = any(plane.noise.correlated for plane in file.planes)
    kind = ", correlated between neighbouring pixels" if correlated else ""
    return f"Noise level {low if low == high else f'{low} to {high}'}{kind}."


def _reasons(file: FileReport) -> str:
    """Return the number of planes for each stop reason as text."""
    reasons = [StopReason(plane.reason).label for plane in file.planes]
    counted = ", ".join(f"{r}: {reasons.count(r)}" for r in dict.fromkeys(reasons))
    return f"{len(reasons)} planes; {counted}."
