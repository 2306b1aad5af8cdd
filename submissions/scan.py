"""Reads a folder that somebody else made: plain files only, within limits, never through a link."""

import io
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from harness.errors import LevelfieldError, UsageError
from submissions.layout import check_path

MAX_FILE_BYTES = 64 * 2**20
MAX_TOTAL_BYTES = 2**30
MAX_FILES = 4_000

_DEEPEST = 5
# O_NONBLOCK, so that a pipe put in a file's place cannot hold us up.
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_AHEAD_BYTES = 2**26
_WORTH_BYTES = 2**14
_PRIVILEGED = stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX


def scan(root: Path) -> tuple[dict[str, int], set[str]]:
    """Sizes of all files under ``root`` by relative path, and the paths of all folders.

    `LevelfieldError` for a link, a hard link, a device, a pipe, a socket, a set-user-id bit, a
    path outside the grammar, or anything beyond the limits.
    """
    sizes: dict[str, int] = {}
    folders: set[str] = set()
    total = 0
    for path, status in _walk(root):
        if stat.S_ISDIR(status.st_mode):
            folders.add(path)
            continue
        _check_plain(path, status)
        sizes[path] = status.st_size
        total += status.st_size
        check_limits(str(root), total, len(sizes))
    _read_ahead(root, sizes)
    return sizes, folders


def _read_ahead(root: Path, sizes: Mapping[str, int]) -> None:
    """Have the system fetch the larger files while the small ones are read and judged."""
    if not hasattr(os, "posix_fadvise") or sum(sizes.values()) > _AHEAD_BYTES:
        return
    for path, size in sizes.items():
        if size >= _WORTH_BYTES:
            try:
                handle = os.open(f"{root}/{path}", _FLAGS)
            except OSError:
                return  # whoever reads it says so
            os.posix_fadvise(handle, 0, size, os.POSIX_FADV_WILLNEED)
            os.close(handle)


def check_limits(where: str, total: int, files: int) -> None:
    """Refuse what holds more than `MAX_TOTAL_BYTES` or `MAX_FILES`."""
    if total > MAX_TOTAL_BYTES:
        _refuse(where, f"more than {MAX_TOTAL_BYTES} bytes in all")
    if files > MAX_FILES:
        _refuse(where, f"more than {MAX_FILES} files")


def check_size(path: str, size: int) -> None:
    """Refuse a file of more than `MAX_FILE_BYTES`."""
    if size > MAX_FILE_BYTES:
        _refuse(path, f"{size} bytes; a file may have {MAX_FILE_BYTES}")


def _walk(root: Path) -> Iterator[tuple[str, os.stat_result]]:
    # Text is joined here and below, not paths: a round has tens of thousands of files.
    base, waiting = os.fspath(root), [""]
    found = 0
    while waiting:
        folder = waiting.pop()
        for name in sorted(_names(root, folder)):
            path = f"{folder}{name}"
            check_path(path)
            status = os.lstat(f"{base}/{path}")
            found += 1
            if found > 2 * MAX_FILES or path.count("/") >= _DEEPEST:
                _refuse(path, "too many or too deep folders")
            if stat.S_ISDIR(status.st_mode):
                waiting.append(f"{path}/")
            yield path, status


def _names(root: Path, folder: str) -> list[str]:
    try:
        # The bundle's own name may be a link of the reader's; nothing inside it may be one.
        status = os.lstat(f"{root}/{folder}") if folder else root.stat()
        if not stat.S_ISDIR(status.st_mode):
            _refuse(folder or str(root), "not a folder")
        with os.scandir(f"{root}/{folder}") as entries:
            return [entry.name for entry in entries]
    except OSError as error:
        # A missing root is a mistyped command; trouble inside it is trouble with the bundle.
        kind = LevelfieldError if folder else UsageError
        raise kind(
            f"{folder or root}: cannot be read: {error.strerror}; name the bundle's folder"
        ) from error


def _check_plain(path: str, status: os.stat_result) -> None:
    if stat.S_ISLNK(status.st_mode):
        _refuse(path, "a symbolic link")
    if not stat.S_ISREG(status.st_mode):
        _refuse(path, "not a plain file (a device, a pipe or a socket)")
    if status.st_nlink > 1:
        _refuse(path, "a hard link: the file has a second name")
    if status.st_mode & _PRIVILEGED:
        _refuse(path, "a set-user-id, set-group-id or sticky bit")
    check_size(path, status.st_size)


def read_plain(root: Path, path: str, size: int) -> bytes:
    """The bytes of one scanned file; `LevelfieldError` if it is no longer plain and ``size`` long.

    At most ``size + 1`` bytes are read, whatever the file has become since the scan.
    """
    try:
        handle = os.open(f"{root}/{path}", _FLAGS)
        with os.fdopen(handle, "rb", buffering=0) as stream:
            _check_plain(path, os.fstat(handle))
            data = _read_up_to(stream, size + 1)
    except OSError as error:
        raise LevelfieldError(
            f"{path}: cannot be read: {error.strerror}; copy the bundle again"
        ) from error
    if len(data) != size:
        held = f"only {len(data)}" if len(data) < size else "more"
        _refuse(path, f"its size differs: expected {size} bytes, found {held}")
    return data


def _read_up_to(stream: io.FileIO, size: int) -> bytes:
    """A plain file gives all at once, as a rule; one call may give less."""
    data = stream.read(size) or b""
    while 0 < len(data) < size and (more := stream.read(size - len(data))):
        data += more
    return data


def _refuse(path: str, reason: str) -> None:
    raise LevelfieldError(f"{path}: {reason}; refused, copy the bundle again")
