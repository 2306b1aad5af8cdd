"""An event log as numbered lines for its page, exactly the lines that the parser counts."""

import re
from collections.abc import Container
from dataclasses import dataclass

from harness.events import EventLog

_LONGEST = 4000
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class LogLine:
    """One line, cut around its key so that the page can set the key apart."""

    number: int
    seconds: str
    """Since run_start, empty where the line is no event or no run_start was logged."""
    before: str
    key: str
    after: str
    broken: str
    """Why the line cannot be read as an event, else empty."""


def log_lines(data: bytes, log: EventLog, only: Container[int] | None = None) -> list[LogLine]:
    """The lines of ``events.log``, numbered as `parse_events` numbers them; those of ``only``."""
    raw = data.removesuffix(b"\n").split(b"\n")
    events = {event.line: event for event in log.events}
    broken = {line.line: line.reason for line in log.broken}
    start = log.first("run_start")
    lines = []
    for number, content in enumerate(raw, 1):
        if only is not None and number not in only:
            continue
        event = events.get(number)
        seconds = f"{(event.time_ms - start.time_ms) / 1000:+.3f} s" if event and start else ""
        before, key, after = _around(_readable(content), event.key if event else "")
        lines.append(LogLine(number, seconds, before, key, after, broken.get(number, "")))
    return lines


def _readable(content: bytes) -> str:
    """Text for a page; the raw file beside it keeps what is replaced or cut here."""
    text = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", content.decode("utf-8", errors="replace"))
    if len(text) <= _LONGEST:
        return text
    return f"{text[:_LONGEST]} … {len(text) - _LONGEST:,} more characters in the raw file"


def _around(text: str, key: str) -> tuple[str, str, str]:
    quoted = f'"key": "{key}"'
    if not key or quoted not in text:
        return text, "", ""
    before, _, after = text.partition(quoted)
    return f'{before}"key": "', key, f'"{after}'
