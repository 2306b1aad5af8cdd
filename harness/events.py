"""The event log in MLPerf's ``:::MLLOG`` format: one writer, one parser for ours and theirs."""

import gc
import json
import re
import sys
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Self, TextIO

import msgspec

from harness.clock import Clock

MARK = ":::MLLOG "
_MARK = MARK.encode()
_RELAYED = b"received_ms="
_INCOMPLETE = "time_ms (integer), key (text) or value is missing"
_RECEIVED = re.compile(rb"[\r\n]received_ms=([0-9]{1,16}) \Z")


class Event(msgspec.Struct, gc=False):
    """One line of an event log; nobody changes one.

    Neither frozen nor a dataclass: half a million are made of a round, from text in one step, and
    none holds a cycle for the collector to find.
    """

    time_ms: Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
    key: str
    value: Any
    metadata: dict[str, Any]
    event_type: str = "POINT_IN_TIME"
    line: int = 0
    """1-based line number in the file."""
    received_ms: int | None = None
    """When the harness read the line from a submitter's program; none for our own lines."""

    def replaced(self, **changes: Any) -> Self:
        """A copy with some fields of other values."""
        return msgspec.structs.replace(self, **changes)

    @property
    def samples_count(self) -> int | None:
        """Samples trained on when it happened; none unless a whole number from 0, below 2^53."""
        count = self.metadata.get("samples_count")
        return count if type(count) is int and 0 <= count < 2**53 else None


@dataclass(frozen=True)
class BrokenLine:
    """A line that is marked as an event and cannot be read as one."""

    line: int
    reason: str


@dataclass(frozen=True)
class EventLog:
    """All events of a run in file order, and the lines that could not be read."""

    events: tuple[Event, ...]
    broken: tuple[BrokenLine, ...] = ()

    @cached_property
    def _by_key(self) -> dict[str, list[Event]]:
        index = defaultdict[str, list[Event]](list)
        for event in self.events:
            index[event.key].append(event)
        return dict(index)

    def all(self, key: str) -> list[Event]:
        """Every event with ``key``, in file order."""
        return list(self._by_key.get(key, ()))

    def first(self, key: str) -> Event | None:
        """The first event with ``key``."""
        return next(iter(self._by_key.get(key, ())), None)

    def last(self, key: str) -> Event | None:
        """The last event with ``key``."""
        return next(reversed(self._by_key.get(key, ())), None)

    def before(self, key: str, line: int) -> Event | None:
        """The last event with ``key`` on a line before ``line``."""
        found = self._by_key.get(key, [])
        at = bisect_left(found, line, key=lambda event: event.line)
        return found[at - 1] if at else None


def parse_events(data: bytes, passing_over: bytes | None = None, lines_before: int = 0) -> EventLog:
    """Parse a log; text before the last mark on a line is ignored, as MLPerf's parser does.

    Bytes are read as latin-1 (the official reader's choice). Lines end at ``\\n``, which numbers
    them from ``lines_before`` on, and at ``\\r``, which does not. Lines in which ``passing_over``
    occurs are not parsed.
    """
    events: list[Event] = []
    broken: list[BrokenLine] = []
    # The loop runs half a million times a round: what most logs do not need is asked of a log once.
    returns, ascii_only = b"\r" in data, data.isascii()
    pieces = data.split(_MARK)
    before = b"\n" + pieces[0]
    pieces[-1] += b"\n"
    number = lines_before + before.count(b"\n")
    for piece in islice(pieces, 1, None):
        text, ended, _ = piece.partition(b"\n")
        if returns and b"\r" in text:
            text, ended, _ = text.partition(b"\r")
        # Without an end, another mark follows on the line.
        if ended and not (passing_over and passing_over in text):
            event = _parse(number, text if ascii_only else text.decode("latin-1"))
            if isinstance(event, BrokenLine):
                broken.append(event)
            else:
                events.append(event)
                if _RELAYED in before[-40:]:
                    event.received_ms = _received(before)
        number += piece.count(b"\n")
        before = piece
    return EventLog(tuple(events), tuple(broken))


def _parse(number: int, text: bytes | str) -> Event | BrokenLine:
    """The event in ``text``, ASCII if bytes; whatever JSON the standard library takes is taken.

    msgspec, three times as fast, refuses some of that (NaN, 1e999, other types of an event).
    """
    try:
        event = _decode(text)
    except (msgspec.MsgspecError, RecursionError):
        found = _parse_slowly(text)
        if isinstance(found, str):
            return BrokenLine(number, found)
        event = found
    # The numbers are ours, whatever the text says; texts that other lines hold too are kept once.
    event.line, event.received_ms = number, None
    event.key, event.event_type = sys.intern(event.key), sys.intern(event.event_type)
    file = event.metadata.get("file")
    if type(file) is str:
        event.metadata["file"] = sys.intern(file)
    return event


_decode = msgspec.json.Decoder(Event).decode


def _parse_slowly(text: bytes | str) -> Event | str:
    """The event in ``text`` by the standard library, or what keeps it from being one."""
    try:
        fields = json.loads((text if isinstance(text, str) else text.decode()).strip())
    except (ValueError, RecursionError):
        return "the text after :::MLLOG is not JSON"
    if type(fields) is not dict:
        return "the JSON after :::MLLOG is not an object"
    time_ms, key = fields.get("time_ms"), fields.get("key")
    if type(time_ms) is not int or not 0 <= time_ms < 2**53:
        return _INCOMPLETE
    if type(key) is not str or "value" not in fields:
        return _INCOMPLETE
    if type(fields.get("metadata")) is not dict:
        return "metadata is missing"
    kind = fields.get("event_type", "POINT_IN_TIME")
    kind = kind if isinstance(kind, str) else str(kind)
    return Event(time_ms, key, fields["value"], fields["metadata"], kind)


def _received(before: bytes) -> int | None:
    """The time that `EventWriter.relay` writes between the start of a line and its mark."""
    found = _RECEIVED.search(before[-40:])
    return int(found[1]) if found else None


@contextmanager
def many_logs() -> Iterator[None]:
    """Around the reading of many logs: no event holds a cycle, so the collector, which would walk
    over all of them again and again, rests.
    """
    resting = not gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if not resting:
            gc.enable()


class EventWriter:
    """Appends events to a file line by line, each flushed, so that a killed run keeps them."""

    def __init__(self, stream: TextIO, clock: Clock) -> None:
        self._stream = stream
        self._clock = clock

    def event(self, key: str, value: Any = None, **metadata: Any) -> None:
        """Log a point in time."""
        self._write("POINT_IN_TIME", key, value, metadata)

    def start(self, key: str, value: Any = None, **metadata: Any) -> None:
        """Log the start of an interval (``key`` ends in ``_start``)."""
        self._write("INTERVAL_START", key, value, metadata)

    def stop(self, key: str, value: Any = None, **metadata: Any) -> None:
        """Log the end of an interval (``key`` ends in ``_stop``)."""
        self._write("INTERVAL_END", key, value, metadata)

    def relay(self, line: str) -> None:
        """Copy a submitter's own line, with the time at which it was received before it."""
        self._stream.write(f"received_ms={self._clock.wall_ms()} {line.rstrip()}\n")
        self._stream.flush()

    def _write(self, event_type: str, key: str, value: Any, metadata: dict[str, Any]) -> None:
        caller = sys._getframe(2)
        source = Path(caller.f_code.co_filename)
        line = {
            "namespace": "",
            "time_ms": self._clock.wall_ms(),
            "event_type": event_type,
            "key": key,
            "value": value,
            "metadata": {
                "file": "/".join(source.parts[-2:]),
                "lineno": caller.f_lineno,
                **metadata,
            },
        }
        self._stream.write(f"{MARK}{json.dumps(line)}\n")
        self._stream.flush()


def intervals(log: EventLog, name: str) -> Iterator[tuple[Event, Event]]:
    """Pairs of ``<name>_start`` and the next ``<name>_stop``, in order."""
    open_event: Event | None = None
    for event in log.events:
        if event.key == f"{name}_start":
            open_event = event
        elif event.key == f"{name}_stop" and open_event is not None:
            yield open_event, event
            open_event = None


def values(events: Iterable[Event]) -> list[Any]:
    """The values of ``events``."""
    return [event.value for event in events]
