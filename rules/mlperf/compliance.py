"""The official verdict on one log: the checker's order, its state, what it overwrites, and no more.

Sets of key checks follow one another: every log's, the division's, the benchmark's. A set that
speaks of a key replaces what an earlier one said of it, right or wrong. All of it is exact but for
logs on which the official checker itself ends in an exception: those are refused here.
"""

import math
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import Any, Literal, TypeVar

from harness.events import Event, EventLog
from harness.records import Division
from rules.mlperf.log import OfficialRun
from rules.mlperf.terms import Condition, KeyCheck, MetadataCheck, OfficialRound, Share

Kind = Literal["count", "line", "value", "log"]
_Keys = Mapping[str, KeyCheck]
_Found = TypeVar("_Found")


@dataclass(frozen=True)
class Complaint:
    """One thing that the official checker has against a log."""

    kind: Kind
    """count: how often a key occurs; line: what one line says; value: no value of a key is good
    enough; log: the log as a whole."""
    keys: tuple[str, ...]
    text: str
    line: int | None = None
    """The last line that is so, where one is."""


@dataclass
class Verdict:
    """What the official checker says of one log."""

    _by_key: dict[str, Complaint] = field(default_factory=dict)
    _lasting: list[Complaint] = field(default_factory=list)
    _warnings: dict[str, Complaint] = field(default_factory=dict)

    @property
    def compliant(self) -> bool:
        """Whether there is no error; warnings refuse nothing."""
        return not self._by_key and not self._lasting

    @property
    def errors(self) -> list[Complaint]:
        """Errors, by their text."""
        return sorted([*self._by_key.values(), *self._lasting], key=lambda one: one.text)

    @property
    def warnings(self) -> list[Complaint]:
        """Warnings, by their text."""
        return sorted(self._warnings.values(), key=lambda one: one.text)

    def forget(self, keys: _Keys) -> None:
        """Take back what was said of ``keys``, since other checks of them follow."""
        for key in keys:
            self._by_key.pop(key, None)

    def error(self, complaint: Complaint) -> None:
        """An error of a key, in the place of any other of it."""
        self._by_key[complaint.keys[0]] = complaint

    def lasting(self, complaint: Complaint) -> None:
        """An error that no later set of checks takes back."""
        self._lasting.append(complaint)

    def warning(self, complaint: Complaint) -> None:
        """A warning; a later one of the same key replaces it."""
        self._warnings[complaint.keys[0]] = complaint


def check_log(run: OfficialRun, terms: OfficialRound) -> Verdict:
    """Judge one log as the official checker does."""
    verdict = Verdict()
    if run.log.broken:
        verdict.lasting(Complaint("log", (), "Log lines had parsing errors."))
    if not run.log.events:
        verdict.lasting(Complaint("log", (), "No log lines detected"))
    _Check(run.log, terms, verdict).keys(terms.keys)
    division = _known(run.log.first("submission_division"), {str(d): d for d in Division})
    if division is None:
        return verdict
    _Check(run.log, terms, verdict).keys(terms.division_keys[division])
    benchmark = _known(run.log.first("submission_benchmark"), terms.benchmarks)
    if benchmark is not None:
        closed = division == Division.CLOSED
        check = _Check(run.log, terms, verdict, benchmark.target)
        check.keys(benchmark.keys if closed else benchmark.open_keys)
    return verdict


def _known(event: Event | None, table: Mapping[str, _Found]) -> _Found | None:
    """What ``table`` has for the event's value; none for a value of whatever type it has not."""
    return table.get(event.value) if event and isinstance(event.value, str) else None


@dataclass(frozen=True)
class _Check:
    """One set of key checks on one log."""

    log: EventLog
    terms: OfficialRound
    verdict: Verdict
    target: Condition | None = None

    def keys(self, keys: _Keys) -> None:
        """Check every key of the set."""
        self.verdict.forget(keys)
        for key, asked in keys.items():
            events = self.log.all(key)
            self._lines(key, asked, events[:1] if "submission_" in key else events, keys)
            self._values(key, asked, events)
            if asked.alternative is None:
                self._count(key, asked, events)
        pairs = {frozenset((key, k.alternative)) for key, k in keys.items() if k.alternative}
        for pair in sorted(tuple(sorted(one)) for one in pairs):
            if not any(self.log.first(key) for key in pair):
                text = f"Required AT_LEAST_ONE occurrence of {' or '.join(map(repr, pair))}"
                self.verdict.lasting(Complaint("count", pair, text))

    def _count(self, key: str, asked: KeyCheck, events: list[Event]) -> None:
        if len(events) == 1 or (events and asked.occurs == "at_least_one"):
            return
        values = [event.value for event in events]
        text = f"Required {asked.occurs.upper()} occurrence of {key!r} but found {len(events)}"
        if events and values.count(values[0]) == len(values):
            self.verdict.warning(Complaint("count", (key,), text))
        else:
            differing = " with different values" if events else ""
            self.verdict.error(Complaint("count", (key,), text + differing))

    def _values(self, key: str, asked: KeyCheck, events: list[Event]) -> None:
        some = self.target if asked.meets_target else asked.some
        if some and events and not any(some.holds(event.value) for event in events):
            self.verdict.lasting(
                Complaint("value", (key,), f"Failed checks for {key} : no value is {some.text}")
            )

    def _lines(self, key: str, asked: KeyCheck, events: list[Event], keys: _Keys) -> None:
        for event in reversed(events if asked.asks_of_lines else []):
            if not self._holds(event, asked, keys):
                text = f"CHECK for {key!r} failed in line {event.line}"
                self.verdict.error(Complaint("line", (key,), text, event.line))
                break

    def _holds(self, event: Event, asked: KeyCheck, keys: _Keys) -> bool:
        """Whether one line is as asked; the last one that is not is the one that is told."""
        try:
            return (
                asked.holds(event.value)
                and self._in_place(event, asked)
                and (not asked.within_init_limit or self._within_limit(event))
                and (not asked.names_benchmark or _known(event, self.terms.benchmarks) is not None)
                and self._agrees(event, asked, keys)
            )
        except (ArithmeticError, TypeError, ValueError):
            return False

    def _in_place(self, event: Event, asked: KeyCheck) -> bool:
        """Whether metadata and order are as asked; in loops, since most keys ask for neither."""
        for check in asked.metadata:
            if not _has(event.metadata, check):
                return False
        for other in asked.after:
            if not self._seen(other, event):
                return False
        return not asked.before or not any(self._seen(other, event) for other in asked.before)

    def _seen(self, key: str, event: Event) -> bool:
        first = self.log.first(key)
        return first is not None and first.line < event.line

    def _within_limit(self, event: Event) -> bool:
        """Nil is allowed until the first line that names a division; only open has its own."""
        limit_s = 0
        named = self.log.first("submission_division")
        if named and named.line < event.line:
            wide = named.value == Division.OPEN
            limit_s = self.terms.init_limit_s[Division.OPEN if wide else Division.CLOSED]
        earlier = bisect_left(self._init_lines, event.line)
        first_ms = self._init_ms[earlier - 1] if earlier else event.time_ms
        return event.time_ms - first_ms < limit_s * 1000

    @cached_property
    def _init_lines(self) -> list[int]:
        return [event.line for event in self.log.all("init_start")]

    @cached_property
    def _init_ms(self) -> list[int]:
        """The earliest ``init_start`` up to each of them."""
        return list(accumulate((event.time_ms for event in self.log.all("init_start")), min))

    def _agrees(self, event: Event, asked: KeyCheck, keys: _Keys) -> bool:
        """Whether the value fits those of other keys that were logged before it."""
        if asked.remembered:
            self._share(asked.remembered, event)
        if asked.proportion:
            other = self._logged(asked.proportion.of, event)
            product = _number(event.value) * asked.proportion.times
            return bool(product == other * asked.proportion.factor)
        if asked.difference:
            total = self._share(asked.difference.total, event)
            minus = asked.difference.minus
            return bool(event.value == total - self._remembered(minus, keys[minus], event))
        return True

    def _remembered(self, key: str, asked: KeyCheck, event: Event) -> int | float:
        if asked.remembered is None:
            return self._logged(key, event)
        at = self.log.before(key, event.line)
        if at is None:
            raise ValueError(f"{key} is not logged before")
        return self._share(asked.remembered, at)

    def _share(self, share: Share, event: Event) -> int | float:
        if share.over is None:
            return share.number
        return math.ceil(share.number * share.times / self._logged(share.over, event))

    def _logged(self, key: str, event: Event) -> int | float:
        """The number that was last logged with ``key`` before ``event``."""
        found = self.log.before(key, event.line)
        if found is None:
            raise ValueError(f"{key} is not logged before")
        return _number(found.value)


def _number(value: Any) -> int | float:
    if not isinstance(value, int | float):
        raise TypeError("not a number")
    return value


def _has(metadata: Mapping[str, Any], check: MetadataCheck) -> bool:
    if check.when is not None and check.when not in metadata:
        return True
    if check.any_of and not any(name in metadata for name in check.any_of):
        return False
    return check.field is None or check.field not in metadata or check.holds(metadata[check.field])
