"""An external power meter: lines ``timestamp_ns,watts`` of a command, or of a file that grows."""

import collections
import os
import re
import shlex
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO, Protocol

from harness.errors import UsageError
from harness.telemetry.log import Reading, Sample
from harness.telemetry.sampler import Presence

_LINE = re.compile(rb"\s*(\d{1,19})\s*,\s*(\d{1,9}(?:\.\d{0,9})?)\s*")
_LONGEST = 200
"""Bytes of a line; the rest of a longer one is another line, which cannot be read."""
_BEFORE_NS = 10_000_000_000
"""Lines up to so much older than the run's start are kept: its window may begin between two."""
_PATIENCE_S = 2.0
"""How long the last reading is waited for: readings further apart leave a gap anyway."""
_ENDING_S = 2.0
"""How long a command may take to end when asked to; then it is killed."""


class Meter:
    """Watts with the meter's own time; open for a run, see docs/energy.md for the protocol.

    ``spec`` is a command, or a file that may not be executed; `UsageError` if it is neither.
    """

    name = "meter"

    def __init__(self, spec: str, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._spec = spec
        self._now_ns = now_ns
        self._words = _words(spec)
        self._lines: _Lines | None = None
        self._last_ns = 0
        self._told = False

    def available(self) -> bool:
        """Always: a meter that was asked for is there, or fails with a reason."""
        return True

    def presence(self) -> Presence:
        """See `harness.telemetry.sampler.Source`."""
        kind = "the command" if self._words else "the file"
        return Presence(self.name, True, f"power in watts from {kind} {self._spec}")

    def open(self) -> None:
        """Start the command, or open the file; lines from before now are passed over."""
        self._last_ns = self._now_ns() - _BEFORE_NS
        self._first_ns = self._last_ns
        self._told = False
        self._lines = _Output(self._words) if self._words else _Growing(Path(self._spec))

    def close(self) -> list[Sample]:
        """End the command, or close the file; the samples up to then.

        Waits a little for a reading from after the run, so that its window does not end in a gap.
        """
        if self._lines is None:
            return []
        now_ns, patience = self._now_ns(), time.monotonic() + _PATIENCE_S
        last = list(self.samples())
        while self._last_ns < now_ns and not self._told and time.monotonic() < patience:
            time.sleep(0.01)
            last += self.samples()
        self._lines.close()
        self._lines = None
        return last

    def samples(self) -> Iterable[Sample]:
        """What has arrived since the last call, and a gap for what was amiss with it."""
        if self._lines is None:
            return
        # Asked before the lines are taken, so that an ended meter's last ones are not missed.
        ended = self._lines.ended()
        bad = late = 0
        for line in self._lines.take():
            if not line.strip() or line.lstrip().startswith(b"#"):
                continue
            found = _LINE.fullmatch(line)
            if found is None:
                bad += 1
            elif (time_ns := int(found[1])) > self._last_ns:
                self._last_ns = time_ns
                yield _sample(time_ns, float(found[2]))
            elif time_ns > self._first_ns:
                late += 1
        if bad:
            yield self._gap(f"unreadable lines: {bad}")
        if late:
            yield self._gap(f"lines out of order: {late}")
        if ended and not self._told:
            self._told = True
            yield self._gap(ended)

    def read(self) -> Mapping[str, Reading]:
        """Nothing: its readings have times of their own, see `samples`."""
        return {}

    def gaps(self) -> Mapping[str, str]:
        """Nothing: a gap is among `samples`."""
        return {}

    def _gap(self, reason: str) -> Sample:
        return _sample(self._now_ns(), None, {"power_w": reason})


def _sample(time_ns: int, watts: float | None, gaps: Mapping[str, str] | None = None) -> Sample:
    return Sample(
        time_ms=time_ns // 1_000_000,
        source=Meter.name,
        values={"power_w": watts},
        gaps=dict(gaps or {}),
    )


def _words(spec: str) -> list[str]:
    """The words of a command; none for a file."""
    if Path(spec).is_file() and not os.access(spec, os.X_OK):
        return []
    try:
        words = shlex.split(spec)
    except ValueError as error:
        raise UsageError(f"--meter {spec}: {error}; quote it as for a shell") from error
    if not words or shutil.which(words[0]) is None:
        raise UsageError(
            f"--meter {spec}: neither a file nor a program; name a command that prints "
            "timestamp_ns,watts, or the file that it writes"
        )
    return words


class _Lines(Protocol):
    """Where a meter's lines come from."""

    def take(self) -> Iterable[bytes]:
        """Whole lines that have arrived since the last call."""

    def ended(self) -> str | None:
        """Why no more will come; none while they may."""

    def close(self) -> None:
        """Let go of it."""


class _Growing:
    """A file to which another program appends."""

    def __init__(self, path: Path) -> None:
        self._stream = path.open("rb")
        self._rest = b""

    def take(self) -> Iterable[bytes]:
        """See `_Lines`; what follows the last newline waits for its own."""
        *lines, self._rest = (self._rest + self._stream.read()).split(b"\n")
        return lines

    def ended(self) -> str | None:
        """Never known of a file."""
        return None

    def close(self) -> None:
        """See `_Lines`."""
        self._stream.close()


class _Output:
    """The standard output of a command, read by a thread while it runs."""

    def __init__(self, words: list[str]) -> None:
        self._arrived: collections.deque[bytes] = collections.deque()
        try:
            self._process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        except OSError as error:
            raise UsageError(
                f"--meter {words[0]}: cannot be started: {error.strerror}; check the program"
            ) from error
        assert self._process.stdout is not None
        self._thread = threading.Thread(
            target=self._copy, args=(self._process.stdout,), name="meter", daemon=True
        )
        self._thread.start()

    def _copy(self, stream: IO[bytes]) -> None:
        with stream:
            while line := stream.readline(_LONGEST):
                self._arrived.append(line)

    def take(self) -> Iterable[bytes]:
        """See `_Lines`."""
        while self._arrived:
            yield self._arrived.popleft()

    def ended(self) -> str | None:
        """See `_Lines`."""
        if self._thread.is_alive():
            return None
        code = self._process.poll()
        return "the meter ended" if code is None else f"the meter ended with exit code {code}"

    def close(self) -> None:
        """See `_Lines`; the thread ends with the output."""
        self._process.terminate()
        try:
            self._process.wait(_ENDING_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._thread.join(_ENDING_S)
