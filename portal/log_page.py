"""An event log as numbered lines for its page, exactly the lines that the parser counts."""

import re
from collections.abc import Container
from dataclasses import dataclass

from markupsafe import escape

from harness.events import EventLog

_LONGEST = 4000
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
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

    def __html__(self) -> str:
        """The line as an item of its page's list, escaped.

        Not in the template, which would take five times as long: a site of 10,000 results has
        millions of lines.
        """
        at, key = self.number, f"<b>{escape(self.key)}</b>" if self.key else ""
        broken = f' <span class="broken">✕ {escape(self.broken)}</span>' if self.broken else ""
        return (
            f'<li id="L{at}"><a href="#L{at}">{at}</a><span class="at">{self.seconds}</span>'
            f'<code class="text">{escape(self.before)}{key}{escape(self.after)}{broken}</code></li>'
        )


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
