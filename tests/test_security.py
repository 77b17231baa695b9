"""What a stranger's file, or a neighbour on the network, cannot do."""

from __future__ import annotations

import ast
import json
import pickle
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import psutil
import pytest

import napari_inr_denoise
from napari_inr_denoise import read_image

_LOADERS = {"pickle", "cloudpickle", "dill", "marshal", "shelve", "joblib", "yaml"}
_CALLS = {"eval", "exec", "compile", "torch.load", "np.load", "numpy.load"}


def _dangers(source: str) -> list[str]:
    """Return what a module could run code out of a file with."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [name.name for name in node.names if name.name in _LOADERS]
        elif isinstance(node, ast.ImportFrom):
            found += [node.module] if node.module in _LOADERS else []
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in _CALLS:
            found.append(ast.unparse(node.func))
    return [name for name in found if name is not None]


def test_no_module_can_run_what_it_reads() -> None:
    assert _dangers("import pickle\ntorch.load(path)") == ["pickle", "torch.load"]
    modules = sorted(Path(napari_inr_denoise.__file__).parent.rglob("*.py"))
    found = {path.name: _dangers(path.read_text("utf-8")) for path in modules}
    assert {name: dangers for name, dangers in found.items() if dangers} == {}


class _Mischief:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self._path,)


@pytest.mark.parametrize("dtype", ["|u1", "|O"])
@pytest.mark.parametrize("place", ["compressor", "filters"])
def test_a_zarr_is_not_unpickled(tmp_path: Path, dtype: str, place: str) -> None:
    done = tmp_path / "done"
    pickled = pickle.dumps(_Mischief(done))
    pickle.loads(pickled)
    assert done.exists()  # the mischief works
    done.unlink()
    codec = {"id": "pickle"}
    array = {"zarr_format": 2, "shape": [4, 5], "chunks": [4, 5], "dtype": dtype}
    array |= {"compressor": None, "filters": None, "fill_value": 0, "order": "C"}
    array[place] = codec if place == "compressor" else [codec]
    folder = tmp_path / "a.zarr"
    folder.mkdir()
    (folder / ".zarray").write_text(json.dumps(array))
    (folder / "0.0").write_bytes(pickled)
    with pytest.raises(ValueError, match="could not be read"):
        read_image(folder)
    assert not done.exists()


def _listening() -> set[str]:
    """Return the addresses that this process and those it started listen on."""
    me = psutil.Process()
    return {
        connection.laddr.ip
        for process in (me, *me.children(recursive=True))
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }


def test_workers_listen_on_the_loopback_only() -> None:
    pytest.importorskip("distributed")
    from napari_inr_denoise.batch.cluster import local_workers

    with local_workers(1, "cpu") as client:
        assert _listening() == {"127.0.0.1"}
        port = client.scheduler_info()["services"]["dashboard"]
        with pytest.raises(HTTPError, match="404"):  # the port has other pages
            urlopen(f"http://127.0.0.1:{port}/status", timeout=30)
