"""The choice of the device to compute on."""

from __future__ import annotations

from magicgui.widgets import ComboBox
from napari.qt.threading import WorkerBase
from psygnal import Signal

from napari_inr_denoise.plugin.controls.preferences import preferred_settings
from napari_inr_denoise.plugin.elements.form import let_shrink
from napari_inr_denoise.plugin.runs.lifetime import Lifetime, while_open

_LOOKING = "Looking for a GPU..."


class DeviceChoice(ComboBox):
    """A list of the devices of this machine, at first only the preferred one.

    Attributes
    ----------
    failed : Signal
        Emitted with a message if PyTorch cannot be loaded.
    """

    failed = Signal(str)

    def __init__(self) -> None:
        self._devices = [(_LOOKING, preferred_settings().device)]
        # A function, because magicgui asks again whenever the layers change.
        super().__init__(choices=lambda _: self._devices, label="Device")
        let_shrink(self.native)

    def find_devices(self, lifetime: Lifetime) -> None:
        """Find the devices in a thread: loading PyTorch takes seconds."""
        self._lifetime = lifetime
        probe = _DeviceProbe()
        probe.returned.connect(self._show)
        probe.errored.connect(self._show_error)
        lifetime.start(probe)

    def prefer(self, device: str) -> None:
        """Choose a device if it exists; "cuda" stands for the first CUDA device."""
        names = [name for _, name in self._devices]
        alike = [n for n in names if n == device or n.startswith(f"{device}:")]
        if alike:
            self.value = alike[0]

    @while_open
    def _show(self, devices: list[tuple[str, str]]) -> None:
        preferred = self.value
        self._devices = devices
        self.reset_choices()
        self.prefer(preferred)

    @while_open
    def _show_error(self, error: Exception) -> None:
        self._show([("No device", "auto")])
        self.failed.emit(
            f"PyTorch could not be loaded: {error}. Reinstall it, then restart napari."
        )


class _DeviceProbe(WorkerBase):  # type: ignore[misc]
    """Finds the devices in a thread: loading torch takes seconds.

    Emits `returned` with (description, name) of each device, the default first.

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
