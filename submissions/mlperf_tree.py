"""The folders of MLPerf Inference's published results, read without ever following a link."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.errors import LevelfieldError, UsageError
from submissions.layout import check_path
from submissions.scan import read_plain

DIVISIONS = ("closed", "network", "open")


@dataclass(frozen=True)
class Place:
    """Where one published result lies."""

    division: str
    submitter: str
    system: str
    model: str
    scenario: str

    @property
    def location(self) -> str:
        """The result's folder, as the published table names it."""
        return self.inside("results")

    def inside(self, part: str) -> str:
        """The result's folder under ``results``, ``measurements`` or ``compliance``."""
        return "/".join(
            (self.division, self.submitter, part, self.system, self.model, self.scenario)
        )

    @property
    def description(self) -> str:
        """The system's description."""
        return f"{self.division}/{self.submitter}/systems/{self.system}.json"


@dataclass(frozen=True)
class Tree:
    """A folder that holds ``closed/<submitter>/results/…``; nothing is ever written into it."""

    root: Path

    def places(self) -> list[Place]:
        """Every published result; `UsageError` if there is none."""
        found = [
            Place(division, *rest)
            for division in DIVISIONS
            for submitter in self.folders(division)
            for rest in self._below(division, submitter)
        ]
        if not found:
            raise UsageError(
                f"{self.root}: holds no closed/<submitter>/results/<system>/<model>/<scenario>; "
                "name the folder of MLPerf Inference's published results"
            )
        return found

    def _below(self, division: str, submitter: str) -> Iterator[tuple[str, str, str, str]]:
        results = f"{division}/{submitter}/results"
        for system in self.folders(results):
            for model in self.folders(f"{results}/{system}"):
                for scenario in self.folders(f"{results}/{system}/{model}"):
                    yield submitter, system, model, scenario

    def folders(self, path: str) -> list[str]:
        """Names of the folders in ``path``, sorted; none if it is not there."""
        return [name for name in self._names(path) if self._is_folder(f"{path}/{name}")]

    def files(self, path: str, suffix: str) -> list[str]:
        """Paths of the files in ``path`` whose names end in ``suffix``, sorted."""
        return [f"{path}/{name}" for name in self._names(path) if name.endswith(suffix)]

    def read(self, path: str) -> bytes | None:
        """A file's bytes; none if it is not there. `LevelfieldError` unless it is plain."""
        check_path(path)
        parts = path.split("/")
        for end in range(1, len(parts)):
            if not self._is_folder("/".join(parts[:end])):
                return None
        try:
            size = os.lstat(self.root / path).st_size
        except OSError:
            return None
        return read_plain(self.root, path, size)

    def _names(self, path: str) -> list[str]:
        if not all(self._is_folder(part) for part in _prefixes(path)):
            return []
        return sorted(entry.name for entry in os.scandir(self.root / path))

    def _is_folder(self, path: str) -> bool:
        check_path(path)
        try:
            mode = os.lstat(self.root / path).st_mode
        except OSError:
            return False
        if stat.S_ISLNK(mode):
            raise LevelfieldError(f"{path}: a symbolic link; refused, copy the results again")
        return stat.S_ISDIR(mode)


def _prefixes(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
