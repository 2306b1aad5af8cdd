"""What a bundle lies in: a folder, or a zip of one. The only way to its bytes."""

from pathlib import Path
from typing import Protocol

from harness.errors import UsageError
from submissions.scan import read_plain, scan
from submissions.zip_reader import Zip


class Container(Protocol):
    """Files by relative path, none of which has been believed yet."""

    @property
    def path(self) -> Path:
        """Where it lies."""

    def sizes(self) -> tuple[dict[str, int], set[str]]:
        """Sizes of all files by path, and the paths of all folders, found by the strict scan.

        `LevelfieldError` for whatever is not plain, or beyond the limits.
        """

    def read(self, path: str, size: int) -> bytes:
        """The bytes of one file; `LevelfieldError` if it is not plain and ``size`` bytes long."""


class Folder:
    """A folder; what lies in it is scanned and read as it is now."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def sizes(self) -> tuple[dict[str, int], set[str]]:
        """As `scan` finds them."""
        return scan(self.path)

    def read(self, path: str, size: int) -> bytes:
        """As `read_plain` reads it."""
        return read_plain(self.path, path, size)


def open_container(path: Path) -> Container:
    """The container at ``path``, which may be a link of the reader's own.

    A zip is scanned at once: `LevelfieldError` as of `Zip`. `UsageError` if nothing is there.
    """
    if not path.exists():
        raise UsageError(f"{path}: no such folder or zip; name a bundle")
    return Folder(path) if path.is_dir() else Zip(path)
