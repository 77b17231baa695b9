"""What a stranger's file cannot do: no content of it is ever run as a program."""

from __future__ import annotations

import ast
import json
import pickle
from pathlib import Path
from typing import Any

import pytest

import napari_inr_denoise
from napari_inr_denoise import read_image

SOURCE = Path(napari_inr_denoise.__file__).parent
_FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal"}
_FORBIDDEN_MODULES |= {"shelve", "yaml"}
_FORBIDDEN_NAMES = {"eval", "exec", "compile", "__import__"}
_SHELLS = {"system", "popen", "getoutput", "getstatusoutput"}


def _keyword(call: ast.Call, name: str) -> object:
    """Return the constant value of a keyword; None if it is missing."""
    found = [one.value for one in call.keywords if one.arg == name]
    return found[0].value if found and isinstance(found[0], ast.Constant) else None


def _what_of_call(call: ast.Call) -> str:
    """Return what a call would run or unpack; empty if nothing."""
    function = ast.unparse(call.func)
    owner, _, name = function.rpartition(".")
    if function in _FORBIDDEN_NAMES or (
        owner in {"os", "subprocess"} and name in _SHELLS
    ):
        return function
    if _keyword(call, "shell") not in (None, False):
        return f"{function}(shell=...)"
    if _keyword(call, "allow_pickle") not in (None, False):
        return f"{function}(allow_pickle=...)"
    if (
        owner == "torch"
        and name == "load"
        and _keyword(call, "weights_only") is not True
    ):
        return "torch.load"
    return ""


def _found(text: str) -> list[str]:
    """Return what of a module's text could run what a file holds."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            names = []
        found += [n for n in names if n.partition(".")[0] in _FORBIDDEN_MODULES]
        if isinstance(node, ast.Call) and (what := _what_of_call(node)):
            found.append(what)
    return found


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "from yaml import load",
        "import marshal as m",
        "eval('1')",
        "np.load(path, allow_pickle=True)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "subprocess.run(text, shell=True)",
        "os.system(text)",
    ],
)
def test_what_could_run_a_files_content_is_seen(text: str) -> None:
    assert _found(text)


@pytest.mark.parametrize(
    "text",
    [
        "np.load(path)",
        "torch.load(path, weights_only=True)",
        "net.eval()",
        "re.compile(x)",
    ],
)
def test_what_is_harmless_is_not(text: str) -> None:
    assert not _found(text)


def test_no_module_can_run_what_it_reads() -> None:
    modules = sorted(SOURCE.rglob("*.py"))
    assert len(modules) > 100
    seen = {
        str(path.relative_to(SOURCE)): _found(path.read_text(encoding="utf-8"))
        for path in modules
    }
    assert {name: found for name, found in seen.items() if found} == {}


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
