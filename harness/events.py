"""The event log in MLPerf's ``:::MLLOG`` format: one writer, one parser for ours and theirs."""

import gc
import json
import re
import sys
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TextIO, cast

import orjson

from harness.clock import Clock

MARK = ":::MLLOG "
_MARK = MARK.encode()
_RELAYED = b"received_ms="
_INCOMPLETE = "time_ms (integer), key (text) or value is missing"
_RECEIVED = re.compile(rb"[\r\n]received_ms=([0-9]{1,16}) \Z")


@dataclass(slots=True)
class Event:
    """One line of an event log; nobody changes one.

    Not frozen, since making a frozen one takes four times as long, and a round has half a million.
    """

    line: int
    """1-based line number in the file."""
    time_ms: int
    key: str
    value: Any
    metadata: dict[str, Any]
    event_type: str = "POINT_IN_TIME"
    received_ms: int | None = None
    """When the harness read the line from a submitter's program; none for our own lines."""

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
        index: dict[str, list[Event]] = {}
        for event in self.events:
            index.setdefault(event.key, []).append(event)
        return index

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


def parse_events(data: bytes, passing_over: bytes | None = None) -> EventLog:
    """Parse a log; text before the last mark on a line is ignored, as MLPerf's parser does.

    Bytes are read as latin-1 (the official reader's choice). Lines end at ``\\n``, which numbers
    them, and at ``\\r``, which does not. Lines in which ``passing_over`` occurs are not parsed.
    """
    found = _parse_pieces(data, passing_over)
    broken = tuple([one for one in found if type(one) is BrokenLine])
    events = [one for one in found if type(one) is Event] if broken else found
    return EventLog(tuple(cast(list[Event], events)), broken)


def _parse_pieces(data: bytes, passing_over: bytes | None) -> list[Event | BrokenLine]:
    """What stands behind the marks, at which the log is cut.

    The loop runs half a million times a round: what most logs do not need is asked of a log once.
    """
    found: list[Event | BrokenLine] = []
    returns, relayed, ascii_only = b"\r" in data, _RELAYED in data, data.isascii()
    before, *pieces = (b"\n" + data + b"\n").split(_MARK)
    number = before.count(b"\n")
    for piece in pieces:
        text, ended, _ = piece.partition(b"\n")
        if returns and b"\r" in text:
            text, ended, _ = text.partition(b"\r")
        # Without an end, another mark follows on the line.
        if ended and not (passing_over and passing_over in text):
            event = _parse(number, text if ascii_only else text.decode("latin-1"))
            if relayed and type(event) is Event:
                event.received_ms = _received(before)
            found.append(event)
        number += piece.count(b"\n")
        before = piece
    return found


def _parse(number: int, text: bytes | str) -> Event | BrokenLine:
    """The event in ``text``, ASCII if bytes; whatever JSON the standard library takes is taken.

    orjson is three times as fast; what it refuses (NaN) or cannot hold (integers from 2^64 on,
    which it makes floats of) is read again.
    """
    try:
        fields = orjson.loads(text)
        value, metadata, key = fields["value"], fields["metadata"], fields["key"]
        time_ms = fields["time_ms"]
    except (orjson.JSONDecodeError, LookupError, TypeError):
        return _parse_slowly(number, text)
    if (
        type(time_ms) is not int
        or not 0 <= time_ms < 2**53
        or type(metadata) is not dict
        or type(key) is not str
        or (type(value) is float and not -(2.0**63) < value < 2.0**63)
    ):
        return _parse_slowly(number, text)
    return _event(number, fields)


def _parse_slowly(number: int, text: bytes | str) -> Event | BrokenLine:
    """The event in ``text`` by the standard library, or what keeps it from being one."""
    try:
        fields = json.loads((text if isinstance(text, str) else text.decode()).strip())
    except (ValueError, RecursionError):
        return BrokenLine(number, "the text after :::MLLOG is not JSON")
    if type(fields) is not dict:
        return BrokenLine(number, "the JSON after :::MLLOG is not an object")
    time_ms = fields.get("time_ms")
    if type(time_ms) is not int or not 0 <= time_ms < 2**53:
        return BrokenLine(number, _INCOMPLETE)
    if type(fields.get("key")) is not str or "value" not in fields:
        return BrokenLine(number, _INCOMPLETE)
    if type(fields.get("metadata")) is not dict:
        return BrokenLine(number, "metadata is missing")
    return _event(number, fields)


def _event(number: int, fields: dict[str, Any]) -> Event:
    """The event of checked fields; texts that every other line holds too are kept once."""
    metadata = fields["metadata"]
    file, kind = metadata.get("file"), fields.get("event_type", "POINT_IN_TIME")
    if type(file) is str:
        metadata["file"] = sys.intern(file)
    return Event(
        number,
        fields["time_ms"],
        sys.intern(fields["key"]),
        fields["value"],
        metadata,
        sys.intern(kind if type(kind) is str else str(kind)),
    )


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
