"""How an image was made: in the metadata of its layers, and in its file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from napari_inr_denoise.batch.output_names import is_result
from napari_inr_denoise.io.formats import same_name
from napari_inr_denoise.io.provenance import read_provenance
from napari_inr_denoise.plugin.layers.metadata_keys import REPORT_KEY, SHOWS_KEY

_REPORT_NAME = "report.json"
_MAX_BYTES = 2**28
_BESIDE = (
    "The file has no report of its own; the one shown is from report.json beside it."
)


def layers_provenance(layers: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return what a file says of how layers were made; None if nothing is known.

    Parameters
    ----------
    layers : sequence of mapping
        Metadata of the layers; more than one if each is a channel of the file.
    """
    each = [_of_layer(metadata) for metadata in layers]
    if not any(each):
        return None
    return each[0] if len(each) == 1 else {"channels": each}


def _of_layer(metadata: Mapping[str, Any]) -> dict[str, Any]:
    if SHOWS_KEY in metadata:
        return {"map": metadata[SHOWS_KEY]}
    return {"report": metadata[REPORT_KEY]} if REPORT_KEY in metadata else {}


def made_by(path: Path, shape: tuple[int, ...]) -> dict[str, Any]:
    """Return what is known of how the image of a file was made, or nothing.

    A result that another program saved again has lost its report. The report then comes
    from the report.json of its folder.

    Parameters
    ----------
    path : Path
        The file.
    shape : tuple of int
        Shape of the image, with which the report must agree.
    """
    found = read_provenance(path)
    if found is not None or not is_result(path):
        return found or {}
    try:
        return _beside(path, shape)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _beside(path: Path, shape: tuple[int, ...]) -> dict[str, Any]:
    report = path.with_name(_REPORT_NAME)
    if not report.is_file() or report.stat().st_size > _MAX_BYTES:
        return {}
    whole = json.loads(report.read_text(encoding="utf-8"))
    files = [
        file
        for file in whole["files"]
        if file["planes"]
        and same_name(Path(file["output"]).name, path.name)
        and sorted(file["shape"]) == sorted(shape)
    ]
    if len(files) != 1:
        return {}
    return {"report": whole | {"files": files}, "note": _BESIDE}


def provenance_metadata(
    made: Mapping[str, Any], channel: int | None = None
) -> dict[str, Any]:
    """Return the metadata of a layer that tell how it was made.

    Parameters
    ----------
    made : mapping
        From `made_by`.
    channel : int or None
        Number of the channel that the layer shows; None if the image has no axis C.
    """
    try:
        if channel is not None and "channels" in made:
            made, channel = made["channels"][channel], None
        if "map" in made:
            return {SHOWS_KEY: made["map"]}
        report = _report_of(made)
        if report is None:
            return {}
        whole = report if channel is None else _of_channel(report, channel)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return {}  # not as it was written
    return {REPORT_KEY: whole}


def _report_of(made: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a report in the layout of report.json."""
    if "report" in made:
        return dict(made["report"])
    if "identity" not in made or "file" not in made:
        return None
    identity = made["identity"]
    return {
        "version": identity["version"],
        "settings": identity["settings"],
        "files": [made["file"]],
    }


def _of_channel(report: Mapping[str, Any], channel: int) -> dict[str, Any]:
    """Return the report of one channel, without the axis C."""
    return {**report, "files": [_file_of(file, channel) for file in report["files"]]}


def _file_of(file: Mapping[str, Any], channel: int) -> dict[str, Any]:
    axes, shape = file.get("axes") or "", file.get("shape") or ()
    if "C" not in axes:
        return dict(file)
    kept = [k for k, letter in enumerate(axes) if letter != "C"]
    return {
        **file,
        "axes": "".join(axes[k] for k in kept),
        "shape": [shape[k] for k in kept],
        "planes": [
            {**plane, "index": {a: k for a, k in plane["index"].items() if a != "C"}}
            for plane in file["planes"]
            if plane["index"].get("C", channel) == channel
        ],
    }
