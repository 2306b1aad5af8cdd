"""What a strict rule on official results is given, and the register of these rules."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from harness.events import Event, EventLog
from harness.records import Division
from rules.case import Problem
from rules.mlperf.log import OfficialResult, OfficialRun
from rules.mlperf.strict_terms import StrictBenchmark, StrictTerms
from rules.mlperf.terms import OfficialBenchmark, OfficialRound
from rules.registry import Judge, Rule, Scope

Points = Mapping[str, Mapping[int, Sequence[float]]]
"""By benchmark and batch size: after how many samples or epochs each reference run converged."""


@dataclass(frozen=True)
class Trace:
    """What of a log is compared with a submitter's other logs, so that the log need not be kept."""

    file: str
    seeds: tuple[Event, ...]
    start: Event | None
    """The first run_start."""
    events: int
    """A hash over lines, times, keys and types of all events; zero if there are none."""


@dataclass(frozen=True)
class Outline:
    """A benchmark directory without its logs."""

    result: OfficialResult
    traces: tuple[Trace, ...]


def outline(result: OfficialResult) -> Outline:
    """``result`` as rules on a whole submitter need it."""
    traces = tuple(
        Trace(
            file=run.file,
            seeds=tuple(run.log.all("seed")),
            start=run.log.first("run_start"),
            events=hash(tuple((e.line, e.time_ms, e.key, e.event_type) for e in run.log.events))
            if run.log.events
            else 0,
        )
        for run in result.runs
    )
    return Outline(replace(result, runs=()), traces)


@dataclass(frozen=True)
class Case:
    """What every rule is given."""

    terms: OfficialRound
    strict: StrictTerms
    points: Points


@dataclass(frozen=True)
class SubmitterCase(Case):
    """All results of one submitter."""

    outlines: tuple[Outline, ...]


@dataclass(frozen=True)
class ResultCase(Case):
    """One benchmark directory."""

    result: OfficialResult

    @property
    def benchmark(self) -> OfficialBenchmark:
        """The benchmark's terms in the round."""
        return self.terms.benchmarks[self.result.benchmark]

    @property
    def facts(self) -> StrictBenchmark:
        """The benchmark's facts that only the strict reading needs."""
        return self.strict.benchmarks[self.result.benchmark]

    @property
    def division(self) -> Division:
        """The description's division; closed, whose rules are the stricter, unless it is open."""
        stated = str(self.result.description.get("division")).lower()
        return Division.OPEN if stated == Division.OPEN else Division.CLOSED

    @property
    def closed(self) -> bool:
        """Whether the closed division's rules hold."""
        return self.division == Division.CLOSED


@dataclass(frozen=True)
class RunCase(ResultCase):
    """One log."""

    run: OfficialRun

    @property
    def log(self) -> EventLog:
        """The log's events."""
        return self.run.log

    @property
    def ended(self) -> bool:
        """Whether the log says that the run stopped; one that does not is lost, and may end
        anywhere."""
        return self.log.first("run_stop") is not None

    @cached_property
    def batch_size(self) -> int | None:
        """The global batch size, none unless a whole number from 1."""
        size = self.run.global_batch_size
        return size if type(size) is int and 0 < size < 2**53 else None

    def problem(self, message: str, event: Event | None = None, **details: Any) -> Problem:
        """A problem in the log, at the line of ``event``."""
        return Problem(message, self.run.file, event.line if event else None, **details)

    def first(
        self,
        wrong: Sequence[Event],
        message: str,
        found: Callable[[Event], object] | None = None,
        **details: Any,
    ) -> Iterator[Problem]:
        """One problem for all the events that are ``wrong``, if any are, at the first line.

        ``found`` gives what is wrong with it. A log of a million wrong lines is one finding.
        """
        if wrong:
            event = min(wrong, key=lambda one: one.line)
            details |= {"found": shown(found(event))} if found else {}
            more = f"; so are {len(wrong)} lines" if len(wrong) > 1 else ""
            yield self.problem(message + more, event, **details)

    def met(self, event: Event) -> bool:
        """Whether an evaluation's value reaches the benchmark's target."""
        return number(event.value) is not None and self.benchmark.target.holds(event.value)


def value_of(event: Event) -> object:
    """The value, for `RunCase.first`."""
    return event.value


def number(value: object) -> float | None:
    """``value`` as a finite number below 2^63; none for anything else, truth values too."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if abs(value) < 2**63 else None


def shown(value: object) -> str:
    """``value`` for a finding: as Python writes it, cut to what a person reads."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def same(one: object, other: object) -> bool:
    """Whether two logged values are one; a truth value is no number."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


Speaks = Callable[[Any], bool]
STRICT_SCOPES: dict[Scope, str] = {
    "submission": "each submitter",
    "result": "each directory",
    "run": "each log",
}
"""What a strict rule is called with, in words."""
_registered: dict[int, Rule] = {}


def _always(_: Any) -> bool:
    return True


def rule(number: int, *, on: Scope, when: Speaks = _always) -> Callable[[Judge], Judge]:
    """Register the decorated function as rule ``MLPERF-<number>``."""

    def register(judge: Judge) -> Judge:
        if number in _registered:
            raise ValueError(f"two rules are numbered MLPERF-{number}")
        _registered[number] = Rule(f"MLPERF-{number}", on, judge, when)
        return judge

    return register


def in_order() -> dict[str, Rule]:
    """Every strict rule registered so far by number, in order."""
    return {one.number: one for _, one in sorted(_registered.items())}
