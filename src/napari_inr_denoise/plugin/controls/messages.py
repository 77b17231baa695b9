"""The messages of the denoising panel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from napari_inr_denoise.batch.report.outliers import mean_change, oddities_of
from napari_inr_denoise.core.report.duration import short_duration
from napari_inr_denoise.core.report.numbers import in_digits
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.report.verdict import Verdict
from napari_inr_denoise.core.report.warning import PlaneWarning
from napari_inr_denoise.plugin.elements.facts import Chip
from napari_inr_denoise.plugin.layers.metadata_keys import file_of

if TYPE_CHECKING:  # the module behind it loads torch
    from napari_inr_denoise.core.denoise import DenoiseResult, DenoiseStep
    from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
    from napari_inr_denoise.core.preflight.estimate import Preflight
    from napari_inr_denoise.core.report.report import DenoiseReport, PlaneReport
    from napari_inr_denoise.plugin.results.finished import Finished

_OUT_OF_MEMORY = "out of memory"
_NEARLY_ALL = 0.995
"""Share of the work after which what is left is not training."""


def noise_message(plane: NoisyPlane) -> str:
    """Return the noise of a plane and the number of its hot pixels."""
    text = plane.noise.words()
    if plane.isolated_count:
        text += f"; {plane.isolated_count} hot or dead pixels left out"
    return text


def time_message(needs: Sequence[Preflight]) -> str:
    """Return the estimated time of a run in a few letters: "~15 s"."""
    at_most = any(one.at_most for one in needs)
    seconds = short_duration(max(sum(one.seconds for one in needs), 1))
    return ("\u2264" if at_most else "~") + seconds


def cost_message(needs: Sequence[Preflight]) -> str:
    """Return the estimated time and memory of a run, summed over several images."""
    if len(needs) == 1:
        return needs[0].words()
    seconds = short_duration(max(sum(one.seconds for one in needs), 1))
    memory = max(one.memory_gb for one in needs)
    most = "at most" if any(one.at_most for one in needs) else "about"
    return (
        f"{len(needs)} layers: {most} {seconds} in all, {memory:.1f} GB for the "
        f"largest, on {needs[0].device}."
    )


def residual_ratio(step: DenoiseStep) -> float:
    """Return the residual (RMS) so far over the noise level; NaN without noise."""
    fit, sigma = step.fit, step.problem.noise.sigma
    residual = step.result.residual_rms if fit is None else fit.residual_rms
    return residual / sigma if sigma > 0 else math.nan


def error_ratio(step: DenoiseStep) -> float:
    """Return the estimated error so far over the noise level; NaN where unknown.

    It is unknown for the published method, for correlated noise unless it is denoised
    on a coarser grid, and before the first measurement.
    """
    fit, sigma = step.fit, step.problem.noise.sigma
    quality = step.result.quality
    error = quality.held_out_error if fit is None and quality else None
    if fit is not None:
        error = fit.estimated_error
    return error / sigma if error is not None and sigma > 0 else math.nan


def phase_message(step: DenoiseStep, *, still: bool = False) -> str:
    """Return what a run does: "Training on 50 planes, step 240 of about 440".

    Parameters
    ----------
    step : DenoiseStep
        The last step.
    still : bool
        Whether the training has not gone on for a while: the network predicts.
    """
    if step.progress >= _NEARLY_ALL:
        return "Combining and filtering..."
    if still and step.fit is not None and step.fit.step:
        return "Predicting and filtering..."
    place = step.place[:1].upper() + step.place[1:]
    if step.learning:
        return place + _steps(step)
    place = f"{place}: " if place else ""
    if step.fit is None:
        return f"{place}finished" if place else "Finishing..."
    return f"{place}{'t' if place else 'T'}raining{_steps(step)}"


_TRAINED = {StopReason.TRAINED, StopReason.HELD_OUT_FLAT}
"""Reasons of a training that went as it should."""


def _steps(step: DenoiseStep) -> str:
    if step.fit is None:
        return ""
    if not step.fit.step:
        return ", step 0"
    # The published method knows only the most steps, and usually ends before.
    known = "about" if step.fit.estimated_error is not None else "at most"
    return f", step {step.fit.step} of {known} {step.fit.max_steps}"


def ending_message(result: DenoiseResult, plane_count: int) -> str:
    """Return why a run ended, with a line for each reason if planes differ."""
    planes = result.report.files[0].planes
    reasons = [StopReason(plane.reason) for plane in planes]
    if not planes:
        return "Stopped before any plane was finished: the image is unchanged."
    if plane_count == 1:
        return _brief(reasons[0])
    what = "volumes" if result.report.settings.mode == "volume" else "planes"
    if is_partial(result.report, plane_count):
        finished = _finished_count(result.report)
        halfway = ", one partly denoised" if finished < len(planes) else ""
        return (
            f"Stopped: {finished} of {plane_count} {what} finished{halfway}; the "
            "others are unchanged."
        )
    if set(reasons) <= _TRAINED:
        return f"{plane_count} {what} finished."
    if len(set(reasons)) == 1:
        return f"All {plane_count} {what}: {_brief(reasons[0])}"
    counts = (f"{reasons.count(r)} {what}: {_brief(r)}" for r in dict.fromkeys(reasons))
    return "\n".join(counts)


def _finished_count(report: DenoiseReport) -> int:
    planes = report.files[0].planes
    return sum(plane.reason != StopReason.CALLER.value for plane in planes)


def _brief(reason: StopReason) -> str:
    return "Finished." if reason in _TRAINED else reason.sentence


def is_unchanged(report: DenoiseReport) -> bool:
    """Return whether a run was stopped before a first training could be told."""
    return all(
        plane.reason == StopReason.CALLER.value and not plane.steps
        for plane in report.files[0].planes
    )


def is_partial(report: DenoiseReport, plane_count: int) -> bool:
    """Return whether a run was stopped before it had denoised everything."""
    planes = report.files[0].planes
    stopped = any(plane.reason == StopReason.CALLER.value for plane in planes)
    return stopped or len(planes) < plane_count


def result_chips(
    report: DenoiseReport, plane_count: int, *, judged: bool = True
) -> list[Chip]:
    """Return the facts on a result, the most important first.

    Parameters
    ----------
    report : DenoiseReport
        Report of the result, with the strength that is shown.
    plane_count : int
        Number of planes that were to be denoised.
    judged : bool
        Whether verdict, error and mean in the report are those of that strength; else
        they are of strength 0, and left out.
    """
    (file,) = report.files
    planes = file.planes
    chips = []
    if is_partial(report, plane_count):
        finished = _finished_count(report)
        done = f"{finished} of {plane_count} planes" if plane_count > 1 else ""
        chips.append(
            Chip(
                f"Stopped early{': ' * bool(done)}{done}",
                "The run was stopped: denoise again for the whole result.",
                "warning",
            )
        )
    if strength := report.settings.strength:
        at_0 = "" if judged else " Error and residual are known for strength 0 only."
        tip = f"Shown and saved at this strength; 0 is the best estimate.{at_0}"
        chips.append(Chip(f"strength {strength:+g}", tip))
    if judged:
        chips += _verdict_chips(planes) + _error_chips(planes) + _mean_chips(planes)
    if file.seconds:
        reasons = dict.fromkeys(StopReason(plane.reason) for plane in planes)
        quality = report.settings.preset.capitalize()
        took = f"Time of the run with the quality {quality}."
        ended = [one.sentence for one in reasons]
        tip = " ".join([took, *ended, *_rules(planes)])
        chips.append(Chip(short_duration(file.seconds), tip))
    return chips + _warning_chips(planes) + _reason_chips(planes)


def _rules(planes: Sequence[PlaneReport]) -> list[str]:
    """Return sentences on planes on which the published stop rule disagrees."""
    found = [rules for one in planes if (rules := one.rules_that_differ) is not None]
    if len(planes) == 1:
        return [planes[0].stop_rules_sentence] * len(found)
    return [
        f"{found.count(rule)} of {len(planes)} planes: {rule.sentence}"
        for rule in dict.fromkeys(found)
    ]


def _with_capital(label: str) -> str:
    """Return a label that starts with a capital; abbreviations stay as they are."""
    return label[:1].upper() + label[1:]


def _reason_chips(planes: Sequence[PlaneReport]) -> list[Chip]:
    usual = {*_TRAINED, StopReason.NOISE_LEVEL, StopReason.CALLER}
    reasons = dict.fromkeys(StopReason(plane.reason) for plane in planes)
    return [
        Chip(_with_capital(one.label), one.sentence, "warning")
        for one in reasons
        if one not in usual
    ]


def _verdict_chips(planes: Sequence[PlaneReport]) -> list[Chip]:
    found = [Verdict(p.quality.verdict) for p in planes if p.quality.verdict]
    chips = []
    for verdict in Verdict:
        count = found.count(verdict)
        if not count or (verdict is Verdict.NOISE_ONLY and count < len(found)):
            continue
        label = verdict.label.capitalize()
        several = f" in {count} of {len(planes)}" if len(planes) > 1 else ""
        kind = "good" if verdict is Verdict.NOISE_ONLY else "warning"
        chips.append(
            Chip(label + (several if kind == "warning" else ""), verdict.sentence, kind)
        )
    return chips


def _error_chips(planes: Sequence[PlaneReport]) -> list[Chip]:
    errors = [one.quality.held_out_error for one in planes]
    known = [error for error in errors if error is not None]
    if not known:
        return []
    of = f", the median of {len(known)} planes" if len(known) > 1 else ""
    tip = f"Estimated RMSE{of}, in the units of the image, from held-out pixels."
    return [Chip(f"error {in_digits(median(known))}", tip)]


def _mean_chips(planes: Sequence[PlaneReport]) -> list[Chip]:
    changes = [change for p in planes if (change := mean_change(p)) is not None]
    if not changes:
        return []
    largest = max(changes, key=abs)
    of_all = "Change of the mean intensity: the largest of all planes."
    tip = mean_message(planes[0]) if len(planes) == 1 else of_all
    return [Chip(f"mean {_percent(largest)}", tip)]


def _percent(change: float) -> str:
    """Return a relative change in percent; one that is rounded to 0 has a plus."""
    return f"{round(100 * change, 1) + 0.0:+.1f} %"


def _warning_chips(planes: Sequence[PlaneReport]) -> list[Chip]:
    keys = dict.fromkeys(key for plane in planes for key in plane.quality.warnings)
    warnings = [PlaneWarning(key) for key in keys]
    # The verdict says the same.
    return [
        Chip(_with_capital(one.label), one.sentence, "warning")
        for one in warnings
        if one is not PlaneWarning.CORRELATED_NOISE
    ]


def result_note(finished: Finished, channels: Sequence[Finished]) -> str:
    """Return what must be known of a result before its views are used."""
    if not finished.source.has_values:
        if file_of(finished.layer) is None:
            return "The noisy image was removed: there is nothing to compare with."
        also = "" if finished.strength else " and to change the strength"
        made_of = Path(finished.result.report.files[0].source or "")
        named = f", {'/'.join(made_of.parts[-2:])}," if made_of.parts else ""
        return f"Open the noisy image too{named} to compare{also}."
    if not finished.has_strengths:
        return "Saved at this strength; denoise again to change it."
    if len(channels) < 2:
        return ""
    name = composite_name(channels)
    return f"Channel of {name}. Noisy, Split and Save take all channels."


def composite_name(channels: Sequence[Finished]) -> str:
    """Return a name for the results of a composite: "nuclei + actin", "a 0 + 1"."""
    words = [one.layer.name.split(" [denoised")[0].split(" ") for one in channels]
    # The last word is kept: a name that another one begins with has no other.
    least = min(map(len, words)) - 1
    same = [len(set(each)) == 1 for each in zip(*words, strict=False)][:least]
    shared = [*same, False].index(False)
    each = (" ".join(name[shared:]) for name in words)
    return " ".join([*words[0][:shared], " + ".join(each)])


def planes_title(planes: Sequence[PlaneReport], *, judged: bool = True) -> str:
    """Return the title of the table of planes; see `result_chips`."""
    title = f"Planes ({len(planes)})"
    if not judged:
        return f"{title} at strength 0"
    odd = sum(bool(oddities_of(plane)) for plane in planes)
    return f"{title}: " + (f"{odd} to review" if odd else "no issues")


def mean_message(plane: PlaneReport) -> str:
    """Return a plane's mean intensity before and after; empty if unknown."""
    change = mean_change(plane)
    if plane.mean_before is None or plane.mean_after is None:
        return ""
    told = "" if change is None else f" ({_percent(change)})"
    before, after = (in_digits(m, 4) for m in (plane.mean_before, plane.mean_after))
    return f"Mean {before} \u2192 {after}{told}"


def plane_lines(plane: PlaneReport) -> list[str]:
    """Return residual, stop reason, verdict and mean intensity, a line each."""
    lines = [
        f"Residual {in_digits(plane.residual_rms)} after {plane.steps} steps",
        StopReason(plane.reason).sentence,
        plane.stop_rules_sentence,
        ""
        if plane.quality.verdict is None
        else Verdict(plane.quality.verdict).sentence,
        mean_message(plane),
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
