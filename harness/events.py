"""The event log in MLPerf's ``:::MLLOG`` format: one writer, one parser for ours and theirs."""

import json
import re
import sys
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TextIO, TypeGuard

import orjson

from harness.clock import Clock

MARK = ":::MLLOG "
_MARK = MARK.encode()
_RECEIVED = re.compile(rb"received_ms=([0-9]{1,16}) ")


@dataclass(frozen=True, slots=True)
class Event:
    """One line of an event log."""

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


def parse_events(data: bytes) -> EventLog:
    """Parse a log; text before the last mark on a line is ignored, as MLPerf's parser does.

    Bytes are read as latin-1 (the official reader's choice). Lines end at ``\\n``, which numbers
    them, and at ``\\r``, which does not.
    """
    found: list[Event | BrokenLine] = []
    number, end = 1, 0
    at, returns = data.find(_MARK), b"\r" in data
    while at >= 0:
        number += data.count(b"\n", end, at)
        start = data.rfind(b"\n", end, at) + 1
        end = data.find(b"\n", at)
        if end < 0:
            end = len(data)
        if returns and data.find(b"\r", start, end) >= 0:
            pieces = data[start:end].split(b"\r")
            found += [_parse_line(number, piece) for piece in pieces if _MARK in piece]
        else:
            found.append(_parse_line(number, data[start:end]))
        at = data.find(_MARK, end)
    return EventLog(
        tuple(one for one in found if type(one) is Event),
        tuple(one for one in found if type(one) is BrokenLine),
    )


def _parse_line(number: int, raw: bytes) -> Event | BrokenLine:
    at = raw.rfind(_MARK)
    try:
        fields = _loads(raw[at + len(_MARK) :])
    except (ValueError, RecursionError):
        return BrokenLine(number, "the text after :::MLLOG is not JSON")
    if not isinstance(fields, dict):
        return BrokenLine(number, "the JSON after :::MLLOG is not an object")
    time_ms, key, metadata = fields.get("time_ms"), fields.get("key"), fields.get("metadata")
    if not _is_time(time_ms) or not isinstance(key, str) or "value" not in fields:
        return BrokenLine(number, "time_ms (integer), key (text) or value is missing")
    if not isinstance(metadata, dict):
        return BrokenLine(number, "metadata is missing")
    kind = str(fields.get("event_type", "POINT_IN_TIME"))
    received = _received(raw[:at]) if at else None
    return Event(number, time_ms, key, fields["value"], metadata, kind, received)


def _loads(text: bytes) -> Any:
    """JSON of ``text``, read as latin-1, whatever the standard library takes for it.

    orjson is three times as fast; what it refuses (NaN) or cannot hold (integers from 2^64 on,
    which it makes floats of) is read again.
    """
    try:
        found = orjson.loads(text if text.isascii() else text.decode("latin-1"))
    except orjson.JSONDecodeError:
        return json.loads(text.decode("latin-1").strip())
    if isinstance(found, dict) and _is_huge(found.get("value")):
        return json.loads(text.decode("latin-1"))
    return found


def _is_huge(value: object) -> bool:
    return type(value) is float and not -(2.0**63) < value < 2.0**63


def _is_time(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 <= value < 2**53


def _received(prefix: bytes) -> int | None:
    found = _RECEIVED.fullmatch(prefix)
    return int(found[1]) if found else None


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
