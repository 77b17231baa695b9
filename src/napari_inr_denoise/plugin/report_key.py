"""Where a result layer keeps how it was made."""

from __future__ import annotations

REPORT_KEY = "inr_denoise"
"""In the layer's metadata."""
