"""Atomic writes: complete or absent after any error, without temporary files."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_inr_denoise.io.atomic import atomic_write, atomic_write_folder


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _write(path: Path, text: str) -> None:
    with atomic_write_folder(path) as temporary:
        (temporary / "0").write_text(text)


def test_a_file_is_replaced_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "a"
    for text in ("old", "new"):
        with atomic_write(path) as temporary:
            temporary.write_text(text)
            assert not path.exists() or path.read_text() == "old"
        assert path.read_text() == text
    assert _names(tmp_path) == ["a"]


def _fail_in_a_file(path: Path) -> None:
    with atomic_write(path) as temporary:
        temporary.write_text("half")
        raise OSError("no")


def _fail_in_a_folder(path: Path) -> None:
    with atomic_write_folder(path) as temporary:
        (temporary / "0").write_text("half")
        raise OSError("no")


def test_a_file_that_failed_leaves_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    for name in ("a", "b"):
        with pytest.raises(OSError, match="no"):
            _fail_in_a_file(tmp_path / name)
    assert (tmp_path / "a").read_text() == "old"
    assert _names(tmp_path) == ["a"]


def test_a_folder_that_failed_leaves_the_old_one(tmp_path: Path) -> None:
    _write(tmp_path / "a", "old")
    for name in ("a", "b"):
        with pytest.raises(OSError, match="no"):
            _fail_in_a_folder(tmp_path / name)
    assert (tmp_path / "a" / "0").read_text() == "old"
    assert _names(tmp_path) == ["a"]


def test_a_folder_is_replaced_when_it_is_complete(tmp_path: Path) -> None:
    for text in ("old", "new"):
        _write(tmp_path / "a", text)
        assert (tmp_path / "a" / "0").read_text() == text
    assert _names(tmp_path) == ["a"]


def test_the_old_folder_is_put_back_if_the_new_one_cannot_take_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(tmp_path / "a", "old")
    real, calls = Path.rename, []

    def rename(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) == 2:
            raise OSError("no")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(OSError, match="no"):
        _write(tmp_path / "a", "new")
    assert (tmp_path / "a" / "0").read_text() == "old"
    assert _names(tmp_path) == ["a"]


def test_a_link_is_replaced_and_what_it_leads_to_stays(tmp_path: Path) -> None:
    _write(tmp_path / "elsewhere", "theirs")
    (tmp_path / "a").symlink_to("elsewhere", target_is_directory=True)
    _write(tmp_path / "a", "ours")
    assert not (tmp_path / "a").is_symlink()
    assert (tmp_path / "elsewhere" / "0").read_text() == "theirs"
    assert _names(tmp_path) == ["a", "elsewhere"]
