"""Fixtures that several test files share: the command line as a user has it, a finished line."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from chromium import ARGUMENTS, CHROMIUM

if TYPE_CHECKING:
    from playwright.sync_api import Browser

LEVELFIELD = Path(sys.executable).with_name("levelfield")


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Done]


def run_levelfield(cwd: Path, home: Path, *words: str, **options: Any) -> Done:
    path = f"{LEVELFIELD.parent}{os.pathsep}{os.environ['PATH']}"  # as an activated .venv has it
    environment = {**os.environ, "HOME": str(home), "COLUMNS": "100", "PATH": path}
    done = subprocess.run(
        [str(LEVELFIELD), *words],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
        **options,
    )
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def levelfield(tmp_path: Path) -> Command:
    """Runs ``levelfield`` in an empty folder with an empty home."""
    return lambda *words, **options: run_levelfield(tmp_path, tmp_path / "home", *words, **options)


@dataclass(frozen=True)
class Line:
    """What one pass over the whole line left behind."""

    folder: Path
    home: Path
    done: Done

    @property
    def bundle(self) -> Path:
        return self.folder / "quickstart/bundles/1"

    def levelfield(self, *words: str) -> Done:
        return run_levelfield(self.folder, self.home, *words)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests of a whole line come first: one process makes it, while others do the rest."""
    items.sort(key=lambda item: "line" not in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """Chromium, for the tests of one file: others look at the processes that this one has."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def line(tmp_path_factory: pytest.TempPathFactory) -> Line:
    """The result of ``levelfield quickstart``, made once; tests must not change its bundle."""
    folder = tmp_path_factory.mktemp("line")
    home = folder / "home"
    return Line(folder, home, run_levelfield(folder, home, "quickstart"))
