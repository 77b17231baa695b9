"""Where a result layer keeps how it was made."""

from __future__ import annotations

REPORT_KEY = "inr_denoise"
"""In the layer's metadata."""
SHOWS_KEY = "inr_denoise_shows"
"""In the metadata of a layer that tells something of a result: what it shows."""
