"""Fixtures that several test files share: the command line as a user has it, a finished line."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from chromium import ARGUMENTS, CHROMIUM

if TYPE_CHECKING:
    from playwright.sync_api import Browser

LEVELFIELD = Path(sys.executable).with_name("levelfield")
GUIDE = Path(__file__).parent.parent / "docs/vendors.md"
SUBMITTER = "acme"
"""Who packs in the vendors' guide."""


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
        timeout=900,
        check=False,
        **options,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def killed_when_it_evaluated(cwd: Path, *words: str) -> Path:
    """Train in ``cwd / "runs"`` up to the first evaluation, then kill it: the folder of the run."""
    command = [str(LEVELFIELD), "run", "image_classification", "--runs", "1", "--out", "runs"]
    home = {**os.environ, "HOME": str(cwd)}
    process = subprocess.Popen([*command, *words], cwd=cwd, env=home, stderr=subprocess.DEVNULL)
    log = cwd / "runs/run_1/events.log"
    while not (log.exists() and "eval_stop" in log.read_text()):
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return log.parent


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


def guide_blocks(kind: str) -> list[str]:
    """The text of the vendors' guide's blocks of ``kind``, such as ``console``."""
    return re.findall(rf"```{kind}\n(.*?)```", GUIDE.read_text("utf-8"), re.S)


@pytest.fixture(scope="session")
def line(tmp_path_factory: pytest.TempPathFactory) -> Line:
    """The result of ``levelfield quickstart``, made once; tests must not change its bundle.

    Its machine is the one that the vendors' guide describes: the guide goes on with its training.
    """
    folder = tmp_path_factory.mktemp("line")
    home = folder / "home"
    system = folder / "quickstart/system.toml"
    system.parent.mkdir()
    system.write_text(guide_blocks("toml")[0], "utf-8")
    return Line(folder, home, run_levelfield(folder, home, "quickstart", "--submitter", SUBMITTER))
