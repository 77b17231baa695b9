"""Make README's links absolute where it is known in which repository a build runs.

PyPI and the napari hub show README outside of the repository, where a relative picture
is not found. GitHub's workflows tell their repository by environment variables; without
them the links stay as they are, and no address is made up.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_LINK = re.compile(r"(!?)(\[[^\]]*\])\(((?:docs/|CITATION)[^)]*)\)")


class AbsoluteLinks(MetadataHookInterface):
    """Gives the package its description and its addresses."""

    PLUGIN_NAME = "custom"

    def update(self, metadata: dict[str, Any]) -> None:
        """Fill in what pyproject.toml calls dynamic."""
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        address = repository(os.environ)
        if address:
            tag = os.environ.get("GITHUB_REF_NAME", "main")
            text = absolute_links(text, address, tag)
            metadata["urls"] = project_urls(address)
        metadata["readme"] = {"content-type": "text/markdown", "text": text}


def repository(environment: Mapping[str, str]) -> str:
    """Return the address of the repository that a workflow runs in, or nothing."""
    server = environment.get("GITHUB_SERVER_URL", "")
    name = environment.get("GITHUB_REPOSITORY", "")
    return f"{server}/{name}" if server and name else ""


def absolute_links(text: str, address: str, tag: str) -> str:
    """Return Markdown with links to files of the repository as it is at a tag."""
    return _LINK.sub(
        lambda found: (
            f"{found[1]}{found[2]}({address}/{'raw' if found[1] else 'blob'}/{tag}/"
            f"{found[3]})"
        ),
        text,
    )


def project_urls(address: str) -> dict[str, str]:
    """Return the addresses that PyPI and the napari hub show."""
    return {
        "Source": address,
        "Issues": f"{address}/issues",
        "Changelog": f"{address}/blob/HEAD/docs/pages/changelog.md",
        "Documentation": f"{address}/blob/HEAD/docs/index.md",
    }
