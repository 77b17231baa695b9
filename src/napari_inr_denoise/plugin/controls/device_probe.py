"""Finds the devices of this machine in a thread: loading torch takes seconds."""

from __future__ import annotations

from napari.qt.threading import WorkerBase


class DeviceProbe(WorkerBase):  # type: ignore[misc]
    """Emits `returned` with (description, name) of each device, the default first.

    Emits `errored` if torch cannot be loaded.
    """

    def work(self) -> list[tuple[str, str]]:
        """Run in the worker's thread."""
        from napari_inr_denoise.core.compute.devices import (
            available_devices,
            describe_device,
            pick_device,
        )

        chosen = describe_device(pick_device("auto"))
        devices = [(f"auto: {chosen}", "auto")]
        # "cuda" is the same device as "cuda:0".
        names = [name for name in available_devices() if name != "cuda"]
        return devices + [(describe_device(pick_device(n)), n) for n in names]
