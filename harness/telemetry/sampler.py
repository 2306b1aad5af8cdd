"""The sampling thread: reads every source at a steady rate and writes each reading at once."""

import errno
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TextIO, runtime_checkable

from harness.telemetry.log import Reading, Sample

INTERVAL_S = 0.1
_LOST = (errno.ENOENT, errno.ENODEV, errno.ENXIO)
_DENIED = (errno.EACCES, errno.EPERM)
_UNSUPPORTED = (errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)


@dataclass(frozen=True)
class Presence:
    """Whether a source is there, for people."""

    name: str
    present: bool
    """Whether it gives values: one that is there and may not be read is not present."""
    what: str
    """What it reads, or why it is not there; one line."""
    advice: str = ""
    """What to do about it, if anything."""


class Source(Protocol):
    """Something that can be read: a class a kind of counter."""

    @property
    def name(self) -> str:
        """Short name, the ``source`` of its samples."""

    def available(self) -> bool:
        """Whether this machine has it."""

    def presence(self) -> Presence:
        """The same for people, with what to do about it."""

    def read(self) -> Mapping[str, Reading]:
        """Current values in SI base units; none for a value that could not be read."""

    def gaps(self) -> Mapping[str, str]:
        """Why the last reading has no value for a quantity, in a few words."""


@runtime_checkable
class TimedSource(Protocol):
    """A source whose readings have times of their own; asked instead of `Source.read`."""

    def open(self) -> None:
        """Begin, when a run does."""

    def samples(self) -> Iterable[Sample]:
        """What has arrived since the last call."""

    def close(self) -> Sequence[Sample]:
        """End with the run, until it is opened again; the samples that came last."""


def reason(error: OSError | ValueError | LookupError) -> str:
    """A gap's reason in the words that every source uses."""
    if not isinstance(error, OSError):
        return "counter unreadable"
    if error.errno in _DENIED:
        return "permission denied"
    if error.errno in _UNSUPPORTED:
        return "not supported"
    return "device lost" if error.errno in _LOST else "read failed"


class Reader:
    """Takes a source's samples; one that fails as a whole leaves a gap in all it read before."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._names: tuple[str, ...] = ()

    def samples(self, time_ms: int) -> Iterable[Sample]:
        """The source's samples of now, ``time_ms``."""
        try:
            if isinstance(self._source, TimedSource):
                return list(self._source.samples())
            values = dict(self._source.read())
            self._names = tuple(values)
            gaps = dict(self._source.gaps())
        except OSError as error:
            values = dict.fromkeys(self._names)
            gaps = dict.fromkeys(self._names or ("all",), reason(error))
        return [Sample(time_ms=time_ms, source=self._source.name, values=values, gaps=gaps)]


class Sampler:
    """One thread for all sources; started and stopped around a run.

    Its schedule is absolute: reading n is due n intervals after the first, and one that is due
    while another is still taken is left out. Every tick tells how late it began (``late_s``) and
    how long its readings took (``took_s``), as a sample of the source ``sampler``.
    """

    def __init__(
        self,
        path: Path,
        sources: Sequence[Source],
        wall_ms: Callable[[], int],
        interval_s: float = INTERVAL_S,
    ) -> None:
        self._path = path
        available = [source for source in sources if source.available()]
        self._readers = [Reader(source) for source in available]
        self._timed = [source for source in available if isinstance(source, TimedSource)]
        self._wall_ms = wall_ms
        self._interval_s = interval_s
        self._tick = 0
        self._ending = threading.Event()
        self._error: OSError | None = None
        self._thread = threading.Thread(target=self._loop, name="telemetry", daemon=True)

    def start(self) -> None:
        """Take a first sample at once and go on in the background."""
        self._stream: TextIO = self._path.open("w", encoding="utf-8")
        for source in self._timed:
            source.open()
        self._start = time.perf_counter()
        self.take()
        if self._readers:
            self._thread.start()

    def stop(self) -> None:
        """Take a last sample and end the thread; raise what ended it early (a full disk)."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()
        with self._stream, ExitStack() as closing:
            for source in self._timed:
                closing.callback(self._close, source)
            if self._error is not None:
                raise self._error
            self.take()

    def _close(self, source: TimedSource) -> None:
        self._stream.writelines(sample.line() for sample in source.close())

    def take(self, late_s: float = 0.0) -> None:
        """Write one sample of every source; ``late_s`` is how late this is by the schedule."""
        if not self._readers:
            return
        before = time.perf_counter()
        for reader in self._readers:
            for sample in reader.samples(self._wall_ms()):
                self._stream.write(sample.line())
        took_s = time.perf_counter() - before
        cost: dict[str, Reading] = {"late_s": round(late_s, 6), "took_s": round(took_s, 6)}
        self._stream.write(Sample(time_ms=self._wall_ms(), source="sampler", values=cost).line())
        self._stream.flush()

    def _loop(self) -> None:
        try:
            while not self._ending.wait(self._until_due()):
                self.take(max(0.0, time.perf_counter() - self._due))
        except OSError as error:
            self._error = error

    def _until_due(self) -> float:
        """Seconds to the next tick of the schedule; no tick comes twice if one was a hair early."""
        passed = time.perf_counter() - self._start
        self._tick = max(self._tick + 1, int(passed // self._interval_s) + 1)
        self._due = self._start + self._tick * self._interval_s
        return max(0.0, self._due - time.perf_counter())
