"""Denoise an array: plane by plane, as a generator of steps or in one call."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_inr_denoise.core.arrays import check_image, to_floats
from napari_inr_denoise.core.axes import (
    Plane,
    count_planes,
    plane_spacing,
    planes_of,
    resolve_axes,
    series_of,
)
from napari_inr_denoise.core.defects import isolated_pixels
from napari_inr_denoise.core.devices import (
    describe_device,
    peak_memory_mb,
    pick_device,
)
from napari_inr_denoise.core.engine import finished, plane_steps, shown, step_of
from napari_inr_denoise.core.fit import FitResult, FitStep
from napari_inr_denoise.core.noise import examine_plane
from napari_inr_denoise.core.outcome import Outcome
from napari_inr_denoise.core.problem import FitProblem
from napari_inr_denoise.core.report import DenoiseReport, FileReport, PlaneReport
from napari_inr_denoise.core.settings import DenoiseSettings, preset_settings
from napari_inr_denoise.core.stack import (
    LearnedStack,
    StackPlanes,
    held_out_pixels,
    learn_stack,
    learns_together,
)
from napari_inr_denoise.core.stopping import StopReason

MIN_VALID_PIXELS = 16
"""Fewer valid pixels than this say nothing about the noise."""
_NO_NOISE = float(np.finfo(np.float32).eps)
"""Noise below this share of the largest value is lost in float32 rounding."""
_TRAINING = 0.5
"""Share of a stack's time that its network is trained in, as the progress has it."""


@dataclass(frozen=True)
class DenoiseResult:
    """A denoised image and how it came about.

    Attributes
    ----------
    image : ndarray of float32
        The input's shape and intensity scale. Pixels that were not finite are as
        they were; so are planes that were not reached before a stop.
    report : DenoiseReport
        `report.to_dict()` has the layout of report.json.
    uncertainty : ndarray of float32 or None
        Standard deviation of each pixel's error, in the image's units and shape; NaN
        where it is not known, and None where it is known nowhere.
    """

    image: NDArray[np.float32] = field(repr=False)
    report: DenoiseReport
    uncertainty: NDArray[np.float32] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class DenoiseStep:
    """A look at one plane while it is fitted, or when it is finished.

    Attributes
    ----------
    plane_number, plane_count : int
        The plane at work, counted from 0 in the order of the work, and how many
        there are.
    plane : Plane
        Where it lies in the image.
    problem : FitProblem
        Its noisy values and its noise, in the image's units. While the planes of a
        stack learn together it may be a part of the plane.
    result : FitResult
        The best state so far, or the final one.
    fit : FitStep or None
        The fit's own step; None when the plane is finished.
    progress : float
        Estimated share of the whole run that is done, 0 to 1.
    learning : bool
        Whether a network is trained that the planes of a stack share.
    """

    plane_number: int
    plane_count: int
    plane: Plane
    problem: FitProblem
    result: FitResult
    fit: FitStep | None
    progress: float
    learning: bool
    _run: _Run = field(repr=False, compare=False)

    def stopped(self) -> DenoiseResult:
        """Return what a caller keeps that closes the generator after this step."""
        return self._run.stopped(self)


DenoiseSteps = Generator[DenoiseStep, None, DenoiseResult]


def denoise(  # noqa: PLR0913, PLR0917 - the public call: common choices by name
    image: ArrayLike,
    axes: str | None = None,
    preset: str = "auto",
    seed: int = 0,
    device: str = "auto",
    spacing_um: Sequence[float] | None = None,
    settings: DenoiseSettings | None = None,
) -> DenoiseResult:
    """Denoise an image from itself alone: no training data, no pre-trained weights.

    Parameters
    ----------
    image : array_like
        Real numbers of any shape that `axes` describes. Planes are denoised one by
        one, the samples of an RGB plane jointly. Pixels that are not finite are left
        out of the fit and come back as they were; so does an alpha channel (the last
        of 2 or 4 samples).
    axes : str, optional
        One letter per dimension out of T, C, Z, Y, X, S (S: RGB samples); the last
        of "TCZYX" when omitted. Sizes are never looked at.
    preset : str
        "auto", "fast" or "paper".
    seed : int
        The same seed on the same device gives the same bytes.
    device : str
        "auto", "cpu", "cuda", "cuda:0", "mps".
    spacing_um : sequence of float, optional
        Pixel size in micrometres along each of Z, Y and X that `axes` has, in the
        order of `axes`. Only ratios matter.
    settings : DenoiseSettings, optional
        A full set; `preset`, `seed` and `device` are then taken from it.

    Returns
    -------
    DenoiseResult
        `.image`: float32, the input's shape and intensity scale; `.report`.

    Raises
    ------
    TypeError
        If the image is complex or not made of numbers, or a setting has a wrong type.
    ValueError
        If the image is empty, does not fit `axes`, or a setting is out of bounds.
    """
    if settings is None:
        settings = preset_settings(preset, seed=seed, device=device)
    run = Outcome(denoise_steps(image, axes, settings, spacing_um))
    for _ in run:
        pass
    return run.result


def denoise_steps(
    image: ArrayLike,
    axes: str | None = None,
    settings: DenoiseSettings | None = None,
    spacing_um: Sequence[float] | None = None,
) -> DenoiseSteps:
    """Denoise as a generator, for callers that show progress or may stop.

    Parameters, errors and result are those of `denoise`. Errors of the caller are
    raised here, before the first step. To stop, close the generator and keep
    `step.stopped()`.

    Yields
    ------
    DenoiseStep
        At every look at the plane being fitted, and when it is finished.
    """
    array = np.asarray(image)
    axes = resolve_axes(array.ndim, axes)
    check_image(array)
    settings = settings or preset_settings("auto")
    return _Run(array, axes, settings, plane_spacing(axes, spacing_um)).steps()


class _Run:
    """One image on its way: the output so far and the planes' reports."""

    def __init__(
        self,
        array: NDArray[Any],
        axes: str,
        settings: DenoiseSettings,
        spacing_yx: tuple[float, float],
    ) -> None:
        self._array = array
        self._axes = axes
        self._settings = settings
        self._device = pick_device(settings.device)
        self._spacing_yx = spacing_yx
        self._started = time.monotonic()
        # Planes that are never reached stay as they were.
        self._image = array.astype(np.float32)
        self._uncertainty: NDArray[np.float32] | None = None
        self._planes: list[PlaneReport] = []
        # In planes; what a series learns together is a part of each of its planes.
        self._work = 0.0
        self._last: DenoiseStep

    def steps(self) -> DenoiseSteps:
        """Denoise the planes, one series of them after the other."""
        for series in series_of(self._axes, self._array.shape):
            learned = yield from self._learn(series)
            for number, plane in enumerate(series):
                yield from self._denoise(plane, number, learned)
        return self._result(self._image, self._planes)

    def _learn(
        self, series: list[Plane]
    ) -> Generator[DenoiseStep, None, LearnedStack | None]:
        """Train what the planes of a series share; None where they share nothing."""
        if not learns_together(self._settings, len(series)):
            return None
        planes = StackPlanes(
            lambda number: self._read(series[number]),
            len(series),
            self._spacing_yx,
            self._settings,
        )
        started, best = time.monotonic(), None
        run = Outcome(learn_stack(planes, self._settings, self._device))
        for look in run:
            plane, problem = series[look.number], look.problem
            best = shown(problem, look.training) or best
            if best is not None:
                seconds = time.monotonic() - started
                fit = step_of(problem, look.training, best, seconds)
                share = _TRAINING * len(series) * fit.progress
                step = self._step(plane, problem, best, share, fit)
                self._last = replace(step, learning=True)
                yield self._last
        if run.result is not None:
            self._work += _TRAINING * len(series)
        return run.result

    def _denoise(
        self, plane: Plane, number: int, learned: LearnedStack | None
    ) -> Generator[DenoiseStep, None, None]:
        """Denoise a plane with what its series has learned, or by itself."""
        member = learned.member(number) if learned is not None else None
        problem = self._problem(plane) if member is None else member.problem
        result = _unchanged(problem)
        if result is None and learned is not None and member is not None:
            for _ in (run := Outcome(learned.answer(member))):
                # Nothing new to show, but a chance to stop: a large plane takes long.
                yield self._last
            held_out = held_out_pixels(member, self._settings.seed)
            result = finished(problem, [run.result], held_out)
        elif result is None:
            fitting = Outcome(plane_steps(problem, self._settings, self._device))
            for fit in fitting:
                yield self._step(plane, problem, fit.best, fit.progress, fit)
            result = fitting.result
        self._work += 1.0 if learned is None else 1.0 - _TRAINING
        self._planes.append(_keep(self._image, plane, problem, result))
        self._keep_uncertainty(plane, problem, result)
        self._last = self._step(plane, problem, result, 0.0, None)
        yield self._last

    def _step(
        self,
        plane: Plane,
        problem: FitProblem,
        result: FitResult,
        done: float,
        fit: FitStep | None,
    ) -> DenoiseStep:
        """Return a step; so many planes' work is `done` beside the finished planes."""
        count = count_planes(self._axes, self._array.shape)
        number = len(self._planes) - (fit is None)
        progress = min((self._work + done) / count, 1.0)
        return DenoiseStep(
            number, count, plane, problem, result, fit, progress, False, self
        )

    def stopped(self, step: DenoiseStep) -> DenoiseResult:
        """Return the finished planes and the best so far of the one at work."""
        image, planes = self._image.copy(), list(self._planes)
        target_yxs = step.plane.colours_yxs(image[step.plane.selection])
        whole = target_yxs.shape == step.problem.plane_yxs.shape
        if step.fit is not None and whole:
            planes.append(_keep(image, step.plane, step.problem, step.result))
        return self._result(image, planes)

    def _read(self, plane: Plane) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return a plane and its valid pixels; an alpha channel is no part of it."""
        values, finite = to_floats(plane.colours_yxs(self._array[plane.selection]))
        return values, np.asarray(finite.all(axis=-1))

    def _problem(self, plane: Plane) -> FitProblem:
        """Return one plane under a noise model of its own."""
        values, valid = self._read(plane)
        noise, curves = examine_plane(values, valid)
        problem = FitProblem(values, valid, valid, noise, self._spacing_yx, curves)
        return replace(problem, fitted_yx=valid & ~isolated_pixels(problem))

    def _keep_uncertainty(
        self, plane: Plane, problem: FitProblem, result: FitResult
    ) -> None:
        """Write a finished plane's uncertainty; nothing is held until there is one."""
        if result.uncertainty_yxs is None:
            return
        if self._uncertainty is None:
            self._uncertainty = np.full(self._array.shape, np.nan, dtype=np.float32)
        target_yxs = plane.colours_yxs(self._uncertainty[plane.selection])
        target_yxs[problem.valid_yx] = result.uncertainty_yxs[problem.valid_yx]

    def _result(
        self, image: NDArray[np.float32], planes: list[PlaneReport]
    ) -> DenoiseResult:
        order = [plane.index for plane in planes_of(self._axes, self._array.shape)]
        planes = sorted(planes, key=lambda plane: order.index(plane.index))
        file = FileReport(
            source=None,
            shape=self._array.shape,
            axes=self._axes,
            dtype=str(self._array.dtype),
            seconds=round(time.monotonic() - self._started, 3),
            device=describe_device(self._device),
            peak_memory_mb=peak_memory_mb(self._device),
            planes=tuple(planes),
        )
        report = DenoiseReport(version("napari-inr-denoise"), self._settings, (file,))
        return DenoiseResult(image, report, self._uncertainty)


def _unchanged(problem: FitProblem) -> FitResult | None:
    """Return the plane as it is if there is nothing to fit, or None."""
    fitted, sigma = problem.fitted_yx, problem.noise.sigma
    if fitted.sum() < MIN_VALID_PIXELS or math.isnan(sigma):
        reason = StopReason.TOO_FEW_PIXELS
    elif sigma <= _NO_NOISE * np.abs(problem.plane_yxs).max():
        reason = StopReason.NO_NOISE
    else:
        return None
    return FitResult(problem.plane_yxs.astype(np.float32), 0.0, 0, reason)


def _keep(
    image: NDArray[np.float32], plane: Plane, problem: FitProblem, result: FitResult
) -> PlaneReport:
    """Write a plane's valid pixels into the image, and return its record."""
    target_yxs = plane.colours_yxs(image[plane.selection])
    valid = problem.valid_yx
    target_yxs[valid] = result.plane_yxs[valid]
    before = problem.plane_yxs[valid]
    after = result.plane_yxs[valid].astype(np.float64)
    noise, quality = problem.noise, result.quality
    return PlaneReport(
        index=plane.index,
        sigma=_known(problem.noise.sigma),
        correlated=problem.noise.correlated,
        isolated_pixels=problem.isolated_count,
        residual_rms=result.residual_rms,
        steps=result.steps,
        reason=result.reason.value,
        mean_before=float(before.mean()) if before.size else None,
        mean_after=float(after.mean()) if after.size else None,
        sum_before=float(before.sum()) if before.size else None,
        sum_after=float(after.sum()) if after.size else None,
        gain=_known(noise.gain),
        read_noise=_known(noise.read_noise),
        offset=_known(noise.offset),
        clipped_low=noise.clipped_low,
        clipped_high=noise.clipped_high,
        correlation_distance=noise.correlation_distance,
        candidates=dict(result.weights),
        held_out_error=None if quality is None else quality.held_out_error,
        whiteness=None if quality is None else quality.whiteness,
        verdict=None if quality is None else quality.verdict.value,
        intensity_bias=() if quality is None else quality.intensity_bias,
    )


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
