"""A stand-in for TensorFlow 2.8, which other methods of Aydin use.

Aydin imports it all the same, and it exists for no Python that runs here.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING
from unittest.mock import MagicMock

if TYPE_CHECKING:
    from types import ModuleType


class _NoTensorFlow:
    """Finds modules that hold nothing but mocks."""

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        if name.partition(".")[0] not in ("tensorflow", "keras"):
            return None
        return ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = MagicMock()
        module.__path__, module.__name__, module.__spec__ = [], spec.name, spec
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Run nothing."""


sys.meta_path.insert(0, _NoTensorFlow())
