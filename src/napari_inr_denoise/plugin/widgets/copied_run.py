"""A run of the panel as a command or a Python script."""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass, replace
from pathlib import Path

from napari.layers import Image

from napari_inr_denoise.core.settings import PRESETS, DenoiseSettings
from napari_inr_denoise.io.read import read_image
from napari_inr_denoise.plugin.layers.metadata_keys import NUMBER_KEY, file_of
from napari_inr_denoise.plugin.layers.source.scope import SLICE
from napari_inr_denoise.plugin.sections.input_section import InputSection

SETTINGS_FILE = "settings.json"
_ANY_FILE = "IMAGE.tif"
_OPTIONS = ("seed", "device", "mode", "memory_gb")
"""Settings that the command has options for."""
_PLAIN_ON_WINDOWS = re.compile(r"[\w.:\\/+-]+")


@dataclass(frozen=True)
class CopiedRun:
    """What a command or script needs to denoise a file as the panel does.

    Attributes
    ----------
    path : str
        The file.
    settings : DenoiseSettings
        The chosen settings.
    axes : str or None
        Axes of the file, if they are not those that the file states.
    same_dtype : bool
        Whether the result has the data type of the input.
    is_integer : bool
        Whether the input is of integers, which a result of the same type is rounded to.
    left_out : tuple of str
        Sentences on the choices that no command or script has.
    """

    path: str
    settings: DenoiseSettings
    axes: str | None = None
    same_dtype: bool = False
    is_integer: bool = False
    left_out: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """The command."""
        settings = self.settings
        out = f"{Path(self.path).stem}-denoised"
        parts = [f"inr-denoise run {quoted(self.path)} --out {quoted(out)}"]
        if self.needs_file:
            parts.append(f"--settings {SETTINGS_FILE}")
        else:
            parts.append(f"--preset {settings.preset} --seed {settings.seed}")
            if settings.device != "auto":
                parts.append(f"--device {settings.device}")
            if settings.mode != "plane":
                parts.append(f"--mode {settings.mode}")
            if settings.memory_gb != PRESETS[settings.preset].memory_gb:
                parts.append(f"--memory {settings.memory_gb:g}")
        if self.axes is not None:
            parts.append(f"--axes {self.axes}")
        if self.same_dtype:
            parts.append("--dtype same")
        return " ".join(parts)

    @property
    def needs_file(self) -> bool:
        """Whether settings differ from a preset in what no option can say."""
        settings = self.settings
        if settings.preset not in PRESETS:
            return True
        told = {name: getattr(settings, name) for name in _OPTIONS}
        return replace(PRESETS[settings.preset], **told) != settings

    @property
    def script(self) -> str:
        """The script; `result` has the image, `denoised` that of the input's type."""
        rounded = self.same_dtype and self.is_integer
        lines = [
            *(f"# {' '.join(told.split())}" for told in self.left_out),
            "from napari_inr_denoise import DenoiseSettings, denoise, read_image",
        ]
        if rounded:
            lines.append("from napari_inr_denoise.image.conversion import as_dtype")
        lines += ["", f"image = read_image({self.path!r})"]
        if self.axes is not None:
            lines.append(f"image = image.with_axes({self.axes!r})")
        lines += [
            f"settings = DenoiseSettings.from_dict({self.settings.to_dict()!r})",
            "result = denoise(",
            "    image.data,",
            "    axes=image.axes,",
            "    spacing_um=image.spatial_spacing_um(),",
            "    settings=settings,",
            ")",
        ]
        if rounded:
            lines.append("denoised, _ = as_dtype(result.image, image.data.dtype)")
        return "\n".join([*lines, ""])


def copied_run(inputs: InputSection) -> CopiedRun:
    """Return the run that is chosen in the panel."""
    layer = inputs.layer.chosen
    path = None if layer is None else file_of(layer)
    left_out = []
    region = inputs.region.value
    if region is not None:
        left_out.append(
            f"The region {region.name!r} is left out: whole planes are denoised."
        )
    if layer is not None and layer.ndim > 2 and inputs.scope.value == SLICE:
        left_out.append("All planes are denoised, not the shown one alone.")
    if layer is not None and NUMBER_KEY in layer.metadata and not inputs.all_channels:
        left_out.append("All channels are denoised, not the chosen one alone.")
    axes = None
    if layer is not None and path is not None and layer.ndim > 2:
        try:
            axes = corrected_axes(path, inputs.axes.letters)
        except (OSError, ValueError, ImportError) as error:
            left_out.append(f"The axes of the panel are left out: {error}")
    return CopiedRun(
        path or _ANY_FILE,
        inputs.settings,
        axes,
        inputs.output_type.value,
        layer is not None and _is_integer(layer),
        tuple(left_out),
    )


def _is_integer(layer: Image) -> bool:
    return bool(layer.dtype.kind in "iu")


def corrected_axes(path: str, letters: str) -> str | None:
    """Return the axes of a file as they are in its layer; None if they are the same.

    Parameters
    ----------
    path : str
        The file.
    letters : str
        A letter for each dimension of the layer, in which Y and X are last, channels
        may be missing, and colours are.

    Raises
    ------
    OSError, ImportError
        If the file cannot be read.
    ValueError
        If it cannot be read, or no axes of the file are those of the layer.
    """
    stated = read_image(path, lazy=True).axes
    order = [letter for letter in stated if letter not in "YXS"]
    order += [letter for letter in "YX" if letter in stated]
    if len(order) > len(letters):
        order = [letter for letter in order if letter != "C"]  # a layer each
    named = dict(zip(order, letters, strict=False))
    axes = "".join(named.get(letter, letter) for letter in stated)
    if len(order) != len(letters) or len(set(axes)) < len(axes):
        raise ValueError(
            f"got {letters} for a file with the axes {stated}. Choose axes for each "
            "dimension of the file with --axes."
        )
    return None if axes == stated else axes


def quoted(text: str, *, windows: bool = os.name == "nt") -> str:
    """Return a text as one argument in a shell: cmd on Windows, else that of POSIX."""
    if not windows:
        return shlex.quote(text)
    # A name has no double quotes there.
    return text if _PLAIN_ON_WINDOWS.fullmatch(text) else f'"{text}"'
