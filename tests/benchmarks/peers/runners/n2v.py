"""Noise2Void and N2V2 by CAREamics, trained on the plane that is denoised."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from careamics import CAREamist
from careamics.config.factories import create_n2v_config
from lightning.pytorch import Callback

if TYPE_CHECKING:
    from run import Task

# Epochs, batch and patch are those that CAREamics' napari plugin starts with. An epoch
# is all patches of the training data once, one step for a plane of 256x256: the
# plane is repeated so that an epoch has 100 steps.
_EPOCHS, _STEPS, _BATCH, _PATCH = 30, 100, 16, 64


class _Stop(Callback):
    """Ends the training when the time is over; the last state is used."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self.steps = 0

    def on_train_batch_end(self, trainer: object, *_: object) -> None:
        self.steps += 1
        if self._task.out_of_time():
            trainer.should_stop = True
            trainer.limit_val_batches = 0


def denoise(task: Task) -> np.ndarray:
    """Train for 30 epochs of 100 steps, or until the time is over, and predict."""
    config = create_n2v_config(
        experiment_name="peer",
        data_type="array",
        axes="SYX",
        patch_size=[_PATCH, _PATCH],
        batch_size=_BATCH,
        num_epochs=_EPOCHS,
        num_steps=_STEPS,
        use_n2v2=task.variant == "n2v2",
    )
    stop = _Stop(task)
    careamist = CAREamist(config, callbacks=[stop], enable_progress_bar=False)
    patches = (task.noisy.shape[0] // _PATCH) * (task.noisy.shape[1] // _PATCH)
    copies = -(-_STEPS * _BATCH // patches) + 1
    careamist.train(train_data=np.repeat(task.noisy[None], copies, axis=0))
    images, _ = careamist.predict(task.noisy[None], axes="SYX")
    task.note = f"{stop.steps} of {_EPOCHS * _STEPS} steps"
    return np.squeeze(images[0])
