"""Zero-shot denoising of fluorescence images with implicit neural representations.

The public names load when they are first used, so that importing the package
costs nothing and loads no torch.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_inr_denoise.core.denoise import denoise
    from napari_inr_denoise.core.noise.measure import estimate_noise
    from napari_inr_denoise.core.settings import DenoiseSettings
    from napari_inr_denoise.io.read import list_images, read_image, read_images
    from napari_inr_denoise.io.write import write_image

__all__ = [
    "DenoiseSettings",
    "__version__",
    "denoise",
    "estimate_noise",
    "list_images",
    "read_image",
    "read_images",
    "write_image",
]

__version__: str

# torch reads this as it loads. Without it, threads that wait for work spin. Beside a
# window that is drawn, or another busy program, a run then takes two to ten times as
# long.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

_HOME = {
    "denoise": "napari_inr_denoise.core.denoise",
    "estimate_noise": "napari_inr_denoise.core.noise.measure",
    "DenoiseSettings": "napari_inr_denoise.core.settings",
    "list_images": "napari_inr_denoise.io.read",
    "read_image": "napari_inr_denoise.io.read",
    "read_images": "napari_inr_denoise.io.read",
    "write_image": "napari_inr_denoise.io.write",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module attribute is anything
    """Import the module that holds a public name when the name is first used."""
    if name == "__version__":
        return import_module("napari_inr_denoise.version").package_version()
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
