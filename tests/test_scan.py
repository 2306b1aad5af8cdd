import os
import socket
from pathlib import Path

import pytest

from harness.errors import LevelfieldError
from submissions import scan as module
from submissions.scan import read_plain, scan


def test_it_lists_files_with_sizes_and_folders(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/c.txt").write_bytes(b"123")
    (tmp_path / "d.txt").write_bytes(b"")
    assert scan(tmp_path) == ({"a/b/c.txt": 3, "d.txt": 0}, {"a", "a/b"})


def symlink(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def folder_link(path: Path) -> None:
    path.symlink_to(path.parent.parent)


def hard_link(path: Path) -> None:
    (path.parent.parent / "outside").write_bytes(b"")
    path.hardlink_to(path.parent.parent / "outside")


def listening_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


def set_user_id(path: Path) -> None:
    path.write_bytes(b"")
    path.chmod(0o4755)


SPECIAL = {
    symlink: "symbolic link",
    folder_link: "symbolic link",
    hard_link: "hard link",
    os.mkfifo: "not a plain file",
    listening_socket: "not a plain file",
    set_user_id: "set-user-id",
}


@pytest.mark.parametrize(("make", "reason"), SPECIAL.items())
def test_a_file_that_is_not_plain_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: object, reason: str
) -> None:
    assert callable(make)
    (tmp_path / "b").mkdir()
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    make(Path("b/odd"))
    with pytest.raises(LevelfieldError, match=rf"^odd: .*{reason}"):
        scan(tmp_path / "b")


@pytest.mark.parametrize("make", [symlink, hard_link, os.mkfifo, set_user_id])
def test_a_file_that_was_swapped_after_the_scan_is_refused(tmp_path: Path, make: object) -> None:
    assert callable(make)
    (tmp_path / "b").mkdir()
    make(tmp_path / "b/odd")
    with pytest.raises(LevelfieldError, match=r"^odd: "):
        read_plain(tmp_path / "b", "odd", 0)


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        ("MAX_FILE_BYTES", "10 bytes; a file may have 5"),
        ("MAX_TOTAL_BYTES", "more than 5 bytes in all"),
        ("MAX_FILES", "more than 5 files"),
    ],
)
def test_limits_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, reason: str
) -> None:
    for name in "abcdef":
        (tmp_path / name).write_bytes(b"0123456789")
    scan(tmp_path)
    monkeypatch.setattr(module, limit, 5)
    with pytest.raises(LevelfieldError, match=reason):
        scan(tmp_path)


def test_deep_folders_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a/a/a/a/a/a").mkdir(parents=True)
    with pytest.raises(LevelfieldError, match="too deep"):
        scan(tmp_path)


@pytest.mark.parametrize("name", [b"\xff", b"a b", b".hidden", b"aux"])
def test_names_outside_the_grammar_are_refused(tmp_path: Path, name: bytes) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(b"")
    with pytest.raises(LevelfieldError, match="refused as a path"):
        scan(tmp_path)


def test_what_is_not_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(LevelfieldError, match="not a folder"):
        scan(tmp_path / "file")
    with pytest.raises(LevelfieldError, match="No such file"):
        scan(tmp_path / "none")


@pytest.mark.parametrize(("size", "found"), [(2, "more"), (4, "only 3")])
def test_a_file_must_have_the_expected_size(tmp_path: Path, size: int, found: str) -> None:
    (tmp_path / "a").write_bytes(b"123")
    assert read_plain(tmp_path, "a", 3) == b"123"
    with pytest.raises(LevelfieldError, match=f"^a: its size differs: .* found {found}"):
        read_plain(tmp_path, "a", size)
