"""The training of networks with a blind spot."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence

import numpy as np
import pytest

from napari_inr_denoise.core.candidates.training import (
    Trainer,
    Training,
    shown_steps,
    train,
)
from napari_inr_denoise.core.compute.error_curve import Evaluation, HeldOutError
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.ensemble.prediction import Candidate
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.sampling.stack.series import SeriesTile


def _error(mean: float) -> HeldOutError:
    return HeldOutError(np.full(10, mean), 10.0)


class ScriptedTrainer(Trainer):
    """Has the errors that it is given, one for each evaluation, then the last one."""

    def __init__(
        self,
        steps: int,
        errors: Sequence[float] | None,
        residual: Callable[[int], float] = lambda _: 2.0,
    ) -> None:
        self.steps, self.done, self.finished = steps, 0, False
        self._residual = residual
        self._errors = None if errors is None else list(errors)

    def advance(self) -> None:
        assert not self.finished
        self.done += 1

    def finish(self) -> None:
        self.finished = True

    def evaluate(self) -> Evaluation | None:
        if self._errors is None:
            return None
        error = self._errors.pop(0) if len(self._errors) > 1 else self._errors[0]
        return Evaluation(self._residual(self.done), _error(error))

    def predict(
        self,
        tile: SeriesTile | None,
        n_augmentations: int,  # noqa: ARG002
    ) -> Generator[None, None, Candidate]:
        assert tile is None
        yield
        plane = np.full((2, 2, 1), self.done, np.float32)
        return Candidate("", plane, np.zeros_like(plane), self.done, StopReason.TRAINED)


def _trained(
    steps: int, errors: Sequence[float] | None = None
) -> tuple[list[Training], Candidate]:
    trainer = ScriptedTrainer(steps, errors)
    run = GeneratorResult(train(trainer, 1, 1.0))
    updates = list(run)
    assert trainer.finished
    return updates, run.result


def test_a_training_without_errors_takes_all_steps() -> None:
    updates, candidate = _trained(90)
    assert candidate.steps == 90
    assert candidate.reason is StopReason.TRAINED
    assert [one.progress for one in updates] == [one.step / 90 for one in updates]


def test_a_training_with_a_flat_error_ends_early() -> None:
    errors = [0.5, 0.4, 0.3, 0.25, 0.22, 0.21, 0.2, 0.2, 0.2, 0.2, 0.2]
    updates, candidate = _trained(500, errors)
    assert candidate.reason is StopReason.HELD_OUT_FLAT
    assert candidate.steps == 400
    assert updates[-1].error is not None
    assert updates[-1].error.mean == pytest.approx(0.2)


def test_a_training_that_gains_to_the_end_says_so() -> None:
    _, candidate = _trained(100, [0.5, 0.4, 0.3, 0.27, 0.26])
    assert candidate.steps == 100
    assert candidate.reason is StopReason.TRAINED


@pytest.mark.parametrize(
    ("later", "steps"), [([0.19, 0.18], 200), ([0.14, 0.1, 0.07, 0.05, 0.03], 400)]
)
def test_a_training_whose_error_falls_steeply_goes_on(
    later: list[float], steps: int
) -> None:
    _, candidate = _trained(100, [0.5, 0.4, 0.3, 0.25, 0.2, *later])
    # At most four times as long.
    assert candidate.steps == steps


def test_the_progress_never_falls() -> None:
    errors = [0.5, 0.4, 0.3, 0.25, 0.22, 0.21, 0.2, 0.15, 0.1, 0.05, 0.02]
    updates, _ = _trained(900, errors)
    done = [one.progress for one in updates]
    assert done == sorted(done)
    assert 0 <= done[0] <= done[-1] <= 1


def test_the_plane_is_shown_on_the_way() -> None:
    assert shown_steps(90) == [25, 50]
    assert shown_steps(400) == [25, 50, 100, 200]
    updates, _ = _trained(100)
    shown = {one.step: one.candidate for one in updates if one.candidate is not None}
    assert list(shown) == [25, 50]
    assert (shown[50].plane_yxs == 50).all()


def test_nothing_is_predicted_on_the_way_for_nobody() -> None:
    trainer = ScriptedTrainer(100, None)
    run = GeneratorResult(train(trainer, 1, previews=False))
    assert not any(one.candidate for one in run)
    assert run.result.steps == 100


@pytest.mark.parametrize(("from_step", "told"), [(0, 25), (60, 71), (100, 100)])
def test_it_is_told_when_the_residual_was_down_to_the_noise(
    from_step: int, told: int
) -> None:
    """The first measurement counts, also if the residual rises afterwards."""

    def residual(step: int) -> float:
        return 1.0 if from_step <= step < from_step + 30 else 1.01

    trainer = ScriptedTrainer(100, [0.5, 0.4, 0.3, 0.27, 0.26], residual)
    run = GeneratorResult(train(trainer, 1, previews=False))
    updates = list(run)
    assert run.result.noise_level_step == told
    assert {one.noise_level_step for one in updates} == {None, told}


def test_a_residual_above_the_noise_is_told_too() -> None:
    _, candidate = _trained(100, [0.5, 0.4, 0.3, 0.27, 0.26])
    assert candidate.noise_level_step is None
