"""Names of result layers: a second result of a layer says what it differs in.

A run that repeats an earlier one replaces its result, as napari does with the result
of a function that is called again. Every other result stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from napari_inr_denoise.core.settings import PRESETS, SIREN, DenoiseSettings
from napari_inr_denoise.plugin.layers.source.layer_source import LayerSource
from napari_inr_denoise.plugin.results.finished import Finished

_END = re.compile(r" \[(?:denoised|preview)[^\]]*\](?: \[\d+\])?$")


def plain_name(name: str) -> str:
    """Return the name of a result layer without what it says of the run."""
    return _END.sub("", name)


def with_words(name: str, *words: str) -> str:
    """Return the name of a result with more words: "cells [denoised, partial]"."""
    head, found, tail = name.rpartition("[denoised")
    said, closed, rest = tail.partition("]")
    return head + found + ", ".join((said, *words)) + closed + rest if found else name


def result_name(
    source: LayerSource, settings: DenoiseSettings, earlier: Iterable[Finished]
) -> str:
    """Return the name for the layer of a run that begins.

    Parameters
    ----------
    source, settings : LayerSource, DenoiseSettings
        The run.
    earlier : iterable of Finished
        The complete results of images that are in the viewer.

    Returns
    -------
    str
        "cells [denoised]", or the name of the result that the run repeats. If another
        run has that name, it has those words that do not hold for that one:
        "cells [denoised, volume]".
    """
    name = str(source.keywords["name"])
    named: dict[str, Finished] = {
        one.layer.name: one
        for one in earlier
        if one.source.layer == source.layer
        and plain_name(one.layer.name) == plain_name(name)
    }
    for taken, one in named.items():
        if repeats(one, source, settings):
            return taken
    if name not in named:
        return name
    other = named[name]
    theirs = _words(other.source, other.result.report.settings)
    words = [word for word in _words(source, settings) if word not in theirs]
    if not words:
        words = [_difference(other.source, source)]
    third = named.get(with_words(name, *words))
    more = () if third is None else (_difference(third.source, source),)
    return with_words(name, *dict.fromkeys((*words, *more)))


def repeats(finished: Finished, source: LayerSource, settings: DenoiseSettings) -> bool:
    """Return whether a run has the settings and the part of the layer of a result."""
    own = finished.source
    kept = own.same_dtype, _fit(finished.result.report.settings)
    return kept == (source.same_dtype, _fit(settings)) and own.is_same_part(source)


def _difference(one: LayerSource, other: LayerSource) -> str:
    """Return in what two runs differ that have the same words."""
    if one.data is not other.data:
        return "other data"
    return "other settings" if one.is_same_part(other) else "other region"


def _fit(settings: DenoiseSettings) -> DenoiseSettings:
    """Return settings without what does not change the fit."""
    usual = DenoiseSettings()
    if settings.mode == "volume" and settings.candidate_names == (SIREN,):
        return replace(usual, mode="volume", seed=settings.seed, siren=settings.siren)
    return replace(
        settings,
        device=usual.device,
        memory_gb=usual.memory_gb,
        strength=usual.strength,
    )


def _words(source: LayerSource, settings: DenoiseSettings) -> list[str]:
    """Return what can be said of a run, the most important first."""
    others = [axis for axis in source.axes if axis not in "YXS"]
    words = []
    if settings.mode == "volume":
        words.append("volume")
    elif source.whole and others:
        words.append("all planes")
    elif others:
        pairs = zip(source.axes, source.selection, strict=False)
        words += [f"{a.lower()} {at.start}" for a, at in pairs if a in others]
    words.append("region" if source.has_region else "whole")
    words.append(settings.preset)
    usual = PRESETS.get(settings.preset)
    if usual is not None and settings.candidates != usual.candidates:
        words.append(settings.candidates)
    words.append(f"context {settings.context}")
    words.append(f"seed {settings.seed}")
    words.append("as the input" if source.same_dtype else "float")
    return words
