"""The sampling thread: reads every source at a steady rate and writes each reading at once."""

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TextIO

from harness.telemetry.log import Reading, Sample

INTERVAL_S = 0.1


class Source(Protocol):
    """Something that can be read: a class a kind of counter."""

    @property
    def name(self) -> str:
        """Short name, the ``source`` of its samples."""

    def available(self) -> bool:
        """Whether this machine has it."""

    def read(self) -> Mapping[str, Reading]:
        """Current values in SI base units; none for a value that could not be read."""


class Sampler:
    """One thread for all sources; started and stopped around a run."""

    def __init__(
        self,
        path: Path,
        sources: Sequence[Source],
        wall_ms: Callable[[], int],
        interval_s: float = INTERVAL_S,
    ) -> None:
        self._path = path
        self._sources = [source for source in sources if source.available()]
        self._wall_ms = wall_ms
        self._interval_s = interval_s
        self._ending = threading.Event()
        self._error: OSError | None = None
        self._thread = threading.Thread(target=self._loop, name="telemetry", daemon=True)

    def start(self) -> None:
        """Take a first sample at once and go on in the background."""
        self._stream: TextIO = self._path.open("w", encoding="utf-8")
        self._take()
        if self._sources:
            self._thread.start()

    def stop(self) -> None:
        """Take a last sample and end the thread; raise what ended it early (a full disk)."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()
        with self._stream:
            if self._error is not None:
                raise self._error
            self._take()

    def _loop(self) -> None:
        try:
            while not self._ending.wait(self._interval_s):
                self._take()
        except OSError as error:
            self._error = error

    def _take(self) -> None:
        for source in self._sources:
            values = dict(source.read())
            sample = Sample(time_ms=self._wall_ms(), source=source.name, values=values)
            self._stream.write(sample.model_dump_json() + "\n")
        self._stream.flush()
