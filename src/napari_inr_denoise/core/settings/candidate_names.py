"""Names of the networks that settings may ask for."""

from __future__ import annotations

NEIGHBOURHOOD, ATTENTION, SIREN = "neighbourhood", "attention", "siren"
SIREN_BANDWIDTHS = {SIREN: 1.0, "siren-coarse": 0.5, "siren-fine": 2.0}
"""Names of SIREN by bandwidth: factors of `omega` and of the finest first period."""
CANDIDATES = [NEIGHBOURHOOD, ATTENTION, *SIREN_BANDWIDTHS]
"""Names of the networks; `core.candidates.registry` holds the networks themselves."""


def allow_candidate(name: str) -> None:
    """Allow a network's name in `DenoiseSettings.candidates`.

    Raises
    ------
    ValueError
        If the name is empty or contains the separator +.
    """
    if not name or "+" in name:
        raise ValueError(f"candidate name: got {name!r}, wanted a name without +.")
    if name not in CANDIDATES:
        CANDIDATES.append(name)
