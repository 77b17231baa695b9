"""Turn $...$ of a page into MathML, which browsers show by themselves (an MkDocs hook).

So the site loads no script from elsewhere, and the pages stay readable as they are.
"""

from __future__ import annotations

import re
from typing import Any

from latex2mathml.converter import convert

_CODE_OR_MATHS = re.compile(r"```.*?```|`[^`]*`|\$([^$\n]+)\$", re.DOTALL)


def on_page_markdown(markdown: str, **_: Any) -> str:  # noqa: ANN401 - as MkDocs has it
    """Return the page with its formulas converted; code is left as it is."""
    return _CODE_OR_MATHS.sub(_converted, markdown)


def _converted(found: re.Match[str]) -> str:
    formula = found.group(1)
    if formula is None:
        return found.group(0)
    # A line that began with <math> would be taken for a block of HTML.
    return f"<span>{convert(formula)}</span>"
