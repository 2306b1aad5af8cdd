"""Samples the machine in a process of its own, so that a run's interpreter never waits for it."""

import os
import select
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import harness
from harness.clock import Clock
from harness.errors import LevelfieldError
from harness.telemetry.sampling import READY

_ROOT = str(Path(harness.__file__).parent.parent)
# The same harness as here, however it was found: but its folder comes first only where Python
# would not look anyway, lest a package beside it hides one of Python's own. The current folder
# (-P) is left out, as a submitter's own modules lie there.
_PROGRAM = """import sys
root = sys.argv.pop(1)
root in sys.path or sys.path.insert(0, root)
from harness.telemetry.sampling import main
sys.exit(main(sys.argv[1:]))"""
_STARTING_S = 60.0
"""How long the first sample may take: a driver of many cards needs seconds to wake."""
_ENDING_S = 30.0
"""How long the last one and the meter's end may take; then the process is killed."""


class SamplingProcess:
    """Samples into ``path`` from when it is entered until it is left.

    Entering returns when the first sample is taken; it takes some 0.15 s. `LevelfieldError` if it
    cannot begin. One that ends early is told by a `LevelfieldError` when it is left, after the
    samples that it took were kept. ``meter`` is as `all_sources` takes it.
    """

    def __init__(self, path: Path, clock: Clock, meter: str | None = None) -> None:
        self._path = path
        words = [str(path), str(clock.wall_at_zero_ns), str(os.getpid())]
        self._command = [sys.executable, "-P", "-c", _PROGRAM, _ROOT, *words]
        if meter:
            self._command.append(meter)

    def __enter__(self) -> Self:
        with ExitStack() as failed:
            # A group of its own: Ctrl-C reaches it through the run, which ends it in order.
            self._process = subprocess.Popen(
                self._command,
                bufsize=0,  # what follows the first line is left to `_end`
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                process_group=0,
            )
            failed.callback(self._end)
            failed.callback(self._process.kill)
            assert self._process.stdout is not None
            told, _, _ = select.select([self._process.stdout], [], [], _STARTING_S)
            first = self._process.stdout.readline().decode().strip() if told else ""
            if first != READY:
                raise LevelfieldError(
                    first or f"{self._path}: sampling did not begin; run `levelfield doctor`"
                )
            failed.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        said = self._end()
        if error is None and (said or self._process.returncode):
            why = said or f"{self._path}: sampling ended early ({self._ending()})"
            raise LevelfieldError(f"{why}; the run itself is kept, with a gap in its telemetry")

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def _end(self) -> str:
        """Tell it to end and wait for that; what it said."""
        try:
            said, _ = self._process.communicate(b"end\n", _ENDING_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            said, _ = self._process.communicate()
        return said.decode("utf-8", "replace").strip()

    def _ending(self) -> str:
        code = self._process.returncode
        return f"killed by signal {-code}" if code < 0 else f"exit code {code}"
