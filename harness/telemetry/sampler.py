"""The sampler: reads every source at a steady rate and writes each reading at once."""

import errno
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self, TextIO, runtime_checkable

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
    """All sources of a run; takes a first sample when entered and a last one when left.

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

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            self._stream: TextIO = opened.enter_context(self._path.open("w", encoding="utf-8"))
            for source in self._timed:
                source.open()
                opened.callback(self._close, source)
            self._start = time.perf_counter()
            self.take()
            self._opened = opened.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._opened:
            if error is None:
                self.take()

    def sample(self, ended: Callable[[float], bool]) -> None:
        """Take samples by the schedule until ``ended``, which waits so many seconds at most."""
        while not ended(self._until_due()):
            self.take(max(0.0, time.perf_counter() - self._due))

    def take(self, late_s: float = 0.0) -> None:
        """Write one sample of every source; ``late_s`` is how late this is by the schedule.

        Written at once as a whole, so that a sampler that is killed leaves no half of a line.
        """
        if not self._readers:
            return
        before = time.perf_counter()
        lines = [
            sample.line() for reader in self._readers for sample in reader.samples(self._wall_ms())
        ]
        took_s = time.perf_counter() - before
        cost: dict[str, Reading] = {"late_s": round(late_s, 6), "took_s": round(took_s, 6)}
        lines.append(Sample(time_ms=self._wall_ms(), source="sampler", values=cost).line())
        self._stream.write("".join(lines))
        self._stream.flush()

    def _close(self, source: TimedSource) -> None:
        self._stream.writelines(sample.line() for sample in source.close())

    def _until_due(self) -> float:
        """Seconds to the next tick of the schedule; no tick comes twice if one was a hair early."""
        passed = time.perf_counter() - self._start
        self._tick = max(self._tick + 1, int(passed // self._interval_s) + 1)
        self._due = self._start + self._tick * self._interval_s
        return max(0.0, self._due - time.perf_counter())
